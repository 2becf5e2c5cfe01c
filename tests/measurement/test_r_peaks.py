from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.readers.wfdb import read_wfdb
from ecggan.ecg import EIGHT_LEADS, select_leads
from ecggan.measurement.beats import find_beats
from ecggan.measurement.filters import without_baseline
from ecggan.measurement.measure_record import measure_record
from tests.synthetic import add_waves

RATE = 500
Make = Callable[..., np.ndarray]
P_MV = np.array([0.5, 0.8, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4])
T_MV = np.array([0.5, 0.9, -0.2, 1.0, 1.1, 1.0, 0.9, 0.8])


def measured(ecg: np.ndarray) -> dict[str, object]:
    row = measure_record(ecg, EIGHT_LEADS, RATE)
    assert row["is_measurable"], row["reason"]
    return dict(row)


def test_tall_narrow_t_waves_are_no_beats(shared_cases: Path) -> None:
    table = pd.read_csv(shared_cases / "tall-t-waves" / "ecg.csv")
    row = measure_record(table.to_numpy().T / 1000, tuple(table), RATE)
    assert row["num_beats"] == 12
    assert row["heart_rate_bpm"] == pytest.approx(71.4, abs=1)
    assert float(row["rr_sd_ms"]) < 10
    assert row["qtc_bazett_ms"] == pytest.approx(443, abs=5)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("width_s", [0.022, 0.04])
@pytest.mark.parametrize("heart_rate_bpm", [45, 75, 110, 150])
def test_no_t_wave_is_a_beat_at_any_rate(
    ecg_of_known_intervals: Make, heart_rate_bpm: float, width_s: float, sign: int
) -> None:
    period = 60 / heart_rate_bpm
    ecg = ecg_of_known_intervals(heart_rate_bpm, pr_ms=min(160, 80 + 6000 / heart_rate_bpm), qt_ms=400 * period**0.5)
    num_beats = measured(ecg)["num_beats"]
    add_waves(ecg, RATE, np.arange(0.4, 11, period), [(0.28 * period**0.5, width_s, sign * T_MV)])
    row = measured(ecg)
    assert row["num_beats"] == num_beats
    assert row["heart_rate_bpm"] == pytest.approx(heart_rate_bpm, abs=1)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("pr_ms", [120, 160, 260])
def test_no_tall_p_wave_is_a_beat(ecg_of_known_intervals: Make, pr_ms: float, sign: int) -> None:
    ecg = ecg_of_known_intervals(75, pr_ms=pr_ms, p_mv=0.0)
    add_waves(ecg, RATE, np.arange(0.4, 11, 0.8), [(0.006 - pr_ms / 1000, 0.02, sign * P_MV)])
    row = measured(ecg)
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=1)
    assert row["pr_interval_ms"] == pytest.approx(pr_ms, abs=20)


def test_ectopic_beats_with_t_waves_of_their_own_stay_beats(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals(40)
    wide = [(0.0, 0.028, -1.0 * np.ones(8)), (0.26, 0.05, 0.5 * np.ones(8))]
    add_waves(ecg, RATE, np.arange(0.4, 9, 1.5) + 0.48, wide)
    assert measure_record(ecg, EIGHT_LEADS, RATE)["num_beats"] == 13


@pytest.mark.parametrize("times", [2, 3, -2])
def test_enlarged_t_waves_of_real_ecgs_are_no_beats(shared_data: Path, times: int) -> None:
    names = pd.read_csv(shared_data / "ptbxl" / "ptbxl_database.csv")["filename_hr"][3::36]
    window = np.hanning(round(0.32 * RATE))
    num_measurable = 0
    for name in names:
        record = read_wfdb(shared_data / "ptbxl" / name)
        ecg = select_leads(record.millivolts, record.leads, EIGHT_LEADS).astype(float)
        truth = measure_record(ecg, EIGHT_LEADS, RATE)
        peaks = find_beats(without_baseline(ecg, RATE), RATE).r_peaks
        weight = np.ones(ecg.shape[1] + len(window))
        for start in peaks + round(0.12 * RATE):
            weight[start : start + len(window)] = 1 + (times - 1) * window[: len(weight) - start]
        enlarged = (ecg - np.median(ecg, axis=1, keepdims=True)) * weight[: ecg.shape[1]]
        row = measure_record(enlarged, EIGHT_LEADS, RATE)
        num_measurable += bool(row["is_measurable"])
        assert not row["is_measurable"] or abs(row["heart_rate_bpm"] - truth["heart_rate_bpm"]) < 3, name  # type: ignore[operator]
    assert num_measurable >= 0.8 * len(names)
