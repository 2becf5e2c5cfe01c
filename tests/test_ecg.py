import numpy as np
import pytest

from ecggan.ecg import (
    DERIVED_LEADS,
    EIGHT_LEADS,
    TWELVE_LEADS,
    ECGFormat,
    canonical_lead,
    select_leads,
    to_microvolts,
)


def test_order_of_the_eight_leads_is_that_of_the_deepfake_ecgs():
    assert EIGHT_LEADS == ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    assert TWELVE_LEADS == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def test_network_sees_full_scale_as_one(paper_format):
    assert paper_format.to_network(np.array([6000.0, -3000.0])).tolist() == [1.0, -0.5]
    assert paper_format.from_network(1.0) == 6000.0


def test_every_microvolt_survives_the_way_through_the_network(paper_format):
    microvolts = np.arange(-6000, 6001, dtype=np.int16)
    in_network = paper_format.to_network(microvolts.astype(np.float32))
    assert np.array_equal(np.rint(paper_format.from_network(in_network)).astype(np.int16), microvolts)


def test_duration_follows_from_samples_and_rate(paper_format):
    assert paper_format.duration_s == 10.0


def test_format_takes_a_list_of_leads_as_a_config_gives_it():
    assert ECGFormat(["I", "II"], 500, 5000, 6.0) == ECGFormat(("I", "II"), 500, 5000, 6.0)


@pytest.mark.parametrize("leads", [("I", "V7"), ("I", "I"), ()])
def test_format_refuses_unknown_repeated_and_no_leads(leads):
    with pytest.raises(ValueError, match="leads must be distinct names out of I, II"):
        ECGFormat(leads, 500, 5000, 6.0)


@pytest.mark.parametrize("name", ["sampling_rate", "num_samples", "full_scale_mv"])
def test_format_refuses_what_is_not_above_zero(name):
    values = {
        "sampling_rate": 500,
        "num_samples": 5000,
        "full_scale_mv": 6.0,
        name: 0.0 if name == "full_scale_mv" else 0,
    }
    with pytest.raises(ValueError, match=f"{name} must be a number above 0"):
        ECGFormat(("I",), **values)


@pytest.mark.parametrize("lead", TWELVE_LEADS)
def test_lead_is_known_however_it_is_spelt(lead):
    assert canonical_lead(f" {lead.lower()} ") == canonical_lead(lead.upper()) == lead


def test_derived_leads_obey_einthoven_and_goldberger(known_ecg):
    i, ii, iii, avr, avl, avf = np.moveaxis(select_leads(known_ecg(3), EIGHT_LEADS, TWELVE_LEADS), 1, 0)[:6]
    np.testing.assert_allclose(iii, ii - i, atol=1e-12)
    np.testing.assert_allclose(avr + avl + avf, 0, atol=1e-12)
    np.testing.assert_allclose(avr, -(i + ii) / 2, atol=1e-12)
    np.testing.assert_allclose(avl, i - ii / 2, atol=1e-12)
    np.testing.assert_allclose(avf, ii - i / 2, atol=1e-12)


def test_derived_leads_are_those_that_a_real_recorder_stored(shared_data):
    from ecggan.data.readers.wfdb import read_wfdb

    record = read_wfdb(shared_data / "ptbxl/records500/00000/00001_hr.hea")
    eight = select_leads(record.millivolts, record.leads, EIGHT_LEADS)
    derived = select_leads(eight, EIGHT_LEADS, tuple(DERIVED_LEADS))
    stored = select_leads(record.millivolts, record.leads, tuple(DERIVED_LEADS))
    assert np.abs(derived - stored).max() <= 0.002  # the recorder rounded each lead


def test_integers_stay_integers_and_half_a_microvolt_goes_to_even():
    signals = np.array([[1, 3], [0, 0]], dtype=np.int16)
    avr = select_leads(signals, ("I", "II"), ("aVR",))
    assert avr.dtype == np.int16
    assert avr.tolist() == [[0, -2]]


def test_deriving_from_large_integers_does_not_wrap_around():
    signals = np.array([[-20000], [20000]], dtype=np.int16)
    assert select_leads(signals // 2, ("I", "II"), ("III",)).tolist() == [[20000]]


def test_leads_are_taken_by_name_not_by_place():
    signals = np.array([[1.0], [2.0], [3.0]])
    assert select_leads(signals, ("V2", "I", "V1"), ("V1", "V2")).tolist() == [[3.0], [1.0]]


def test_lead_that_cannot_be_had_is_named():
    with pytest.raises(ValueError, match="lead 'V1' is not in the record; it has I, II"):
        select_leads(np.zeros((2, 5)), ("I", "II"), ("V1",))


def test_number_of_names_must_be_that_of_the_signals():
    with pytest.raises(ValueError, match="3 leads in the signals, but 2 names"):
        select_leads(np.zeros((3, 5)), ("I", "II"), ("I",))


def test_microvolts_are_rounded_integers():
    microvolts = to_microvolts(np.array([0.0004, 0.0006, -1.2346]))
    assert microvolts.dtype == np.int16
    assert microvolts.tolist() == [0, 1, -1235]


@pytest.mark.parametrize("value", [np.nan, np.inf, 33.0])
def test_what_16_bits_of_microvolts_cannot_hold_is_refused(value):
    with pytest.raises(ValueError, match=r"values must be finite and within ±32.767 mV"):
        to_microvolts(np.array([0.0, value]))
