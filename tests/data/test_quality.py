import numpy as np
import pytest

from ecggan.data.quality import QualityRules, reason_to_leave_out
from ecggan.data.record import Record
from ecggan.ecg import EIGHT_LEADS, ECGFormat

RULES = QualityRules(min_peak_to_peak_mv=0.1, max_amplitude_mv=6.0)


@pytest.fixture
def judge(paper_format):
    def judge(millivolts, leads=EIGHT_LEADS, sampling_rate=500):
        return reason_to_leave_out(Record(millivolts, leads, sampling_rate), paper_format, RULES)

    return judge


def test_normal_ecg_may_be_used(judge, known_ecg):
    assert judge(known_ecg()[0]) is None


def test_absent_lead_is_named_but_a_derivable_one_is_not_missed(judge, known_ecg):
    assert judge(known_ecg()[0][:7], EIGHT_LEADS[:7]) == (
        "leads",
        "lead 'V6' is not in the record; it has I, II, V1, V2, V3, V4, V5",
    )
    twelve = ECGFormat(("I", "aVF"), 500, 5000, 6.0)
    assert reason_to_leave_out(Record(known_ecg()[0], EIGHT_LEADS, 500), twelve, RULES) is None


@pytest.mark.parametrize("rate", [250, 499.5, 1000])
def test_other_rate_is_left_out(judge, known_ecg, rate):
    assert judge(known_ecg()[0], sampling_rate=rate) == (
        "sampling_rate",
        f"{rate:g} Hz, wanted are 500 (nothing is resampled)",
    )


def test_rate_may_be_written_as_a_float(judge, known_ecg):
    assert judge(known_ecg()[0], sampling_rate=500.0) is None


@pytest.mark.parametrize("count", [0, 4999, 5001])
def test_other_length_is_left_out(judge, count):
    assert judge(np.zeros((8, count))) == ("length", f"{count} samples, wanted are 5000")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_counted_in_the_worst_lead(judge, known_ecg, value):
    ecg = known_ecg()[0]
    ecg[0, 5], ecg[3, :20] = value, value
    assert judge(ecg) == ("not_finite", "lead V2: 20 of 5000 samples are NaN or infinite")


def test_flat_lead_is_named_whatever_its_offset(judge, known_ecg):
    ecg = known_ecg()[0]
    ecg[4] = 2.5
    assert judge(ecg) == ("flat", "lead V3 moves by 0 mV, the least is 0.1")


def test_microvolts_taken_for_millivolts_are_found(judge, known_ecg):
    rule, detail = judge(known_ecg()[0] * 1000)
    assert rule == "amplitude"
    assert "the unit may be wrong: µV taken for mV" in detail


def test_millivolts_taken_for_microvolts_are_found(judge, known_ecg):
    rule, detail = judge(known_ecg()[0] / 1000)
    assert rule == "flat"
    assert "every lead is, so the unit may be wrong: mV taken for µV" in detail


def test_electrode_artefact_is_too_large_but_no_wrong_unit(judge, known_ecg):
    ecg = known_ecg()[0]
    ecg[5, 99] = -7.5
    assert judge(ecg) == ("amplitude", "lead V4: 7.5 mV, the most is 6")


def test_empty_record_does_not_claim_a_wrong_unit(judge):
    assert judge(np.zeros((8, 5000))) == ("flat", "lead I moves by 0 mV, the least is 0.1")


def test_leads_that_are_not_wanted_are_not_judged(judge, known_ecg):
    with_noise = np.concatenate([known_ecg()[0], np.full((1, 5000), np.nan)])
    assert judge(with_noise, (*EIGHT_LEADS, "PLETH")) is None


def test_first_broken_rule_counts(judge):
    assert judge(np.full((8, 10), np.nan), sampling_rate=100)[0] == "sampling_rate"


@pytest.mark.parametrize("limits", [(-1, 6), (6, 6), (0.1, 40)])
def test_rules_that_cannot_be_meant_are_refused(limits):
    with pytest.raises(ValueError, match=r"quality rules need 0 <= min_peak_to_peak_mv < max_amplitude_mv <= 32.767"):
        QualityRules(*limits)


def test_real_ecgs_pass_and_their_flat_lead_is_found(shared_data, paper_format):
    from ecggan.data.readers.wfdb_files import read_wfdb

    normal = read_wfdb(shared_data / "ptbxl/records500/00000/00001_hr.hea")
    assert reason_to_leave_out(normal, paper_format, RULES) is None
    without_v2 = read_wfdb(shared_data / "challenge2021/JS20004.hea")
    assert reason_to_leave_out(without_v2, paper_format, RULES) == ("flat", "lead V2 moves by 0 mV, the least is 0.1")
