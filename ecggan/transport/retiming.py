"""Numbers back to an ECG: beats and waves to their new times, and what changed in their size added to each beat.

The record itself is kept: its time is stretched between landmarks, as little as the new ones ask, and the difference of
the registered beats is added at every beat. What makes beats differ from each other becomes smaller or larger by one
factor, the baseline's wander stays.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import map_coordinates

from ecggan.measurement.filters import without_baseline
from ecggan.transport.registered_beat import (
    GRID_MS,
    LEVEL_MS,
    NUM_BEFORE_R,
    STEP_MS,
    RegisteredECG,
    fade,
    to_own_time,
    to_usual_time,
    with_r_peak,
)

_CLOSEST_MS = 6.0  # between two landmarks
_CLOSEST_KNOTS_MS = 2.0
_SHORTEST_RR_MS = 400.0
_T_TO_P_MS = 16.0  # where T and the next P come nearer, the P onset goes where it will
_CUT_AT = 0.62  # of the RR interval: between T and the next P
_SEAM_MS = 40
_SEAM_FADE_MS = 500  # a step of the baseline at a seam is spread over so long
_PAST_END_MS = 1200
_FEWEST_TO_REPEAT = 4


@dataclass(frozen=True)
class NewTimes:
    """Where things are to be.

    Args:
        rr_ms: the mean RR interval.
        irregularity: factor of each RR interval's deviation from the mean.
        landmarks_ms: from the R-peak.
        unevenness: factor of each beat's deviation from the median beat.
    """

    rr_ms: float
    irregularity: float
    landmarks_ms: Float[np.ndarray, " landmark"]
    unevenness: float = 1.0


def retime(
    millivolts: Float[np.ndarray, "lead time"],
    ecg: RegisteredECG,
    new: NewTimes,
    change: Float[np.ndarray, "lead grid"],
) -> Float[np.ndarray, "lead time"]:
    """The record with its beats at new times and their waves changed; as long as before.

    A slower heart leaves the last beats beyond the end. For a faster one the record is continued by beats of its own.

    Args:
        millivolts: the record.
        ecg: what it was registered as.
        new: times.
        change: what is added to each beat, in mV on the usual beat's grid.
    """
    per_ms, time = ecg.sampling_rate / 1000, millivolts.shape[1]
    rr_ms = float(ecg.rr_ms.mean())
    ratio = new.rr_ms / rr_ms
    record = np.asarray(millivolts, dtype=np.float64)
    signal, r_peaks, which = record, ecg.r_peaks, np.arange(len(ecg.r_peaks))
    if ratio < 1:
        missing = time * (1 / ratio - 1) + _PAST_END_MS * per_ms
        signal, r_peaks, which = continued(signal, r_peaks, rr_ms, ecg.sampling_rate, int(missing))
    landmarks_ms = spaced(new.landmarks_ms)
    old_rr = np.diff(r_peaks) / per_ms
    new_rr = np.maximum(new.rr_ms * (1 + new.irregularity * (old_rr / rr_ms - 1)), _SHORTEST_RR_MS)
    old_r = r_peaks / per_ms
    new_r = old_r[0] * ratio + np.concatenate([[0], np.cumsum(new_rr)])
    knots = _knots(old_r, new_r, ecg.landmarks_ms, landmarks_ms, ratio)
    taken = np.interp(np.arange(time) / per_ms, knots[1], knots[0]) * per_ms
    out = np.stack([map_coordinates(lead, [taken], order=3, mode="reflect") for lead in signal])
    reach = GRID_MS[0] - landmarks_ms[0], GRID_MS[-1] - landmarks_ms[-1]
    deviations = (new.unevenness - 1) * _deviations(record, ecg)
    for peak, beat in zip(new_r, which, strict=True):
        first = max(int((peak + landmarks_ms[0] + min(reach[0], -200)) * per_ms), 0)
        end = min(int((peak + landmarks_ms[-1] + max(reach[1], 200)) * per_ms), time)
        if first < end:
            usual_ms = to_usual_time(np.arange(first, end) / per_ms - peak, landmarks_ms)
            out[:, first:end] += _at(change + deviations[beat], (usual_ms - GRID_MS[0]) / STEP_MS)
    return out


def _deviations(signal: Float[np.ndarray, "lead time"], ecg: RegisteredECG) -> Float[np.ndarray, "beat lead grid"]:
    """By how much each beat differs from the median beat, on the usual beat's grid; 0 where the record ends.

    Without the wander of the baseline, which would be no wander any more if it were made smaller at the beats alone.
    """
    per_ms, signal = ecg.sampling_rate / 1000, without_baseline(signal, ecg.sampling_rate)
    taken = ecg.r_peaks[:, None] + to_own_time(GRID_MS, ecg.landmarks_ms) * per_ms
    level_ms = ecg.landmarks_ms[NUM_BEFORE_R - 1] - LEVEL_MS * np.array([0.25, 0.5, 0.75])
    levels = _at(signal, ecg.r_peaks[:, None] + level_ms * per_ms).mean(axis=2, keepdims=True)
    is_inside = (taken >= 0) & (taken <= signal.shape[1] - 1)
    return (_at(signal, taken) - levels - ecg.waves[:, None]).swapaxes(0, 1) * is_inside[:, None] * fade()


def _at(
    signal: Float[np.ndarray, "lead time"], position: Float[np.ndarray, "*place"]
) -> Float[np.ndarray, "lead *place"]:
    """Values between samples, on straight lines; beyond the ends the outermost."""
    position = np.clip(position, 0, signal.shape[1] - 1)
    before = np.minimum(position.astype(int), signal.shape[1] - 2)
    share = position - before
    return signal[:, before] * (1 - share) + signal[:, before + 1] * share


def spaced(landmarks_ms: Float[np.ndarray, " landmark"]) -> Float[np.ndarray, " landmark"]:
    """The landmarks in their order and apart, moved away from the R-peak where they were not."""
    apart = with_r_peak(landmarks_ms)
    for i in range(NUM_BEFORE_R - 1, -1, -1):
        apart[i] = min(apart[i], apart[i + 1] - _CLOSEST_MS)
    for i in range(NUM_BEFORE_R + 1, len(apart)):
        apart[i] = max(apart[i], apart[i - 1] + _CLOSEST_MS)
    return np.delete(apart, NUM_BEFORE_R)


def continued(
    signal: Float[np.ndarray, "lead time"], r_peaks: np.ndarray, rr_ms: float, sampling_rate: int, num_more: int
) -> tuple[Float[np.ndarray, "lead longer"], Int[np.ndarray, " beat"], Int[np.ndarray, " beat"]]:
    """A record that goes on with its own beats, joined between T and P; the R-peaks in it; which beat each repeats.

    A record of so few whole beats that none can be repeated stays as it is.

    Args:
        signal: the record.
        r_peaks: in samples.
        rr_ms: mean RR interval.
        sampling_rate: in Hz.
        num_more: samples that it is to be longer by, at least.
    """
    after_r, seam = int(rr_ms * _CUT_AT * sampling_rate / 1000), _SEAM_MS * sampling_rate // 1000
    whole = r_peaks[r_peaks + after_r < signal.shape[1]]
    if len(whole) < _FEWEST_TO_REPEAT:
        return signal, r_peaks, np.arange(len(r_peaks))
    end, start = int(whole[-1]) + after_r, int(whole[1]) + after_r
    again = signal[:, start:end]
    fading = np.exp(-np.arange(end - start) * 1000 / sampling_rate / _SEAM_FADE_MS)
    longer, peaks, which = signal[:, :end], [whole], [np.arange(len(whole))]
    while longer.shape[1] < signal.shape[1] + num_more:
        step = longer[:, -seam:].mean(axis=1) - signal[:, start - seam : start].mean(axis=1)
        peaks.append(whole[2:] + longer.shape[1] - start)
        which.append(which[0][2:])
        longer = np.concatenate([longer, again + step[:, None] * fading], axis=1)
    return longer, np.concatenate(peaks), np.concatenate(which)


def _knots(
    old_r: np.ndarray, new_r: np.ndarray, old_landmarks: np.ndarray, new_landmarks: np.ndarray, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Times in the record and the new times that they come to, both rising."""
    old, new = [-np.inf], [-np.inf]
    for i in range(len(old_r)):
        pairs = list(zip(old_r[i] + with_r_peak(old_landmarks), new_r[i] + with_r_peak(new_landmarks), strict=True))
        before = max(i, 1)
        meets = any(
            landmarks[-1] - (r[before] - r[before - 1]) + _T_TO_P_MS > landmarks[0]
            for landmarks, r in ((old_landmarks, old_r), (new_landmarks, new_r))
        )
        for pair in pairs[1:] if meets else pairs:
            if pair[0] > old[-1] + _CLOSEST_KNOTS_MS and pair[1] > new[-1] + _CLOSEST_KNOTS_MS:
                old.append(pair[0])
                new.append(pair[1])
    old[0], new[0] = old[1] - 10_000, new[1] - 10_000 * ratio
    return np.array([*old, old[-1] + 10_000]), np.array([*new, new[-1] + 10_000 * ratio])
