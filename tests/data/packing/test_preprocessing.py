from dataclasses import replace

import numpy as np
import pytest

from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout, Record
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from tests.data.packers import SHAPING


def sampled(rate, seconds, *frequencies):
    """Eight leads of sines of 1 mV, of known values at any time."""
    time = np.arange(round(rate * seconds)) / rate
    wave = sum(np.sin(2 * np.pi * frequency * time + 0.3) for frequency in frequencies)
    return Record(np.tile(wave, (8, 1)), EIGHT_LEADS, rate)


def shaped(record, ecg, **changes):
    shaping = replace(SHAPING, **changes)
    assert shaping.misfit(record, ecg) is None
    return [shaping.apply(window, ecg) for _, window in shaping.cut(record, ecg)]


@pytest.mark.parametrize("rate", [250, 257, 333, 360, 400, 500, 1000, 1024, 2000])
def test_samples_of_another_rate_are_those_that_500_hz_would_have_taken(paper_format, rate):
    wanted = sampled(500, 10, 1.1, 17, 40).millivolts
    (found,) = shaped(sampled(rate, 10, 1.1, 17, 40), paper_format)
    assert found.shape == (8, 5000)
    assert np.abs(found - wanted)[:, 100:-100].max() < 0.02


def test_resampling_keeps_an_offset_up_to_the_ends(paper_format):
    (found,) = shaped(Record(np.full((8, 10_000), 2.0), EIGHT_LEADS, 1000), paper_format)
    assert np.abs(found - 2).max() < 1e-6


def test_what_500_hz_cannot_hold_does_not_come_back_as_another_frequency(paper_format):
    (found,) = shaped(sampled(1000, 10, 450), paper_format)
    assert np.abs(found)[:, 50:-50].max() < 0.01


def test_record_of_the_wanted_shape_stays_as_it_is(paper_format, known_ecg):
    (found,) = shaped(Record(known_ecg()[0], EIGHT_LEADS, 500), paper_format)
    assert np.array_equal(found, known_ecg()[0])


def test_leads_are_ordered_and_derived(known_ecg):
    (found,) = shaped(Record(known_ecg()[0], EIGHT_LEADS, 500.0), ECGFormat(("V1", "III"), 500, 5000, 6.0))
    ecg = known_ecg()[0]
    np.testing.assert_allclose(found, [ecg[2], ecg[1] - ecg[0]], atol=1e-12)


@pytest.mark.parametrize(
    ("rate", "num_samples", "rule", "detail"),
    [
        (128, 1280, "sampling_rate", "128 Hz, the least is 250 (shaping.min_sampling_rate)"),
        (499.9, 5000, "sampling_rate", "499.9 Hz, which no ratio of small numbers brings to 500"),
        (500, 4999, "length", "9.998 s, wanted are 10 (nothing is padded)"),
        (500, 0, "length", "0 s, wanted are 10 (nothing is padded)"),
        (1000, 9999, "length", "9.999 s, wanted are 10 (nothing is padded)"),
    ],
)
def test_record_that_cannot_be_brought_into_shape_says_why(paper_format, rate, num_samples, rule, detail):
    record = Record(np.zeros((8, num_samples)), EIGHT_LEADS, rate)
    assert SHAPING.misfit(record, paper_format) == (rule, detail)


def test_absent_lead_comes_before_all_else(paper_format):
    record = Record(np.zeros((1, 7)), ("I",), 1)
    assert SHAPING.misfit(record, paper_format) == ("leads", "lead 'II' is not in the record; it has I")


def test_slow_rate_that_is_wanted_is_taken_as_it_is():
    ecg = ECGFormat(EIGHT_LEADS, 100, 1000, 6.0)
    assert SHAPING.misfit(sampled(100, 10, 1), ecg) is None
    assert SHAPING.misfit(sampled(90, 10, 1), ecg)[0] == "sampling_rate"


def test_windows_follow_each_other(paper_format):
    record = sampled(1000, 35, 1)
    windows = replace(SHAPING, windows="all").cut(record, paper_format)
    assert [start for start, _ in windows] == [0, 10, 20]
    assert np.array_equal(windows[2][1].millivolts, record.millivolts[:, 20_000:30_000])
    assert [start for start, _ in SHAPING.cut(record, paper_format)] == [0]


def test_baseline_goes_and_the_waves_stay_where_they_are(paper_format, known_ecg):
    ecg = known_ecg()[0]
    time = np.arange(5000) / 500
    drifting = Record(ecg + np.sin(2 * np.pi * 0.1 * time) + 0.7, EIGHT_LEADS, 500)
    (found,) = shaped(drifting, paper_format, baseline_hz=0.5)
    (alone,) = shaped(Record(ecg, EIGHT_LEADS, 500), paper_format, baseline_hz=0.5)
    inner = slice(500, -500)
    assert np.abs(found - alone)[:, inner].max() < 0.06
    assert abs(found.mean()) < 0.01
    lag = np.argmax(np.correlate(found[1, inner], ecg[1, 500:-500] - ecg[1].mean(), "full")) - 3999
    assert lag == 0


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_notch_takes_the_mains_and_little_else(paper_format, known_ecg, mains_hz):
    ecg = known_ecg()[0]
    hum = 0.2 * np.sin(2 * np.pi * mains_hz * np.arange(5000) / 500)
    (found,) = shaped(Record(ecg + hum, EIGHT_LEADS, 500), paper_format, mains_hz=mains_hz)
    assert np.abs(found - ecg)[:, 250:-250].max() < 0.03


@pytest.mark.parametrize(
    ("name", "value"),
    [("min_sampling_rate", 0), ("min_sampling_rate", np.nan), ("baseline_hz", 1), ("baseline_hz", 0), ("mains_hz", 55)],
)
def test_shaping_that_cannot_be_meant_is_refused(name, value):
    with pytest.raises(ValueError, match=f"shaping.{name} must"):
        replace(SHAPING, **{name: value})


def test_real_dicom_of_1000_hz_is_resampled_as_its_own_samples_say(shared_data, paper_format):
    record = read_record(shared_data / "dicom_ecg/anonymous_ecg.dcm", Layout())
    assert record.sampling_rate == 1000
    (found,) = shaped(record, paper_format)
    every_second = record.millivolts[[record.leads.index(lead) for lead in EIGHT_LEADS], ::2]
    assert np.sqrt(np.mean((found - every_second) ** 2)) < 0.01
    assert np.abs(found - every_second)[:, 20:-20].max() < 0.06
