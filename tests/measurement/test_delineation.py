from collections.abc import Callable

import numpy as np
import pytest

from ecggan.measurement.beats import find_beats
from ecggan.measurement.delineation import Boundaries, delineate
from ecggan.measurement.filters import without_baseline

RATE = 500
Make = Callable[..., np.ndarray]


def boundaries_of(ecg: np.ndarray, rate: int = RATE) -> Boundaries:
    return delineate(find_beats(without_baseline(ecg, rate), rate))


def intervals_ms(found: Boundaries, rate: int = RATE) -> np.ndarray:
    """P duration, PR, QRS, QT."""
    onsets = np.array([found.p_onset, found.p_onset, found.qrs_onset, found.qrs_onset])
    offsets = np.array([found.p_offset, found.qrs_onset, found.qrs_offset, found.t_offset])
    return (offsets - onsets) * 1000 / rate


def errors_ms(make: Make, **intervals: float) -> np.ndarray:
    known = {"pr_ms": 160.0, "qrs_ms": 96.0, "qt_ms": 390.0} | intervals
    truth = np.array([100.0, known["pr_ms"], known["qrs_ms"], known["qt_ms"]])
    return intervals_ms(boundaries_of(make(**known))) - truth


def test_known_intervals_are_found(ecg_of_known_intervals: Make) -> None:
    # the waves end where their makers say, at 2.3 SDs: another convention moves all errors by a constant
    np.testing.assert_allclose(errors_ms(ecg_of_known_intervals), [0, 0, 0, 0], atol=18)


@pytest.mark.parametrize("noise_mv", [0.0, 0.01, 0.025])
def test_no_interval_is_biased_by_the_rate(ecg_of_known_intervals: Make, noise_mv: float) -> None:
    at_rates = np.stack(
        [
            errors_ms(
                ecg_of_known_intervals,
                heart_rate_bpm=rate,
                noise_mv=noise_mv,
                pr_ms=120 + 2400 / rate,  # a PR and a QT that shorten with the rate, as hearts' do
                qt_ms=400 * np.sqrt(60 / rate),
            )
            for rate in (45, 52, 60, 75, 90, 105, 120, 135, 150)
        ]
    )
    assert np.isfinite(at_rates).all()
    assert (np.ptp(at_rates, axis=0) <= [12, 12, 8, 14]).all(), at_rates.round()


@pytest.mark.parametrize(
    ("name", "values"),
    [("pr_ms", (120, 160, 200, 260, 300)), ("qrs_ms", (70, 90, 110, 140)), ("qt_ms", (320, 380, 440, 500))],
)
def test_what_is_made_longer_is_measured_longer_by_as_much(
    ecg_of_known_intervals: Make, name: str, values: tuple[float, ...]
) -> None:
    errors = np.stack([errors_ms(ecg_of_known_intervals, heart_rate_bpm=60, **{name: value}) for value in values])
    assert np.ptp(errors, axis=0).max() <= 10, errors.round()


@pytest.mark.parametrize("rate", [250, 500, 1000])
def test_intervals_do_not_depend_on_the_sampling_rate(ecg_of_known_intervals: Make, rate: int) -> None:
    at_500 = intervals_ms(boundaries_of(ecg_of_known_intervals(noise_mv=0)))
    found = intervals_ms(boundaries_of(ecg_of_known_intervals(noise_mv=0, sampling_rate=rate), rate), rate)
    np.testing.assert_allclose(found, at_500, atol=1000 / min(rate, 500))


def test_without_a_p_wave_there_is_a_reason_and_no_number(ecg_of_known_intervals: Make) -> None:
    found = boundaries_of(ecg_of_known_intervals(p_mv=0.0, noise_mv=0.01))
    assert np.isnan([found.p_onset, found.p_offset]).all()
    assert found.no_p
    assert np.isfinite([found.qrs_onset, found.t_offset]).all()
    assert not found.no_qrs + found.no_t


def test_fibrillation_has_no_p_wave(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals(80, p_mv=0.0)
    time = np.arange(ecg.shape[1]) / RATE
    ecg += 0.06 * np.sin(2 * np.pi * 6.3 * time + 3 * np.sin(2 * np.pi * 0.7 * time))  # f waves of 380 a minute
    assert boundaries_of(ecg).no_p == "no P wave that repeats from beat to beat"


def test_a_p_wave_hidden_in_the_t_wave_has_a_reason(ecg_of_known_intervals: Make) -> None:
    found = boundaries_of(ecg_of_known_intervals(150, pr_ms=180, qt_ms=300))
    assert np.isnan(found.p_onset)
    assert found.no_p in ("no room for a P wave after the last T wave", "the P wave has no clear onset")


def test_one_bad_lead_does_not_decide(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals()
    good = intervals_ms(boundaries_of(ecg))
    ecg[3] += np.random.default_rng(0).normal(0, 1.0, ecg.shape[1])
    np.testing.assert_allclose(intervals_ms(boundaries_of(ecg)), good, atol=8)


def test_signals_that_are_no_ecg_raise_nothing() -> None:
    rng, time = np.random.default_rng(0), np.arange(5000) / RATE
    for lead in (np.zeros(5000), rng.normal(0, 1, 5000), np.sign(np.sin(2 * np.pi * time)), time):
        found = boundaries_of(np.stack([lead, lead]))
        for wave, positions in (("p", "p_onset p_offset"), ("qrs", "qrs_onset qrs_offset"), ("t", "t_offset")):
            is_missing = np.isnan([getattr(found, name) for name in positions.split()])
            assert is_missing.all() == is_missing.any() == bool(getattr(found, f"no_{wave}"))
