from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import wfdb

from ecggan.ecg import EIGHT_LEADS, canonical_lead
from ecggan.measurement.columns import MEASUREMENTS
from ecggan.measurement.measure_record import measure_record

RATE = 500


@pytest.fixture(scope="module")
def ecgs(known_ecg: Callable[..., np.ndarray]) -> np.ndarray:
    return np.round(known_ecg(num_records=3, seed=1), 3)


@pytest.mark.parametrize(("i", "avf", "axis"), [(1, 0, 0), (0.05, 1, 87.5), (-1, 0, 180), (1, np.sqrt(3) / 2, 45)])
def test_axis_follows_einthovens_triangle(
    known_ecg: Callable[..., np.ndarray], i: float, avf: float, axis: float
) -> None:
    shape = known_ecg(noise_mv=0)[0][4]
    ecg = np.stack([i * shape, (avf + i / 2) * shape])  # aVF = II - I/2
    row = measure_record(ecg, ("I", "II"), RATE)
    assert abs((row["qrs_axis_deg"] - axis + 180) % 360 - 180) < 1.5  # type: ignore[operator]


def no_ecgs() -> dict[str, tuple[np.ndarray, str]]:
    rng, time = np.random.default_rng(0), np.arange(5000) / RATE
    phase = np.arange(8)[:, None]
    leads = np.ones((8, 1))
    return {
        "flat": (np.zeros((8, 5000)), "flat"),
        "constant": (np.ones((8, 5000)), "flat"),
        "one sample missing": (np.where(time == 3, np.nan, rng.normal(0, 1, (8, 5000))), "not finite"),
        "too short": (rng.normal(0, 1, (8, 500)), "shorter"),
        "white noise": (rng.normal(0, 0.2, (8, 5000)), ""),
        "the same noise in each lead": (leads * rng.normal(0, 0.2, 5000), ""),
        "mains hum": (0.3 * np.sin(2 * np.pi * 50 * time + phase), ""),
        "mains hum with noise": (0.3 * np.sin(2 * np.pi * 60 * time + phase) + rng.normal(0, 0.01, (8, 5000)), ""),
        "sawtooth": (leads * scipy.signal.sawtooth(2 * np.pi * 1.2 * time), ""),
        "sawtooth with noise": (
            leads * scipy.signal.sawtooth(2 * np.pi * 1.2 * time) + rng.normal(0, 0.01, (8, 5000)),
            "",
        ),
        "square wave": (leads * scipy.signal.square(2 * np.pi * time), "clipped"),
        "pulses with noise": (leads * (np.arange(5000) % 400 < 20) + rng.normal(0, 0.02, (8, 5000)), "no T wave"),
        "random walk": (np.cumsum(rng.normal(0, 0.01, (8, 5000)), axis=1), ""),
    }


@pytest.mark.parametrize("what", no_ecgs())
def test_what_is_no_ecg_does_not_pass(what: str) -> None:
    signals, reason = no_ecgs()[what]
    row = measure_record(signals, EIGHT_LEADS, RATE)
    assert not row["is_measurable"]
    assert str(row["reason"]).startswith(reason)
    assert row["reason"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda ecg: np.where(np.arange(5000) < 2500, ecg, 0.0),  # lead-off half way
        lambda ecg: np.where((np.arange(5000) > 1000) & (np.arange(8)[:, None] < 3), np.nan, ecg),
        lambda ecg: ecg[:, :1600],
        lambda ecg: np.where(np.arange(5000) < 300, ecg, 0.0),  # one beat
        lambda ecg: np.where(np.arange(5000) < 700, ecg, 0.0),  # two beats
        lambda ecg: ecg * 1e40,
        lambda ecg: ecg * np.inf,
        lambda ecg: ecg + (np.arange(5000) % 430 == 150) * 3.0,  # a pacemaker's spikes
        lambda ecg: np.repeat(ecg[:1], 8, axis=0),
        lambda ecg: ecg[:, ::-1],
    ],
)
def test_whatever_a_record_holds_ends_in_numbers_or_in_reasons(
    ecgs: np.ndarray, spoil: Callable[[np.ndarray], np.ndarray]
) -> None:
    with np.errstate(all="ignore"):
        spoilt = spoil(ecgs[0])
    row = measure_record(spoilt, EIGHT_LEADS, RATE)
    assert row["is_measurable"] == (not row["reason"])
    values = [float(row[column]) for column in MEASUREMENTS]  # type: ignore[arg-type]
    assert np.isnan(values).any() == bool(row["missing"])


@pytest.mark.slow
def test_every_real_ecg_is_measured_or_has_a_reason(shared_data: Path) -> None:
    records = pd.read_csv(shared_data / "ptbxl" / "ptbxl_database.csv")
    other = records[~records["scp_codes"].str.contains("'NORM'")]["filename_hr"].iloc[::3]
    rows = []
    for name in other:
        record = wfdb.rdrecord(str(shared_data / "ptbxl" / name))
        rows.append(measure_record(record.p_signal.T, [canonical_lead(lead) for lead in record.sig_name], RATE))
    table = pd.DataFrame(rows)
    assert table["is_measurable"].mean() >= 0.95
    assert (table[list(MEASUREMENTS)].isna().any(axis=1) == (table["missing"] != "")).all()
