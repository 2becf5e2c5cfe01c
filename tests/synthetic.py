"""ECGs whose every wave is known: sums of Gaussian waves, after McSharry et al. 2003 (ECGSYN)."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest

Wave = tuple[float, float, Sequence[float] | np.ndarray]
"""Time from the R-peak and width (standard deviation) in s, and the amplitude in mV in each lead."""

_REACH = 9  # SDs from its top; beyond them a wave is below 1e-17 of it


def add_waves(ecg: np.ndarray, sampling_rate: int, r_peaks_s: Iterable[float], waves: Sequence[Wave]) -> None:
    """Add the waves of every beat to ``(lead, time)`` in mV."""
    time = np.arange(ecg.shape[1]) / sampling_rate
    for peak in r_peaks_s:
        for delay, width, amplitudes in waves:
            centre = peak + delay
            near = slice(*np.searchsorted(time, (centre - _REACH * width, centre + _REACH * width)))
            ecg[:, near] += np.outer(amplitudes, np.exp(-0.5 * ((time[near] - centre) / width) ** 2))


TAIL = 2.3  # how many SDs from its top a wave is said to begin and end
P_MS = 100.0
P_MV = (0.08, 0.14, 0.06, 0.06, 0.06, 0.06, 0.06, 0.06)  # in the order of EIGHT_LEADS, as below
QRS_MV = (
    (-0.28, 0.08, (-0.05, -0.08, 0.0, 0.0, 0.0, -0.05, -0.08, -0.08)),  # Q: centre and width in QRS durations
    (0.0, 0.105, (0.7, 1.1, 0.2, 0.4, 0.7, 1.4, 1.3, 1.1)),  # R
    (0.28, 0.095, (-0.1, -0.15, -0.8, -1.2, -0.7, -0.4, -0.2, -0.1)),  # S
)
T_MV = (0.2, 0.3, -0.05, 0.35, 0.4, 0.4, 0.35, 0.3)


@pytest.fixture(scope="session")
def ecg_of_known_intervals() -> Callable[..., np.ndarray]:
    """Make ``(8 leads, time)`` in mV of 10 s, in the order of EIGHT_LEADS; the first R-peak is at 0.4 s."""

    def make(
        heart_rate_bpm: float = 70.0,
        pr_ms: float = 160.0,
        qrs_ms: float = 96.0,
        qt_ms: float = 390.0,
        noise_mv: float = 0.005,
        sampling_rate: int = 500,
        seed: int = 0,
        p_mv: float = 1.0,
    ) -> np.ndarray:
        ecg = np.random.default_rng(seed).normal(0, noise_mv, (8, 10 * sampling_rate))
        rr = 60 / heart_rate_bpm
        onset = (QRS_MV[0][0] - TAIL * QRS_MV[0][1]) * qrs_ms / 1000
        t_width = 0.045 * np.sqrt(rr / 0.857)
        waves = [(onset + (P_MS / 2 - pr_ms) / 1000, P_MS / 2000 / TAIL, p_mv * np.array(P_MV))]
        waves += [(centre * qrs_ms / 1000, width * qrs_ms / 1000, np.array(mv)) for centre, width, mv in QRS_MV]
        waves += [(onset + qt_ms / 1000 - TAIL * t_width, t_width, np.array(T_MV))]
        add_waves(ecg, sampling_rate, np.arange(0.4, 11, rr), waves)
        return ecg

    return make


@pytest.fixture(scope="session")
def varied_ecgs() -> Callable[..., np.ndarray]:
    """Make ECGs that differ as patients do, ``(record, 8 leads, time)`` in mV: each a shape, a rate, a rhythm."""

    def make(num_records: int, seed: int = 0, noise_mv: float = 0.01, sampling_rate: int = 500) -> np.ndarray:
        records = np.zeros((num_records, 8, 10 * sampling_rate))
        for i in range(num_records):
            rng = np.random.default_rng((seed, i))  # a record does not depend on how many there are
            records[i] = rng.normal(0, noise_mv, records[i].shape)
            period = 60 / rng.uniform(55, 95)
            r_peaks = 0.4 + np.cumsum(period * rng.normal(1, 0.04, 20))
            waves = [
                (
                    centre + rng.normal(0, 0.006),
                    width * rng.uniform(0.8, 1.25),
                    np.array(mv) * rng.lognormal(0, 0.35, 8),
                )
                for centre, width, mv in ((-0.16, 0.022, P_MV), (0.0, 0.011, QRS_MV[1][2]), (0.03, 0.01, QRS_MV[2][2]))
            ]
            waves.append((0.27 * period**0.5 + rng.normal(0, 0.01), 0.045, np.array(T_MV) * rng.lognormal(0, 0.35, 8)))
            add_waves(records[i], sampling_rate, r_peaks[r_peaks < 9.8], waves)
        return records

    return make
