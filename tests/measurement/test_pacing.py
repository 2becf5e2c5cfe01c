from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.signal

from ecggan.data.readers.wfdb import read_wfdb
from ecggan.ecg import EIGHT_LEADS, select_leads
from ecggan.measurement.measure_record import measure_record
from ecggan.measurement.pacing import remove_spikes

Make = Callable[..., np.ndarray]
SPIKE_MV = np.array([1.0, -0.8, 0.6, 0.7, 0.5, 0.9, -0.7, 0.4])
INTERVALS = ("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms")
BEFORE_R_S = {"atrial": (0.2,), "ventricular": (0.062,), "AV sequential": (0.2, 0.062)}


def pace(ecg: np.ndarray, rate: int, before_r_s: tuple[float, ...], shape: np.ndarray, tail: float = 0.0) -> None:
    """Add spikes before the R-peaks of an ECG of 70 a minute, with an after-potential of this share of their height."""
    decay = -tail * shape.max() * np.exp(-np.arange(round(0.15 * rate)) / (0.03 * rate))
    spike = np.outer(SPIKE_MV, np.concatenate([shape, decay]))
    for peak in np.arange(0.4, 9.7, 60 / 70):
        for before in before_r_s:
            start = round((peak - before) * rate)
            ecg[:, start : start + spike.shape[1]] += spike


@pytest.mark.parametrize("chamber", BEFORE_R_S)
@pytest.mark.parametrize("heights", [(2.0,), (0.5,), (2.0, -1.6), (5.0,)])
@pytest.mark.parametrize("rate", [500, 1000])
def test_a_paced_ecg_measures_as_it_does_without_its_spikes(
    ecg_of_known_intervals: Make, rate: int, heights: tuple[float, ...], chamber: str
) -> None:
    ecg = ecg_of_known_intervals(70, pr_ms=180, sampling_rate=rate)
    truth = measure_record(ecg, EIGHT_LEADS, rate)
    pace(ecg, rate, BEFORE_R_S[chamber], np.repeat(heights, rate // 500))
    row = measure_record(ecg, EIGHT_LEADS, rate)
    assert row["is_measurable"], row["reason"]
    assert [row[column] for column in INTERVALS] == pytest.approx([truth[column] for column in INTERVALS], abs=2.5)


@pytest.mark.parametrize("chamber", BEFORE_R_S)
@pytest.mark.parametrize(("to_rate", "up", "down"), [(400, 2, 5), (250, 1, 4)])
def test_spikes_are_recognised_after_resampling(
    ecg_of_known_intervals: Make, to_rate: int, up: int, down: int, chamber: str
) -> None:
    ecg = ecg_of_known_intervals(70, pr_ms=180, sampling_rate=1000)
    truth = measure_record(scipy.signal.resample_poly(ecg, up, down, axis=1), EIGHT_LEADS, to_rate)
    pace(ecg, 1000, BEFORE_R_S[chamber], np.array([2.0, 2.0]))
    row = measure_record(scipy.signal.resample_poly(ecg, up, down, axis=1), EIGHT_LEADS, to_rate)
    assert row["is_measurable"], row["reason"]
    errors = [float(row[column]) - float(truth[column]) for column in INTERVALS]
    assert np.abs(errors).max() <= 15, errors  # about 28 with the spikes


def test_an_after_potential_is_a_reason(ecg_of_known_intervals: Make) -> None:
    ecg = ecg_of_known_intervals(70)
    pace(ecg, 500, BEFORE_R_S["ventricular"], np.array([2.0]), tail=0.3)
    assert str(measure_record(ecg, EIGHT_LEADS, 500)["reason"]).startswith("paced")


def test_waves_noise_and_single_artefacts_are_no_spikes(ecg_of_known_intervals: Make) -> None:
    narrow = ecg_of_known_intervals(70, qrs_ms=60)
    noisy = narrow + np.random.default_rng(0).normal(0, 0.08, narrow.shape)
    few, in_one_lead = narrow.copy(), narrow.copy()
    few[:, [700, 3100]] += 2.0
    in_one_lead[2, 300::400] += 1.0
    for ecg in (narrow, noisy, few, in_one_lead):
        found = remove_spikes(ecg, 500)
        assert not len(found.positions)
        assert found.without is ecg


def test_pacemakers_of_real_ecgs_are_recognised_and_nothing_else(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "ptbxl_more" / "ptbxl_database.csv")
    is_paced = table["scp_codes"].str.contains("'PACE': 100")
    num_with_spikes = []
    for some in (table[is_paced], table[~is_paced][::50]):
        records = [read_wfdb(shared_data / "ptbxl_more" / name) for name in some["filename_hr"]]
        signals = [select_leads(record.millivolts, record.leads, EIGHT_LEADS).astype(float) for record in records]
        num_with_spikes.append(sum(len(remove_spikes(ecg, 500).positions) > 0 for ecg in signals))
    assert num_with_spikes[0] > 0.8 * is_paced.sum()
    assert num_with_spikes[1] == 0
