"""Zero-phase Butterworth filters: baseline removal and low-pass; and what must not reach them."""

from functools import lru_cache
from typing import Literal

import numpy as np
import scipy.signal
from jaxtyping import Float

_LEAD_OFF_S, _LEAST_STEP_MV = 0.3, 0.05


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


def bridge_lead_off(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> Float[np.ndarray, "lead time"]:
    """The signals with a line in the place of each stretch of 0.3 s or longer in which a lead does not move.

    A lead that is off holds a constant, and the steps at its ends would be taken for beats. At an end of the record the
    lead's nearest value is held. A stretch without a step stays: a quiet lead of few bits holds a value as long.
    """
    shortest = round(_LEAD_OFF_S * sampling_rate)
    bridged = millivolts
    for lead, signal in enumerate(millivolts):
        changes = np.concatenate([[-1], np.flatnonzero(np.diff(signal)), [len(signal) - 1]])
        stretches = np.flatnonzero(np.diff(changes) >= shortest)
        if len(stretches) and len(changes) > 2:  # a lead that never moves has no signal
            moves = np.ones(len(signal), bool)
            for start, stop in zip(changes[stretches] + 1, changes[stretches + 1] + 1, strict=True):
                outside = signal[[max(start - 1, 0), min(stop, len(signal) - 1)]]
                moves[start:stop] = np.abs(outside - signal[start]).max() < _LEAST_STEP_MV
            at = np.flatnonzero(moves)
            bridged = bridged.copy() if bridged is millivolts else bridged
            bridged[lead] = np.interp(np.arange(len(signal)), at, signal[at])
    return bridged


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
