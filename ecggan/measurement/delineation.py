"""Delineation: the median beat -> onset and offset of its P wave and QRS complex, and T offset.

Each boundary is found on all leads jointly. Their speed is the root of the sum of their squared slopes, the spatial
velocity of vectorcardiography, and a wave ends where the speed has fallen to a given share of the wave's top speed. So
the earliest and latest deflections of any lead count if they stand out, but no single lead decides, as it does with the
earliest onset and the latest offset of single-lead delineations.

The constants below were chosen on one half of the Lobachevsky database's records in sinus rhythm, against the median
over leads of its cardiologists' boundaries, and confirmed on the other half (`python -m ecggan.evaluation.validation`,
docs/results/measurements.md).
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.ndimage
import scipy.signal
import scipy.special
from jaxtyping import Float

from ecggan.measurement.beats import Beats
from ecggan.measurement.filters import below

_QRS_BELOW_HZ, _T_BELOW_HZ, _P_BELOW_HZ = 40.0, 10.0, 20.0
EDGES = {"P onset": 0.4, "P offset": 0.5, "QRS onset and offset": 0.032, "T offset": 0.15}  # of the wave's top speed
_P_ONSET_SIZE, _P_OFFSET_SIZE = 0.5, 0.7  # of its top: a P wave with two humps does not end between them
_QUIET_MS = 16  # the least time at rest, so that a notch does not end the wave
_T_QUIET_MS = 10
_QRS_REACH_MS = 200
_MAINS_MS = 20  # rest lasts a cycle of the mains, or the turning points of hum would count as rest
_RESTING_PERCENT = 5  # of the time from 200 ms before to 400 ms after the R-peak is slower, at every heart rate
_QRS_TOP_MS = 50  # on each side of the R-peak
_AFTER_QRS_MS = 40
_LONGEST_QTC_MS = 500  # by Bazett; limits the T peak, so that the T offset may be later
_T_TAIL_MS = 80  # the T offset is at most this later than the latest top speed
_BEFORE_NEXT_R_MS = (180, 120)  # the T wave's top speed and offset are at least this before the next R-peak
_NEXT_P_MS = 300  # before the next R-peak, its P wave may have begun
_EARLIEST_P_MS = 400
_SHORTEST_P_WINDOW_MS = 120 + _QUIET_MS  # the shortest normal PR and the rest before it
_P_REACH_MS = 90
_PQ_MS = 16  # the level at each end of the P window is a median over this
LEAST_REPEATABILITY = 0.5


@dataclass(frozen=True)
class Boundaries:
    """Boundaries of the median beat in (fractional) samples; NaN and a reason if a wave is missing.

    Args:
        p_onset: of the P wave; the other boundaries are named alike.
        share_at_rest: of a cycle, the share in which the leads are slower than a tenth of the QRS complex.
        no_p: why there is no P wave; empty if there is one.
        no_qrs: why there is no QRS complex; then there is no P or T wave either.
        no_t: why there is no T wave.
    """

    p_onset: float = np.nan
    p_offset: float = np.nan
    qrs_onset: float = np.nan
    qrs_offset: float = np.nan
    t_offset: float = np.nan
    share_at_rest: float = np.nan
    no_p: str = ""
    no_qrs: str = ""
    no_t: str = ""


def delineate(beats: Beats) -> Boundaries:
    """Find the boundaries of a record's median beat; a missing wave has a reason instead."""
    leads = beats.millivolts[~beats.is_noisy]
    if not leads.size:
        return Boundaries(no_p="no beat", no_qrs="no beat", no_t="no beat")
    found = _qrs(leads, beats)
    if found.no_qrs:
        return replace(found, no_p=found.no_qrs, no_t=found.no_qrs)
    found = _t(leads, found, beats)
    return _p(leads, found, beats)


