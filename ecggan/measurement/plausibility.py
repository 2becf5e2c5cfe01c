"""Plausibility: is a record an ECG that can be measured, and if not, why?

A delineator returns boundaries for any signal: white noise gets nine R-peaks and a complete set of intervals. The
limits are far outside the range of hearts, so that they reject signals that are no ECGs and keep abnormal ECGs.
"""

from collections.abc import Mapping

import numpy as np

from ecggan.ecg import LARGEST_STORED_MV
from ecggan.measurement.beats import Beats
from ecggan.measurement.columns import display_name
from ecggan.measurement.delineation import Boundaries

SHORTEST_RECORD_S = 3
FEWEST_BEATS = 3
LEAST_COVERED = 0.6  # of the record, from the first beat to the last
LEAST_ALIKE_SHARE = 0.4  # of the beats found: in bigeminy it is half
MOST_ALONE_SHARE = 0.3  # of the beats found, similar to no other: ectopic beats are few, or similar to each other
LEAST_REPEATED = 0.7
LEAST_REST = 0.4  # of the cycle, slower than a tenth of the QRS; the least of 475 real ECGs is 0.58
# Inclusive limits. PR may be missing (in atrial fibrillation it is), QRS and QT may not.
LIMITS = {
    "heart_rate_bpm": (30.0, 220.0),
    "qrs_duration_ms": (50.0, 220.0),
    "pr_interval_ms": (60.0, 450.0),
    "qt_interval_ms": (180.0, 700.0),
}
_BEAT_MS = (-250, 400)  # around the R-peak: P, QRS and T
_SMALLEST_SIGNAL_MV = 0.02
_LONGEST_HELD_MS = 8  # at the very top or bottom of a lead; an R wave at 500 Hz stays there for 1 or 2 samples
_SECONDS_A_CLIP = 2
_MOST_TIME_HELD = 0.2
_AT_TOP, _NEAR_TOP, _PLATEAU_SHARE = 0.03, 0.1, 0.75  # of a lead's range; of 478 real ECGs none has such a plateau


def leads_with_signal(millivolts: np.ndarray) -> np.ndarray:
    """The leads ``(lead, time)`` with a signal: finite, and more than 20 µV from peak to peak."""
    if not millivolts.shape[1]:
        return np.zeros(len(millivolts), bool)
    finite = np.isfinite(millivolts).all(axis=1)
    return finite & (np.ptp(np.where(finite[:, None], millivolts, 0.0), axis=1) > _SMALLEST_SIGNAL_MV)


def why_no_ecg(millivolts: np.ndarray, sampling_rate: int) -> str:
    """Why the signals ``(lead, time)`` cannot be delineated; empty if they can."""
    if millivolts.shape[1] < SHORTEST_RECORD_S * sampling_rate:
        return f"shorter than {SHORTEST_RECORD_S} s"
    finite = np.isfinite(millivolts).all(axis=1)
    if finite.mean() < 0.5:
        return "not finite"
    if np.abs(millivolts[finite]).max() > LARGEST_STORED_MV:
        return f"beyond {LARGEST_STORED_MV} mV; is it in mV?"
    return "flat" if leads_with_signal(millivolts).mean() < 0.5 else ""


def why_not_plausible(row: Mapping[str, object], beats: Beats, found: Boundaries, num_samples: int) -> str:
    """Why the measurements in `row` are not plausible; empty if they are.

    Args:
        row: measurements by their column.
        beats: that they were measured on.
        found: the boundaries of its median beat.
        num_samples: of the record.
    """
    if beats.num_found < FEWEST_BEATS:
        return "too few beats"
    if np.ptp(beats.r_peaks) < LEAST_COVERED * num_samples:
        return "beats in a part of the record only"
    whole = beats.r_peak + np.array(_BEAT_MS) * beats.sampling_rate / 1000
    is_alike = beats.num_used >= max(FEWEST_BEATS - 1, LEAST_ALIKE_SHARE * beats.num_found)
    is_alike = is_alike and beats.is_alone.sum() <= MOST_ALONE_SHARE * beats.num_found
    if not (is_alike and beats.repeatability(*whole) >= LEAST_REPEATED):
        return "beats unlike each other"
    if found.no_qrs or found.no_t:
        return found.no_qrs or found.no_t
    if found.share_at_rest < LEAST_REST:
        return "never at rest between the beats"
    for column, (low, high) in LIMITS.items():
        value = float(row[column])  # type: ignore[arg-type]
        if value < low or value > high:
            name, unit = display_name(column)
            return f"{name} outside {low:g} to {high:g} {unit}"
    return ""


def is_clipped(lead: np.ndarray, sampling_rate: int) -> bool:
    """Whether the lead stays at its highest or lowest value repeatedly, or for a large part of the record.

    A single run of a tenth of a second is no clipping: padded records end in a constant. With noise, a clipped top is
    still a plateau: a clipped lead is at the top for most of the time that it is near the top, a wave with a rounded
    peak for about half of that time.
    """
    shortest = max(2, _LONGEST_HELD_MS * sampling_rate // 1000)
    often = len(lead) / sampling_rate / _SECONDS_A_CLIP
    at_ends = (lead == lead.max()) | (lead == lead.min())
    if at_ends.sum() >= min(often * shortest, _MOST_TIME_HELD * len(lead)):  # else there are too few for the runs
        held = _runs(at_ends, shortest)
        if len(held) >= often or held.sum() > _MOST_TIME_HELD * len(lead):
            return True
    for upright in (lead, -lead):
        below_top = (upright.max() - upright) / np.ptp(lead)
        at_top, near_top = below_top <= _AT_TOP, below_top <= _NEAR_TOP
        if at_top.sum() >= _PLATEAU_SHARE * near_top.sum() and len(_runs(at_top, shortest)) >= often:
            return True
    return False


def _runs(flags: np.ndarray, shortest: int) -> np.ndarray:
    """The lengths of the runs of true values, without those shorter than `shortest`."""
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flags.view(np.int8), [0]])))
    lengths = changes[1::2] - changes[::2]
    return lengths[lengths >= shortest]
