"""Zero-phase Butterworth filters: baseline removal and low-pass; and what must not reach them."""

from functools import lru_cache
from typing import Literal

import numpy as np
import scipy.signal
from jaxtyping import Float

_LEAD_OFF_S, _LEAST_STEP_MV = 0.3, 0.05


Kind = Literal["low", "high", "bandpass"]


def zero_phase(
    kind: Kind,
    edge_hz: float | tuple[float, float],
    signals: Float[np.ndarray, "... time"],
    sampling_rate: int,
    order: int = 2,
    padding: int | None = None,
) -> Float[np.ndarray, "... time"]:
    """A Butterworth filter, run forwards and backwards; bit for bit `scipy.signal.sosfiltfilt`.

    scipy computes the filter's state at rest anew in each call, which takes as long as filtering a median beat.

    Args:
        kind: what passes: ``low``, ``high`` or ``bandpass``.
        edge_hz: of the passed frequencies; both edges of a band.
        signals: along their last axis.
        sampling_rate: in Hz.
        order: of one run.
        padding: samples of odd extension at each end; None for scipy's number.

    Raises:
        ValueError: the signals are not longer than the padding.
    """
    sections, at_rest, usual = _butterworth(kind, edge_hz, sampling_rate, order)
    padding = usual if padding is None else padding
    if padding >= signals.shape[-1]:
        raise ValueError(f"a signal to filter must be longer than {padding} samples; got {signals.shape[-1]}")
    if padding:
        start = 2 * signals[..., :1] - signals[..., padding:0:-1]
        end = 2 * signals[..., -1:] - signals[..., -2 : -padding - 2 : -1]
        longer = np.concatenate([start, signals, end], axis=-1)
    else:
        longer = signals
    state = at_rest.reshape(len(sections), *[1] * (signals.ndim - 1), 2)
    there, _ = scipy.signal.sosfilt(sections, longer, zi=state * longer[..., :1])
    back, _ = scipy.signal.sosfilt(sections, there[..., ::-1], zi=state * there[..., -1:])
    return back[..., ::-1][..., padding : padding + signals.shape[-1]]


@lru_cache(maxsize=32)
def _butterworth(
    kind: Kind, edge_hz: float | tuple[float, float], sampling_rate: int, order: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Second-order sections, their state at rest, and how many samples scipy pads."""
    sections = scipy.signal.butter(order, edge_hz, kind, fs=sampling_rate, output="sos")
    num_taps = 2 * len(sections) + 1 - min(int((sections[:, i] == 0).sum()) for i in (2, 5))
    return sections, scipy.signal.sosfilt_zi(sections), 3 * num_taps


def without_baseline(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> Float[np.ndarray, "lead time"]:
    """The signals above 0.5 Hz, by a zero-phase high-pass filter.

    The recommendations allow up to 0.5 Hz for a zero-phase filter; amplitudes need all frequencies below 150 Hz
    (Kligfield et al. 2007, AHA/ACC/HRS recommendations for the standardization of the electrocardiogram, I).
    """
    return zero_phase("high", 0.5, millivolts, sampling_rate)


def bridge_lead_off(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> Float[np.ndarray, "lead time"]:
    """The signals with a line in the place of each stretch of 0.3 s or longer in which a lead does not move.

    A lead that is off holds a constant, and the steps at its ends would be taken for beats. At an end of the record the
    lead's nearest value is held. A stretch without a step stays: a quiet lead of few bits holds a value as long.
    """
    shortest = round(_LEAD_OFF_S * sampling_rate)
    bridged = millivolts
    grid = millivolts[:, :: max(shortest // 4, 1)]  # four of its points or more lie in such a stretch
    rests = grid[:, 1:] == grid[:, :-1]
    for lead in np.flatnonzero((rests[:, 2:] & rests[:, 1:-1] & rests[:, :-2]).any(axis=1)):
        signal = millivolts[lead]
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
    smooth = zero_phase("low", edge_hz, longer, sampling_rate, padding=0)
    return smooth[:, padding : padding + millivolts.shape[1]]
