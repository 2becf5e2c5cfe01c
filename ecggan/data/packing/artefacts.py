"""Artefacts at any rate from 100 Hz on: constant leads, saturation, noise and baseline wander.

Every function takes ``(lead, time)`` in mV, finite, and a rate in Hz.
"""

import numpy as np

_RAIL_RUNS = 3  # one long run at the top is a slow wave or one artefact; saturation recurs in every beat
_RAIL_S, _RAIL_SAMPLES = 0.006, 3
_RAIL_STEP = 4  # steps of the recorder into or out of such a run; a rounded top has one
_NOISE_WINDOW_S = 0.1
_DRIFT_BLOCK_S = 0.2
_DRIFT_BLOCKS = 11  # a Hann window of 2.2 s: halves the amplitude at 0.5 Hz


def longest_constant(millivolts: np.ndarray, longer_than: int) -> tuple[int, int, int] | None:
    """Lead, first sample and one past the last of the longest run of one value above `longer_than` samples, or None."""
    # such a run holds two neighbours of this coarser grid, which rules out most leads
    stride = max(1, longer_than // 2)
    coarse = millivolts[:, ::stride]
    longest = None
    for lead in np.flatnonzero((coarse[:, 1:] == coarse[:, :-1]).any(axis=1)):
        edges = _run_edges(millivolts[lead])
        run = int(np.diff(edges).argmax())
        first, end = int(edges[run]), int(edges[run + 1])
        if end - first > max(longer_than, longest[2] - longest[1] if longest else 0):
            longest = int(lead), first, end
    return longest


def most_saturated(
    millivolts: np.ndarray, sampling_rate: int | float, more_than: int | float
) -> tuple[int, float, float] | None:
    """Lead, share of its samples at a rail, and the rail in mV, for the largest share above `more_than`, or None.

    Samples at a rail are those in runs of at least 6 ms and three samples at the lead's own highest or lowest value,
    entered or left by a jump, if there are at least three such runs. A clipped R wave at 100 Hz is too short for that.
    """
    worst = None
    for sign in (1, -1):
        rails = (sign * millivolts).max(axis=1, keepdims=True)
        at_rail = np.count_nonzero(sign * millivolts == rails, axis=1)
        for lead in np.flatnonzero(at_rail > more_than * millivolts.shape[1]):
            share = _share_at(millivolts[lead], sign * float(rails[lead, 0]), sampling_rate)
            if share > max(more_than, worst[1] if worst else 0.0):
                worst = int(lead), share, sign * float(rails[lead, 0])
    return worst


def noise_mv(millivolts: np.ndarray, sampling_rate: int | float) -> np.ndarray:
    """The RMS about 50 Hz of each lead in its median 0.1 s, which is between QRS complexes.

    A mirrored difference over 10 ms, twice: its gain is 1 at 50 Hz, 0.9 at 40 and 60 Hz, 0.01 at 10 Hz, and about
    a half for white noise.
    """
    lag = max(1, round(sampling_rate / 100))
    width = max(1, round(_NOISE_WINDOW_S * sampling_rate))
    if millivolts.shape[1] < 4 * lag + width:
        return np.zeros(len(millivolts))
    filtered = millivolts.astype(np.float32)
    for _ in range(2):
        filtered = 0.5 * filtered[:, lag:-lag] - 0.25 * (filtered[:, : -2 * lag] + filtered[:, 2 * lag :])
    windows = filtered[:, : filtered.shape[1] // width * width].reshape(len(filtered), -1, width)
    return np.sqrt(np.median(np.einsum("lwt,lwt->lw", windows, windows) / width, axis=1))


def wander_mv(millivolts: np.ndarray, sampling_rate: int | float) -> np.ndarray:
    """Peak to peak of each lead's baseline, the part below 0.5 Hz."""
    width = max(1, round(_DRIFT_BLOCK_S * sampling_rate))
    count = millivolts.shape[1] // width
    if count < _DRIFT_BLOCKS:
        return np.zeros(len(millivolts))
    blocks = millivolts[:, : count * width].reshape(len(millivolts), count, width).mean(axis=2)
    window = np.hanning(_DRIFT_BLOCKS + 2)[1:-1]
    weight = np.convolve(np.ones(count), window, "same")
    return np.array([np.ptp(np.convolve(lead, window, "same") / weight) for lead in blocks])


def _run_edges(signal: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.flatnonzero(signal[1:] != signal[:-1]) + 1, [signal.size]])


def _share_at(signal: np.ndarray, rail: float, sampling_rate: int | float) -> float:
    steps = np.abs(np.diff(signal))
    if not steps.any():
        return 0.0
    jump = (_RAIL_STEP - 0.5) * steps[steps > 0].min()
    edges = _run_edges(signal)
    first, end = edges[:-1], edges[1:]
    padded = np.concatenate([[0], steps, [0]])
    stuck = (signal[first] == rail) & (end - first >= max(_RAIL_SAMPLES, _RAIL_S * sampling_rate))
    stuck &= np.maximum(padded[first], padded[end]) >= jump
    if np.count_nonzero(stuck) < _RAIL_RUNS:
        return 0.0
    return float((end - first)[stuck].sum() / signal.size)
