from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from ecggan.data.packing.quality import amplitude_exclusion_reason, exclusion_reason
from ecggan.data.readers.wfdb import read_wfdb
from ecggan.data.record import Record
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat, select_leads
from tests.data.quality_rules import RULES


@pytest.fixture
def judge(paper_format):
    def judge(millivolts, leads=EIGHT_LEADS, sampling_rate=500):
        record = Record(millivolts, leads, sampling_rate)
        reason = exclusion_reason(record, paper_format.leads, RULES)
        return reason or amplitude_exclusion_reason(
            select_leads(millivolts, leads, paper_format.leads), paper_format, RULES
        )

    return judge


def test_normal_ecg_may_be_used(judge, known_ecg):
    assert judge(known_ecg()[0]) is None


def test_absent_lead_is_named_but_a_derivable_one_is_not_missed(judge, known_ecg):
    assert judge(known_ecg()[0][:7], EIGHT_LEADS[:7]) == (
        "leads",
        "lead 'V6' is not in the record; it has I, II, V1, V2, V3, V4, V5",
    )
    twelve = ECGFormat(("I", "aVF"), 500, 5000, 6.0)
    assert exclusion_reason(Record(known_ecg()[0], EIGHT_LEADS, 500), twelve.leads, RULES) is None


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
    assert judge(np.full((8, 5000), np.nan), EIGHT_LEADS)[0] == "not_finite"
    assert judge(np.zeros((8, 5000)))[0] == "flat"  # not "constant"


@pytest.mark.parametrize("limits", [(-1, 6), (6, 6), (0.1, 40)])
def test_rules_that_cannot_be_meant_are_refused(limits):
    with pytest.raises(ValueError, match=r"quality rules need 0 <= min_peak_to_peak_mv < max_amplitude_mv <= 32.767"):
        replace(RULES, min_peak_to_peak_mv=limits[0], max_amplitude_mv=limits[1])


def test_real_ecgs_pass_and_their_flat_lead_is_found(shared_data, paper_format):
    normal = read_wfdb(shared_data / "ptbxl/records500/00000/00001_hr.hea")
    assert exclusion_reason(normal, EIGHT_LEADS, RULES) is None
    without_v2 = read_wfdb(shared_data / "challenge2021/JS20004.hea")
    assert exclusion_reason(without_v2, EIGHT_LEADS, RULES) == ("flat", "lead V2 moves by 0 mV, the least is 0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_noise_mv", -1), ("max_constant_s", float("nan")), ("min_correlation_i_v6", 0.5), ("max_wander_mv", np.inf)],
)
def test_limit_that_cannot_be_meant_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        replace(RULES, **{name: value})


def exchange(ecg, one, other):
    i, j = TWELVE_LEADS.index(one), TWELVE_LEADS.index(other)
    ecg[[i, j]] = ecg[[j, i]]


def invert(ecg, lead):
    ecg[TWELVE_LEADS.index(lead)] *= -1


def exchange_arms(ecg):
    invert(ecg, "I")
    exchange(ecg, "II", "III")
    exchange(ecg, "aVR", "aVL")


def clip(ecg):
    rail = 0.8 * np.abs(ecg[11]).max()
    np.clip(ecg[11], -rail, rail, out=ecg[11])


def drop_out(ecg):
    ecg[8, 2000:2500] = 0


def pad(ecg):
    ecg[:, :750] = ecg[:, -750:] = 0


def hum(ecg):
    ecg[7] += 0.2 * np.sin(2 * np.pi * 50 * np.arange(5000) / 500)


def make_noisy(ecg):
    ecg[9] += np.random.default_rng(0).normal(0, 0.12, 5000)


def drift(ecg):
    ecg[6] += 2 * np.sin(2 * np.pi * 0.2 * np.arange(5000) / 500)


CORRUPTIONS = {
    drop_out: ("constant", "lead V3 stays at 0 mV from 4.00 to 5.00 s, the longest is 0.8 s"),
    pad: ("constant", "lead I stays at 0 mV from 0.00 to 1.50 s"),
    clip: ("saturated", "lead V6 is stuck at "),
    exchange_arms: ("arms_exchanged", "I is V6 upside down"),
    hum: ("noise", "lead V2: 0.14"),
    make_noisy: ("noise", "lead V4: 0.06"),
    drift: ("wander", "lead V1: "),
}


@pytest.fixture
def twelve(known_ecg):
    return select_leads(known_ecg()[0], EIGHT_LEADS, TWELVE_LEADS)


@pytest.mark.parametrize("spoil", CORRUPTIONS, ids=lambda spoil: spoil.__name__)
def test_spoilt_ecg_is_caught_in_any_order_of_leads(twelve, spoil):
    spoil(twelve)
    rule, start = CORRUPTIONS[spoil]
    rules = replace(RULES, max_wander_mv=3.0)
    found = exclusion_reason(Record(twelve, TWELVE_LEADS, 500), EIGHT_LEADS, rules)
    assert found is not None
    assert found[0] == rule
    assert found[1].startswith(start)
    assert exclusion_reason(Record(twelve[::-1], TWELVE_LEADS[::-1], 500), EIGHT_LEADS, rules) == found


