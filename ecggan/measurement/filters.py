"""Zero-phase Butterworth filters: baseline removal and low-pass."""

from functools import lru_cache
from typing import Literal

import numpy as np
import scipy.signal
from jaxtyping import Float


@lru_cache(maxsize=32)
def butterworth(
    kind: Literal["low", "high", "bandpass"], edge_hz: float | tuple[float, float], sampling_rate: int
) -> np.ndarray:
    """A filter of second order, as second-order sections."""
    return scipy.signal.butter(2, edge_hz, kind, fs=sampling_rate, output="sos")


def without_baseline(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> Float[np.ndarray, "lead time"]:
    """The signals above 0.5 Hz, by a zero-phase high-pass filter.

    The recommendations allow up to 0.5 Hz for a zero-phase filter; amplitudes need all frequencies below 150 Hz
    (Kligfield et al. 2007, AHA/ACC/HRS recommendations for the standardization of the electrocardiogram, I).
    """
    return scipy.signal.sosfiltfilt(butterworth("high", 0.5, sampling_rate), millivolts, axis=1)


def below(edge_hz: float, millivolts: np.ndarray, sampling_rate: int) -> np.ndarray:
    """``(lead, time)`` below a frequency, by a zero-phase low-pass filter.

    A part of a beat is padded by odd extension at its start and by reflection at its end: a wave that begins before the
    start still rises there, and the complex after the end does not leak in.
    """
    padding = min(3 * int(sampling_rate / edge_hz), millivolts.shape[1] - 1)
    before = 2 * millivolts[:, :1] - millivolts[:, padding:0:-1]
    after = millivolts[:, -2 : -padding - 2 : -1]
    longer = np.concatenate([before, millivolts, after], axis=1)
    smooth = scipy.signal.sosfiltfilt(butterworth("low", edge_hz, sampling_rate), longer, axis=1, padlen=0)
    return smooth[:, padding : padding + millivolts.shape[1]]
