import numpy as np
import pytest

from ecggan.ecg import EIGHT_LEADS
from ecggan.measurement.measure_record import measure_record
from ecggan.transport.registered_beat import GRID_MS, USUAL_MS, register
from ecggan.transport.retiming import NewTimes, continued, retime, spaced

NO_CHANGE = np.zeros((8, len(GRID_MS)))


def moved(millivolts, **changes):
    ecg = register(millivolts, 500)
    times = {"rr_ms": float(ecg.rr_ms.mean()), "irregularity": 1.0, "landmarks_ms": ecg.landmarks_ms}
    shift = changes.pop("shift_ms", 0.0)
    times["landmarks_ms"] = times["landmarks_ms"] + shift
    return retime(millivolts, ecg, NewTimes(**times | changes), NO_CHANGE)


def measured(millivolts):
    return measure_record(millivolts, EIGHT_LEADS, 500)


def test_the_same_times_give_the_same_record(ecg_of_known_intervals):
    millivolts = ecg_of_known_intervals()
    assert np.abs(moved(millivolts) - millivolts).max() < 1e-6


@pytest.mark.parametrize("heart_rate_bpm", [55, 70, 90])
def test_a_new_rate_is_measured_and_the_waves_stay(ecg_of_known_intervals, heart_rate_bpm):
    millivolts = ecg_of_known_intervals(heart_rate_bpm=70)
    before, after = measured(millivolts), measured(moved(millivolts, rr_ms=60_000 / heart_rate_bpm))
    assert after["heart_rate_bpm"] == pytest.approx(heart_rate_bpm, rel=0.01)
    for name in ("pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"):
        assert after[name] == pytest.approx(before[name], abs=8)
    assert after["r_amplitude_v5_mv"] == pytest.approx(before["r_amplitude_v5_mv"], rel=0.03)


def test_new_landmarks_are_measured(ecg_of_known_intervals):
    millivolts = ecg_of_known_intervals()
    shift = np.array([-20.0, -20.0, 0.0, 6.0, 25.0])
    before, after = measured(millivolts), measured(moved(millivolts, shift_ms=shift))
    assert after["pr_interval_ms"] - before["pr_interval_ms"] == pytest.approx(20, abs=5)
    assert after["qrs_duration_ms"] - before["qrs_duration_ms"] == pytest.approx(6, abs=3)
    assert after["qt_interval_ms"] - before["qt_interval_ms"] == pytest.approx(25, abs=6)


def test_rhythm_becomes_more_or_less_even(varied_ecgs):
    millivolts = next(ecg for ecg in varied_ecgs(5, seed=3) if register(ecg, 500) is not None)
    spread = [measured(moved(millivolts, irregularity=factor))["rr_sd_ms"] for factor in (0.5, 1.0, 2.0)]
    assert spread[0] == pytest.approx(spread[1] / 2, rel=0.15)
    assert spread[2] == pytest.approx(spread[1] * 2, rel=0.15)


def test_a_change_is_added_at_every_beat(ecg_of_known_intervals):
    millivolts = ecg_of_known_intervals()
    ecg = register(millivolts, 500)
    change = NO_CHANGE.copy()
    change[6] = 0.3 * np.exp(-0.5 * (GRID_MS / 10) ** 2)
    after = retime(millivolts, ecg, NewTimes(float(ecg.rr_ms.mean()), 1.0, ecg.landmarks_ms), change)
    assert np.abs((after - millivolts)[6, ecg.r_peaks] - 0.3).max() < 1e-6
    assert np.abs((after - millivolts)[[0, 1, 2, 3, 4, 5, 7]]).max() < 1e-6


@pytest.fixture
def uneven(ecg_of_known_intervals):
    """An ECG whose beats are by turns larger and smaller by a tenth."""
    millivolts = ecg_of_known_intervals(noise_mv=0.002)
    r_peaks = register(millivolts, 500).r_peaks
    beat = np.abs(np.arange(5000)[:, None] - r_peaks).argmin(axis=1)
    return millivolts * np.where(beat % 2, 1.1, 0.9)


def test_the_size_of_each_beat_is_found(uneven):
    ecg = register(uneven, 500)
    assert ecg.sizes[::2] == pytest.approx(0.9, abs=0.02)
    assert ecg.sizes[1::2] == pytest.approx(1.1, abs=0.02)
    assert np.exp(ecg.log_size_spread) == pytest.approx(0.107, abs=0.01)


@pytest.mark.parametrize("unevenness", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.2])
def test_beats_become_of_one_size_at_any_rate(uneven, unevenness, ratio):
    ecg = register(uneven, 500)
    after = moved(uneven, rr_ms=float(ecg.rr_ms.mean()) * ratio, unevenness=unevenness)
    found = register(after, 500)
    assert measured(after)["qrs_size_sd_percent"] == pytest.approx(10.3 * unevenness, abs=1.2)
    assert np.ptp(found.sizes) < 0.21 * unevenness + 0.03


def test_what_differs_from_beat_to_beat_becomes_smaller_in_each_lead_and_wander_stays(ecg_of_known_intervals):
    millivolts = ecg_of_known_intervals(noise_mv=0.0)
    seconds = np.arange(5000) / 500
    wander = 0.2 * np.sin(2 * np.pi * 0.15 * seconds)
    r_peaks = register(millivolts, 500).r_peaks
    t_waves = np.zeros((8, 5000))
    for sign, peak in zip(np.resize([1, -1], len(r_peaks)), r_peaks, strict=True):
        t_waves[5] += sign * 0.1 * np.exp(-0.5 * ((np.arange(5000) - peak - 130) / 15) ** 2)
    after = moved(millivolts + t_waves + wander, unevenness=0.3)
    t_peaks = r_peaks[1:-2] + 130
    left = (after - millivolts - wander)[5, t_peaks]
    assert np.abs(left - 0.3 * t_waves[5, t_peaks]).max() < 0.015
    is_steep = (np.abs(np.arange(5000)[:, None] - r_peaks) < 25).any(axis=1)  # beats are aligned to whole samples there
    is_looked_at = ~is_steep & (np.abs(seconds - 5) < 4.4)
    assert np.abs((after - millivolts - wander)[[0, 1, 2, 3, 4, 6, 7]][:, is_looked_at]).max() < 0.02


def test_a_record_goes_on_with_its_own_beats_without_a_step(ecg_of_known_intervals):
    millivolts = ecg_of_known_intervals(noise_mv=0.0) + np.linspace(0, 0.5, 5000)
    r_peaks = register(millivolts, 500).r_peaks
    longer, peaks, which = continued(millivolts, r_peaks, float(np.diff(r_peaks).mean() * 2), 500, 2000)
    assert longer.shape[1] >= 7000
    assert np.abs(np.diff(peaks) - np.diff(r_peaks).mean()).max() <= 2
    assert np.abs(np.diff(longer)).max() <= np.abs(np.diff(millivolts)).max() * 1.05
    for peak, one in zip(peaks[:-1], which[:-1], strict=True):
        assert (
            np.abs(longer[6, peak - 30 : peak + 30] - millivolts[6, r_peaks[one] - 30 : r_peaks[one] + 30]).std() < 0.03
        )


def test_landmarks_out_of_order_are_set_apart():
    assert spaced(USUAL_MS).tolist() == USUAL_MS.tolist()
    assert spaced(np.array([-100.0, -120.0, 3.0, -1.0, 2.0])).tolist() == [-126.0, -120.0, -6.0, 6.0, 12.0]
