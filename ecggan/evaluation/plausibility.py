"""Is this an ECG that could be measured, and if not, why: the gate before every comparison.

A delineator answers to anything: white noise gets nine "R-peaks" and a complete set of intervals. The limits here are
far outside what hearts do, so that they turn away what is no ECG and keep what is an abnormal one.
"""

from collections.abc import Mapping

import numpy as np

from ecggan.ecg import LARGEST_STORED_MV
from ecggan.evaluation.columns import display_name
from ecggan.evaluation.delineation import Delineation, leads_with_signal

SHORTEST_RECORD_S = 3
FEWEST_BEATS = 3
LEAST_COVERED = 0.6  # of the record, from the first beat to the last
LEAST_BEAT_CORRELATION = 0.7
LEAST_T_CORRELATION = 0.5  # after the QRS alone, where a pulse train has nothing but noise
# Inclusive limits; a missing PR is no fault (atrial fibrillation has none), a missing QRS or QT is.
LIMITS = {
    "heart_rate_bpm": (30.0, 220.0),
    "qrs_duration_ms": (50.0, 220.0),  # a step measures 40 to 48 ms through the delineator's 20 ms mean
    "pr_interval_ms": (60.0, 450.0),
    "qt_interval_ms": (180.0, 700.0),
}
_NEEDED = ("heart_rate_bpm", "qrs_duration_ms", "qt_interval_ms")
_BEAT_MS = (-250, 400)  # around the R-peak: P, QRS and T
_T_MS = (100, 400)
_LONGEST_HELD_MS = 8  # at the very top or bottom of a lead; an R wave at 500 Hz stays there for 1 or 2 samples
_SECONDS_A_CLIP = 2
_MOST_TIME_HELD = 0.2


def why_no_ecg(millivolts: np.ndarray, sampling_rate: int) -> str:
    """What is wrong with the signals ``(lead, time)`` themselves; empty when they are worth delineating."""
    if millivolts.shape[1] < SHORTEST_RECORD_S * sampling_rate:
        return f"shorter than {SHORTEST_RECORD_S} s"
    if not np.isfinite(millivolts).all():
        return "not finite"
    if np.abs(millivolts).max() > LARGEST_STORED_MV:
        return f"beyond {LARGEST_STORED_MV} mV; is it in mV?"
    alive = leads_with_signal(millivolts)
    if alive.mean() < 0.5:
        return "flat"
    return "clipped" if any(_is_clipped(lead, sampling_rate) for lead in millivolts[alive]) else ""


def why_not_plausible(row: Mapping[str, object], millivolts: np.ndarray, beats: Delineation, sampling_rate: int) -> str:
    """What speaks against the measurements in `row`; empty when nothing does.

    Args:
        row: measurements by their column.
        millivolts: the leads with signal, ``(lead, time)``, without baseline wander.
        beats: where they were measured.
        sampling_rate: in Hz.
    """
    if beats.num_beats < FEWEST_BEATS:
        return "too few beats"
    if np.ptp(beats.r_peaks) < LEAST_COVERED * millivolts.shape[1]:
        return "beats in a part of the record only"
    if not beat_correlation(millivolts, beats.r_peaks, sampling_rate) >= LEAST_BEAT_CORRELATION:
        return "beats unlike each other"
    if not beat_correlation(millivolts, beats.r_peaks, sampling_rate, _T_MS) >= LEAST_T_CORRELATION:
        return "no T wave that repeats"
    for column, (low, high) in LIMITS.items():
        value = float(row[column])  # type: ignore[arg-type]
        name, unit = display_name(column)
        if np.isnan(value) and column in _NEEDED:
            return f"no {name}"
        if value < low or value > high:
            return f"{name} outside {low:g} to {high:g} {unit}"
    return ""


def beat_correlation(
    millivolts: np.ndarray, r_peaks: np.ndarray, sampling_rate: int, window_ms: tuple[int, int] = _BEAT_MS
) -> float:
    """How alike the beats are: correlation of each with the median beat, all leads together; the median over beats.

    The median, because a few ectopic beats or one artefact are no reason to turn a record away. NaN with fewer than two
    whole beats.
    """
    start, stop = (ms * sampling_rate // 1000 for ms in window_ms)
    whole = [int(peak) for peak in r_peaks if peak + start >= 0 and peak + stop <= millivolts.shape[1]]
    if len(whole) < 2:
        return np.nan
    beats = np.stack([millivolts[:, peak + start : peak + stop] for peak in whole])
    beats = beats - beats.mean(axis=2, keepdims=True)
    median = np.median(beats, axis=0)
    products = (beats * median).sum(axis=(1, 2))
    norms = np.sqrt((beats**2).sum(axis=(1, 2)) * (median**2).sum())
    return float(np.median(products / np.maximum(norms, np.finfo(float).tiny)))


def _is_clipped(lead: np.ndarray, sampling_rate: int) -> bool:
    """Whether the lead stays at its very highest or lowest value again and again, or for a good part of the record.

    Once for a tenth of a second is no clipping: real records end in a constant where they were padded.
    """
    at_edge = (lead == lead.max()) | (lead == lead.min())
    changes = np.flatnonzero(np.diff(np.concatenate([[0], at_edge.view(np.int8), [0]])))
    held = changes[1::2] - changes[::2]
    held = held[held >= max(2, _LONGEST_HELD_MS * sampling_rate // 1000)]
    often = len(held) * _SECONDS_A_CLIP >= len(lead) / sampling_rate
    return bool(often or held.sum() > _MOST_TIME_HELD * len(lead))
