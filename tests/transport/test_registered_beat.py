import numpy as np
import pytest

from ecggan.transport.registered_beat import (
    GRID_MS,
    LANDMARKS,
    USUAL_MS,
    fade,
    register,
    to_own_time,
    to_usual_time,
)


def test_landmarks_follow_the_intervals_of_the_ecg(ecg_of_known_intervals):
    one, other = (register(ecg_of_known_intervals(pr_ms=pr, qt_ms=qt), 500) for pr, qt in ((150, 380), (180, 410)))
    moved = dict(zip(LANDMARKS, other.landmarks_ms - one.landmarks_ms, strict=True))
    assert moved["p_onset"] == pytest.approx(-30, abs=4)
    assert moved["qrs_onset"] == pytest.approx(0, abs=3)
    assert moved["t_offset"] == pytest.approx(30, abs=6)


def test_beats_of_other_intervals_are_alike_once_registered(ecg_of_known_intervals):
    ecgs = [
        register(ecg_of_known_intervals(pr_ms=pr, qt_ms=qt, noise_mv=0), 500) for pr, qt in ((150, 370), (190, 420))
    ]
    apart = np.abs(ecgs[0].waves - ecgs[1].waves).max()
    assert apart < 0.12 * np.abs(ecgs[0].waves).max()


def test_rhythm_is_kept_as_logarithms(ecg_of_known_intervals):
    ecg = register(ecg_of_known_intervals(heart_rate_bpm=75), 500)
    assert np.exp(ecg.log_rr) == pytest.approx(800, abs=2)
    assert np.isfinite(ecg.log_rr_spread)


def test_the_sampling_rate_changes_nothing_but_rounding(ecg_of_known_intervals):
    fine, coarse = (register(ecg_of_known_intervals(sampling_rate=rate, noise_mv=0), rate) for rate in (500, 250))
    assert np.abs(fine.landmarks_ms - coarse.landmarks_ms).max() < 6
    assert np.abs(fine.waves - coarse.waves).max() < 0.15


def test_times_go_to_the_usual_beat_and_back():
    landmarks = USUAL_MS + np.array([10.0, -5.0, 3.0, 4.0, -20.0])
    assert np.allclose(to_usual_time(landmarks, landmarks), USUAL_MS)
    assert np.allclose(to_usual_time(to_own_time(GRID_MS, landmarks), landmarks), GRID_MS)


def test_waves_fade_out_at_both_ends_and_nowhere_else():
    assert fade()[[0, -1]].tolist() == [0, 0]
    assert (fade()[(USUAL_MS[0] <= GRID_MS) & (USUAL_MS[-1] >= GRID_MS)] == 1).all()


@pytest.mark.parametrize("lost", ["everything", "P", "a lead", "the beat"])
def test_an_ecg_that_lacks_something_is_not_registered(ecg_of_known_intervals, lost):
    if lost == "P":
        millivolts = ecg_of_known_intervals(p_mv=0.0)
    else:
        millivolts = ecg_of_known_intervals()
        if lost == "everything":
            millivolts[:] = 0
        elif lost == "the beat":  # one comes early
            millivolts[:, 2500:3500] = millivolts[:, 2700:3700]
        else:
            millivolts[3] = np.random.default_rng(0).normal(0, 1, 5000)
    assert register(millivolts, 500) is None