@pytest.mark.parametrize(
    ("limit", "spoil"),
    [
        ("max_constant_s", drop_out),
        ("max_saturated_share", clip),
        ("min_correlation_i_v6", exchange_arms),
        ("max_noise_mv", hum),
        ("max_wander_mv", drift),
    ],
)
def test_null_switches_a_rule_off(twelve, limit, spoil):
    spoil(twelve)
    assert exclusion_reason(Record(twelve, TWELVE_LEADS, 500), EIGHT_LEADS, replace(RULES, **{limit: None})) is None


@pytest.mark.parametrize(
    ("spoil", "remedy"),
    [
        (lambda ecg: exchange(ecg, "II", "III"), "II and III exchanged"),
        (lambda ecg: exchange(ecg, "aVR", "aVF"), "aVR and aVF exchanged"),
        (lambda ecg: invert(ecg, "I"), "I inverted"),
        (lambda ecg: invert(ecg, "aVR"), "aVR inverted"),
    ],
)
def test_limb_leads_that_break_their_laws_are_told_what_would_mend_them(twelve, spoil, remedy):
    spoil(twelve)
    rule, detail = exclusion_reason(Record(twelve, TWELVE_LEADS, 500), EIGHT_LEADS, RULES)
    assert rule == "limb_leads"
    assert detail.endswith(f"; it holds with {remedy}")
    off = replace(RULES, max_einthoven_mv=None, min_correlation_i_v6=None)
    assert exclusion_reason(Record(twelve, TWELVE_LEADS, 500), EIGHT_LEADS, off) is None


def test_limb_lead_that_is_empty_and_not_wanted_is_as_if_absent(twelve):
    twelve[2], twelve[4] = 0, np.nan
    assert exclusion_reason(Record(twelve, TWELVE_LEADS, 500), EIGHT_LEADS, RULES) is None


def test_low_ecg_in_coarse_steps_is_not_saturated(twelve):
    coarse = np.rint(twelve * 0.2 / 0.02) * 0.02
    assert exclusion_reason(Record(coarse, TWELVE_LEADS, 500), EIGHT_LEADS, replace(RULES, max_constant_s=None)) is None


@pytest.mark.parametrize("rate", [100, 128, 257.0, 1000])
def test_recording_is_judged_at_any_rate_and_length(known_ecg, rate):
    ecg = known_ecg(sampling_rate=int(rate), num_samples=int(7 * rate))[0]
    assert exclusion_reason(Record(ecg, EIGHT_LEADS, rate), EIGHT_LEADS, RULES) is None
    ecg[3] += 0.2 * np.sin(2 * np.pi * 50 * np.arange(ecg.shape[1]) / rate + 1)
    assert exclusion_reason(Record(ecg, EIGHT_LEADS, rate), EIGHT_LEADS, RULES)[0] == "noise"


@pytest.mark.parametrize("count", [1, 5, 60, 400])
def test_short_recording_passes_each_rule_but_that_of_flat_leads(known_ecg, count):
    record = Record(known_ecg()[0][:, :count], EIGHT_LEADS, 500)
    found = exclusion_reason(record, EIGHT_LEADS, replace(RULES, max_wander_mv=3.0))
    assert (found is None) if count == 400 else (found[0] == "flat")
    assert exclusion_reason(record, EIGHT_LEADS, replace(RULES, max_wander_mv=3.0, min_peak_to_peak_mv=None)) is None


def test_recording_of_no_samples_has_no_length():
    assert exclusion_reason(Record(np.zeros((8, 0)), EIGHT_LEADS, 500), EIGHT_LEADS, RULES) == (
        "length",
        "it holds no samples",
    )


@pytest.mark.parametrize(
    ("folder", "gain", "read", "left_out"),
    [
        ("ptbxl/records500", None, 378, {"amplitude": 2}),
        ("ludb/data", 1e-3, 100, {}),
        ("challenge2021", None, 50, {"flat": 2, "noise": 3, "amplitude": 1}),
    ],
)
def test_real_ecgs_are_left_out_only_for_artefacts(shared_data, paper_format, folder, gain, read, left_out):
    found = []
    for path in sorted((shared_data / folder).rglob("*.hea")):
        record = read_wfdb(path, gain)
        shaped = select_leads(record.millivolts, record.leads, EIGHT_LEADS)
        found.append(
            exclusion_reason(record, EIGHT_LEADS, RULES) or amplitude_exclusion_reason(shaped, paper_format, RULES)
        )
    assert len(found) == read
    assert Counter(reason[0] for reason in found if reason) == left_out
