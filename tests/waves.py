"""ECGs as sums of Gaussian waves, after McSharry et al. 2003 (ECGSYN)."""

from collections.abc import Iterable, Sequence

import numpy as np

Wave = tuple[float, float, Sequence[float] | np.ndarray]
"""Time from the R-peak and width (standard deviation) in s, and the amplitude in mV in each lead."""


def add_waves(ecg: np.ndarray, sampling_rate: int, r_peaks_s: Iterable[float], waves: Sequence[Wave]) -> None:
    """Add the waves of every beat to ``(lead, time)`` in mV."""
    time = np.arange(ecg.shape[1]) / sampling_rate
    for peak in r_peaks_s:
        for delay, width, amplitudes in waves:
            ecg += np.outer(amplitudes, np.exp(-0.5 * ((time - peak - delay) / width) ** 2))
