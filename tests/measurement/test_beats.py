from collections.abc import Callable

import numpy as np
import pytest

from ecggan.measurement.beats import Beats, find_beats
from ecggan.measurement.filters import below, without_baseline

RATE = 500
Make = Callable[..., np.ndarray]


def beats_of(ecg: np.ndarray, rate: int = RATE) -> Beats:
    return find_beats(without_baseline(ecg, rate), rate)


@pytest.mark.parametrize("rate", [45, 70, 100, 150, 200])
def test_r_peaks_are_at_the_known_times(ecg_of_known_intervals: Make, rate: int) -> None:
    beats = beats_of(ecg_of_known_intervals(rate, qt_ms=400 * np.sqrt(60 / rate)))
    expected = np.arange(0.4, 9.99, 60 / rate) * RATE
    assert beats.num_found in (len(expected), len(expected) - 1)  # the last may be cut
    assert np.abs(beats.r_peaks - expected[: beats.num_found]).max() <= 10
    assert np.diff(beats.r_peaks).std() <= 1


def test_median_beat_has_less_noise_than_a_beat(ecg_of_known_intervals: Make) -> None:
    clean, noisy = (beats_of(ecg_of_known_intervals(60, noise_mv=noise)) for noise in (0, 0.05))
    assert noisy.num_used >= 8
    error = np.sqrt(np.mean((noisy.millivolts - clean.millivolts) ** 2))
    assert error < 0.05 * 1.5 / np.sqrt(noisy.num_used)  # a median's noise is 1.25 of a mean's


def test_ectopic_beats_are_found_and_set_aside(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals(60)
    normal = beats_of(ecg)
    time = np.arange(ecg.shape[1]) / RATE
    for at in (2.0, 6.0):  # wide, early, the other way up
        ecg += np.outer(-np.ones(8), np.exp(-0.5 * ((time - at) / 0.03) ** 2))
        ecg += np.outer(0.5 * np.ones(8), np.exp(-0.5 * ((time - at - 0.25) / 0.05) ** 2))
    beats = beats_of(ecg)
    near = np.abs(beats.r_peaks[:, None] / RATE - [2.0, 6.0]).min(axis=1) < 0.1
    assert near.sum() == 2
    assert not beats.is_used[near].any()
    assert beats.num_found == normal.num_found + 2
    assert np.abs(beats.millivolts - normal.millivolts)[:, 150:400].max() < 0.03


@pytest.mark.parametrize("noise_mv", [0.0, 0.03])
def test_beats_of_unequal_size_are_told_by_their_sd(ecg_of_known_intervals: Make, noise_mv: float) -> None:
    ecg = ecg_of_known_intervals(60, noise_mv=noise_mv)
    equal = beats_of(ecg)
    assert equal.qrs_size_sd_percent() < 1
    sizes = np.random.default_rng(0).normal(1, 0.15, equal.num_found)
    time = np.arange(ecg.shape[1])
    unequal = beats_of(ecg * sizes[np.abs(time[:, None] - equal.r_peaks).argmin(axis=1)])
    used = sizes[unequal.is_used]
    assert len(used) >= 8
    assert unequal.qrs_size_sd_percent() == pytest.approx(100 * used.std(ddof=1) / np.median(used), rel=0.05)


def test_two_beats_have_no_sd_of_their_size(ecg_of_known_intervals: Make) -> None:
    assert np.isnan(beats_of(ecg_of_known_intervals(60)[:, : 2 * RATE]).qrs_size_sd_percent())


def test_up_to_half_of_the_beats_may_be_ectopic(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals(40)
    time = np.arange(ecg.shape[1]) / RATE
    for at in np.arange(1.1, 9, 1.5):
        ecg += np.outer(-np.ones(8), np.exp(-0.5 * ((time - at) / 0.03) ** 2))
    beats = beats_of(ecg)
    assert beats.num_found == 13
    assert beats.num_used >= 4
    peaks = beats.r_peaks[beats.is_used] / RATE
    assert np.abs((peaks - 0.4 + 0.75) % 1.5 - 0.75).max() < 0.02


def test_an_inverted_ecg_has_the_same_beats(ecg_of_known_intervals: Make) -> None:
    upright, inverted = beats_of(ecg_of_known_intervals()), beats_of(-ecg_of_known_intervals())
    np.testing.assert_array_equal(upright.r_peaks, inverted.r_peaks)


def test_a_tall_t_wave_is_no_beat(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals(55)
    time = np.arange(ecg.shape[1]) / RATE
    before = beats_of(ecg)
    for peak in before.r_peaks / RATE:
        ecg += 0.8 * np.exp(-0.5 * ((time - peak - 0.28) / 0.05) ** 2)
    assert beats_of(ecg).num_found == before.num_found


def test_a_lead_full_of_noise_has_no_say(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals()
    quiet = beats_of(ecg)
    ecg[4] += np.random.default_rng(1).normal(0, 2.0, ecg.shape[1])
    beats = beats_of(ecg)
    assert beats.is_noisy.tolist() == [i == 4 for i in range(8)]
    assert np.abs(beats.r_peaks - quiet.r_peaks).max() <= 2


def test_waves_that_keep_no_time_with_the_qrs_do_not_repeat(ecg_of_known_intervals: Make) -> None:
    rng, ecg = np.random.default_rng(0), ecg_of_known_intervals(60, p_mv=0.0)
    beats = beats_of(ecg)
    p_window = (beats.r_peak - 120, beats.r_peak - 35)
    time = np.arange(ecg.shape[1]) / RATE
    for at in rng.uniform(0, 10, 12):
        ecg += np.outer(0.1 * np.ones(8), np.exp(-0.5 * ((time - at) / 0.022) ** 2))
    assert beats_of(ecg).repeatability(*p_window) < 0.3
    assert beats_of(ecg_of_known_intervals(60)).repeatability(*p_window) > 0.9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("num_beats", [0, 1, 2, 3])
def test_few_beats_raise_nothing(num_beats: int) -> None:
    time = np.arange(5000) / RATE
    waves = sum((np.exp(-0.5 * ((time - 2 - 2 * i) / 0.012) ** 2) for i in range(num_beats)), np.zeros(5000))
    beats = beats_of(np.stack([waves, 0.5 * waves]))
    assert beats.num_found <= num_beats + 1
    assert len(beats.smooth) == beats.num_used <= beats.num_found
    assert np.isnan(beats.repeatability(0, 100)) == (beats.num_used < 2)


def test_below_keeps_slow_waves_and_takes_fast_ones() -> None:
    time = np.arange(1000) / RATE
    slow, fast = np.sin(2 * np.pi * 3 * time)[None], np.sin(2 * np.pi * 100 * time)[None]
    inside = slice(100, -100)
    assert np.abs(below(20.0, slow, RATE) - slow)[:, inside].max() < 0.01
    assert np.abs(below(20.0, fast, RATE))[:, inside].max() < 0.01


def test_baseline_is_taken_away_without_a_shift(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals(noise_mv=0)
    wander = 0.5 * np.sin(2 * np.pi * 0.15 * np.arange(ecg.shape[1]) / RATE)
    steady = without_baseline(ecg + wander + 1.0, RATE)
    assert np.abs(steady - without_baseline(ecg, RATE))[:, 500:-500].max() < 0.02
    one_beat = slice(1000, 1400)
    assert steady[1, one_beat].argmax() == ecg[1, one_beat].argmax()