def _qrs(leads: np.ndarray, beats: Beats) -> Boundaries:
    r_peak, per_ms = beats.r_peak, beats.sampling_rate / 1000
    speed = qrs_speed(leads, beats)
    reach, near, quiet = (round(ms * per_ms) for ms in (_QRS_REACH_MS, _QRS_TOP_MS, _QUIET_MS))
    tops = scipy.ndimage.maximum_filter1d(speed[r_peak - reach : r_peak + 2 * reach], round(_MAINS_MS * per_ms))
    rest = np.percentile(tops, _RESTING_PERCENT)
    top = speed[r_peak - near : r_peak + near].max()
    if not top > rest:
        return Boundaries(no_qrs="no QRS complex stands out")
    before, after = speed[r_peak - reach : r_peak + 1][::-1] - rest, speed[r_peak : r_peak + reach + 1] - rest
    edge = EDGES["QRS onset and offset"] * (top - rest)
    onset, offset = (_rest_beyond(side, edge, quiet) for side in (before, after))
    onset, offset = r_peak - onset, r_peak + offset
    if np.isnan(onset) or np.isnan(offset):
        return Boundaries(no_qrs=f"the QRS complex has no clear {'onset' if np.isnan(onset) else 'offset'}")
    return Boundaries(qrs_onset=onset, qrs_offset=offset, share_at_rest=share_at_rest(speed, beats))


def qrs_speed(leads: Float[np.ndarray, "lead time"], beats: Beats) -> Float[np.ndarray, " time"]:
    """The joint speed of a median beat's leads, in which the QRS complex is looked for."""
    return _speed(below(_QRS_BELOW_HZ, leads, beats.sampling_rate))


def share_at_rest(speed: Float[np.ndarray, " time"], beats: Beats) -> float:
    """Of a cycle of the median beat, the share in which it is slower than a tenth of the QRS complex."""
    rr = int(_usual_rr(beats))
    start = max(beats.r_peak - 2 * rr // 5, 0)
    cycle = speed[start : start + rr]
    return float(np.mean(cycle < 0.1 * cycle.max()))


def _t(leads: np.ndarray, found: Boundaries, beats: Beats) -> Boundaries:
    per_ms = beats.sampling_rate / 1000
    rr = _usual_rr(beats)
    start = round(found.qrs_offset + _AFTER_QRS_MS * per_ms)
    latest_qt = _LONGEST_QTC_MS * np.sqrt(rr / beats.sampling_rate) * per_ms
    before_next = [beats.r_peak + rr - ms * per_ms for ms in _BEFORE_NEXT_R_MS]
    stop = int(min(found.qrs_onset + latest_qt, before_next[0], leads.shape[1]))
    end = int(min(stop + _T_TAIL_MS * per_ms, before_next[1], leads.shape[1]))
    if stop - start < _AFTER_QRS_MS * per_ms:
        return replace(found, no_t="no room for a T wave before the next beat")
    smooth = below(_T_BELOW_HZ, leads, beats.sampling_rate)
    speed = _speed(smooth)
    peak = start + int(np.argmax(_above_chord(smooth[:, start:stop], 1)))
    steepest = peak + int(np.argmax(speed[peak:stop]))
    rest = np.percentile(speed[start:end], 5)
    activity = (speed[steepest:end] - rest) / max(EDGES["T offset"] * (speed[steepest] - rest), np.finfo(float).tiny)
    offset = steepest + _rest_after(activity, max(round(_T_QUIET_MS * per_ms), 1))
    if not offset <= beats.r_peak + rr - _NEXT_P_MS * per_ms:  # the next P wave may have begun: extrapolate the flank
        offset = np.nanmin([offset, steepest + _extrapolated(activity, EDGES["T offset"]), end])
    if not beats.repeatability(start, offset) >= LEAST_REPEATABILITY:
        return replace(found, no_t="no T wave that repeats from beat to beat")
    return replace(found, t_offset=float(offset))


def _p(leads: np.ndarray, found: Boundaries, beats: Beats) -> Boundaries:
    per_ms = beats.sampling_rate / 1000
    last_t = found.t_offset - _usual_rr(beats, 25) if np.isfinite(found.t_offset) else 0.0
    start = int(max(beats.r_peak - _EARLIEST_P_MS * per_ms, last_t, 0))
    stop = int(found.qrs_onset)
    if stop - start < _SHORTEST_P_WINDOW_MS * per_ms:
        return replace(found, no_p="no room for a P wave after the last T wave")
    smooth = below(_P_BELOW_HZ, leads[:, start:stop], beats.sampling_rate)  # cut first, or the QRS would leak in
    speed, size = _speed(smooth), _above_chord(smooth, round(_PQ_MS * per_ms))
    peaks, properties = scipy.signal.find_peaks(size, prominence=0)
    if not len(peaks):
        return replace(found, no_p="no P wave")
    reach, quiet = round(_P_REACH_MS * per_ms), round(_QUIET_MS * per_ms)
    peak = int(peaks[np.argmax(properties["prominences"])])
    first = max(peak - reach, 0)
    rise, fall = first + int(np.argmax(speed[first : peak + 1])), peak + int(np.argmax(speed[peak : peak + reach]))
    slowest, smallest = np.percentile(speed, 10), np.percentile(size, 10)

    def activity(steepest: int, edge: float, share_of_size: float) -> np.ndarray:
        by_speed = (speed - slowest) / max(edge * (speed[steepest] - slowest), np.finfo(float).tiny)
        return np.maximum(by_speed, (size - smallest) / (share_of_size * (size[peak] - smallest)))

    before = activity(rise, EDGES["P onset"], _P_ONSET_SIZE)[max(rise - reach, 0) : rise + 1][::-1]
    after = activity(fall, EDGES["P offset"], _P_OFFSET_SIZE)[fall : fall + reach]
    onset, offset = rise - _rest_after(before, quiet), fall + _rest_after(after, quiet)
    if np.isnan(onset):
        onset = rise - _extrapolated(before, EDGES["P onset"])
    if np.isnan(onset):
        return replace(found, no_p="the P wave has no clear onset")
    if np.isnan(offset):
        offset = fall + _extrapolated(after, EDGES["P offset"])
    if np.isnan(offset):
        offset = fall + float(np.argmin(after))  # it merges with the QRS complex: the slowest moment between them
    onset, offset = start + onset, start + offset
    if not beats.repeatability(onset, offset) >= LEAST_REPEATABILITY:
        return replace(found, no_p="no P wave that repeats from beat to beat")
    return replace(found, p_onset=float(onset), p_offset=float(offset))


def _usual_rr(beats: Beats, percentile: int = 50) -> float:
    """The RR interval before the beats used, in samples; 2 s if there is none, too long to limit anything."""
    before = np.diff(beats.r_peaks)[beats.is_used[1:]]
    return float(np.percentile(before, percentile)) if len(before) else 2.0 * beats.sampling_rate


def _speed(leads: np.ndarray) -> np.ndarray:
    return np.sqrt((np.gradient(leads, axis=1) ** 2).sum(axis=0))


def _above_chord(leads: np.ndarray, level: int) -> np.ndarray:
    """The RMS distance of the leads from the line between their levels at both ends of the window."""
    first, last = (np.median(end, axis=1, keepdims=True) for end in (leads[:, :level], leads[:, -level:]))
    along = np.linspace(0, 1, leads.shape[1])
    return np.sqrt(((leads - first * (1 - along) - last * along) ** 2).mean(axis=0))


def _extrapolated(activity: np.ndarray, edge: float) -> float:
    """Where the flank of a wave that merges with the next would reach the edge if the wave were a Gaussian.

    The slope of a Gaussian is u exp(-u² / 2), with u the distance from its top in SDs, and is largest at u = 1. The
    visible part of the flank gives the time in which it falls to one half.
    """
    half = _rest_after(activity * 2 * edge, 1)
    return half * (_gaussian_tail(edge) - 1) / (_gaussian_tail(0.5) - 1)


def _gaussian_tail(share: float) -> float:
    """The distance from a Gaussian's top, in SDs, at which its slope has fallen to a share of its largest."""
    return float(np.sqrt(-scipy.special.lambertw(-(share**2) / np.e, -1).real))


def _rest_beyond(speed: np.ndarray, edge: float, quiet: int) -> float:
    """Where a QRS comes to rest: at the edge, or at two or four times the edge if the ST segment is never slower."""
    rests = (_rest_after(speed / (edge * times), quiet) for times in (1, 2, 4))
    return next((rest for rest in rests if np.isfinite(rest)), np.nan)


def _rest_after(activity: np.ndarray, quiet: int) -> float:
    """Where the first run of `quiet` values below 1 begins, interpolated between samples; NaN without one."""
    runs = np.convolve(activity < 1, np.ones(quiet, int), mode="valid") if len(activity) >= quiet else np.empty(0)
    starts = np.flatnonzero(runs == quiet)
    if not len(starts):
        return np.nan
    first = int(starts[0])
    if first == 0:
        return 0.0
    high, low = activity[first - 1], activity[first]
    return first - 1 + float((high - 1) / (high - low))
