"""neurokit2's own delineation, in the place of `delineation`: for comparison with figures that rest on it.

neurokit2 delineates each lead by itself, beat by beat (`ecg_clean`, then `ecg_delineate`). Its beats are ours, at each
lead's own peak. A boundary belongs to the R-peak that it follows or precedes **by time**: its lists may be shorter than
the beats are, shifted by one, or have gaps. An interval is that of a lead's beat; its median over the beats of the
median beat, then over the leads that have it in half of these beats or more. The boundaries on which amplitudes and
axes are measured are the same medians of the times from the R-peak.

The method ``peak`` has no QRS boundaries and no P offset: its Q and S peaks stand for the former, and P has an onset
and PR, but no duration, axis or amplitude. No wave is asked to repeat from beat to beat.
"""

import warnings
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from ecggan.measurement.beats import Beats
from ecggan.measurement.delineation import Boundaries, qrs_speed, share_at_rest

_OWN_PEAK_MS = 50  # a lead's own R-peak lies no further from the common one
# Where a boundary may lie, in ms after the lead's R-peak; between the R-peaks beside it too
_WINDOWS_MS: Mapping[str, tuple[int, int]] = {
    "p_onset": (-450, 0),
    "p_offset": (-450, 0),
    "qrs_onset": (-200, 0),
    "qrs_offset": (0, 200),
    "t_offset": (100, 700),
}
_KEYS = {
    "p_onset": "ECG_P_Onsets",
    "p_offset": "ECG_P_Offsets",
    "qrs_onset": "ECG_R_Onsets",
    "qrs_offset": "ECG_R_Offsets",
    "t_offset": "ECG_T_Offsets",
}
_KEYS_OF_PEAK = _KEYS | {"qrs_onset": "ECG_Q_Peaks", "qrs_offset": "ECG_S_Peaks"}
_FEWEST_BEATS = 2  # neurokit2 needs a rate
_LEAST_SHARE = 0.5  # of a lead's beats
_INTERVALS = {
    "p_duration_ms": ("p_onset", "p_offset"),
    "pr_interval_ms": ("p_onset", "qrs_onset"),
    "qrs_duration_ms": ("qrs_onset", "qrs_offset"),
    "qt_interval_ms": ("qrs_onset", "t_offset"),
}
_LACKING = {"pr_interval_ms": "P onset", "qrs_duration_ms": "QRS onset and offset", "qt_interval_ms": "T offset"}


def delineate_by_neurokit(
    millivolts: Float[np.ndarray, "lead time"], beats: Beats, method: str
) -> tuple[Boundaries, dict[str, float]]:
    """Find the boundaries of a record by neurokit2; none of its errors gets out.

    Args:
        millivolts: the leads that the beats were found in.
        beats: of the record.
        method: of `neurokit2.ecg_delineate`: dwt, cwt, peak or prominence.

    Returns:
        The boundaries on the median beat, and the intervals in ms by column, NaN where a boundary is missing.
    """
    leads = np.flatnonzero(~beats.is_noisy)
    if not len(leads) or not beats.is_used.any():
        return Boundaries(no_p="no beat", no_qrs="no beat", no_t="no beat"), dict.fromkeys(_INTERVALS, np.nan)
    found = np.stack([_of_lead(millivolts[lead], beats, method) for lead in leads])  # (lead, boundary, beat)
    at = dict(zip(_WINDOWS_MS, np.moveaxis(found, 1, 0), strict=True))
    ms = 1000 / beats.sampling_rate
    intervals = {}
    for column, (start, stop) in _INTERVALS.items():
        lasts = (at[stop] - at[start]) * ms
        intervals[column] = _median(np.where(lasts > 0, lasts, np.nan))
    edges = {name: beats.r_peak + _median(of_lead) for name, of_lead in at.items()}
    if not edges["p_offset"] > edges["p_onset"]:
        edges["p_offset"] = intervals["p_duration_ms"] = np.nan
    share = share_at_rest(qrs_speed(beats.millivolts[leads], beats), beats)
    no_p, no_qrs, no_t = (
        "" if np.isfinite(intervals[column]) else f"neurokit2 ({method}) gives no {what}"
        for column, what in _LACKING.items()
    )
    if no_qrs:
        nothing = dict.fromkeys(_INTERVALS, np.nan)
        return Boundaries(share_at_rest=share, no_p=no_qrs, no_qrs=no_qrs, no_t=no_qrs), nothing
    if no_p:
        edges["p_onset"] = edges["p_offset"] = intervals["p_duration_ms"] = np.nan
    if no_t:
        edges["t_offset"] = np.nan
    return Boundaries(**edges, share_at_rest=share, no_p=no_p, no_qrs=no_qrs, no_t=no_t), intervals


def _of_lead(millivolts: np.ndarray, beats: Beats, method: str) -> Float[np.ndarray, "boundary beat"]:
    """The boundaries of each beat of the median beat, in samples after its R-peak; NaN for one that is missing."""
    import neurokit2 as nk

    none = np.full((len(_WINDOWS_MS), beats.num_used), np.nan)
    if beats.num_found < _FEWEST_BEATS:
        return none
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of what the plausibility checks judge
        try:
            cleaned = nk.ecg_clean(millivolts, sampling_rate=beats.sampling_rate)
            peaks = _own_peaks(cleaned, beats.r_peaks, beats.sampling_rate)
            _, waves = nk.ecg_delineate(cleaned, peaks, sampling_rate=beats.sampling_rate, method=method)
        except (ArithmeticError, IndexError, KeyError, TypeError, ValueError):  # a lead without waves that it knows
            return none
    keys = _KEYS_OF_PEAK if method == "peak" else _KEYS
    rows = [
        _by_beat(np.asarray(waves.get(keys[name], ()), float), peaks, window, beats.sampling_rate)
        for name, window in _WINDOWS_MS.items()
    ]
    return (np.stack(rows) + peaks - beats.r_peaks)[:, beats.is_used]


def _own_peaks(cleaned: np.ndarray, r_peaks: np.ndarray, sampling_rate: int) -> Int[np.ndarray, " beat"]:
    reach = round(_OWN_PEAK_MS * sampling_rate / 1000)
    around = [(max(peak - reach, 0), peak + reach) for peak in r_peaks]
    return np.array([start + int(np.argmax(cleaned[start:stop])) for start, stop in around])


def _by_beat(
    positions: Float[np.ndarray, " boundary"],
    r_peaks: Int[np.ndarray, " beat"],
    window_ms: tuple[int, int],
    sampling_rate: int,
) -> Float[np.ndarray, " beat"]:
    """The boundary nearest to each R-peak in its window and between the R-peaks beside it, in samples after it."""
    low, high = (np.full(len(r_peaks), ms * sampling_rate / 1000) for ms in window_ms)
    if window_ms[0] < 0:
        low[1:] = np.maximum(low[1:], -np.diff(r_peaks))
    else:
        high[:-1] = np.minimum(high[:-1], np.diff(r_peaks))
    after = positions[None, :] - r_peaks[:, None]
    belongs = (after >= low[:, None]) & (after <= high[:, None])
    paired = np.full(len(r_peaks), np.nan)
    for beat in np.flatnonzero(belongs.any(axis=1)):
        of_beat = after[beat, belongs[beat]]
        paired[beat] = of_beat[np.abs(of_beat).argmin()]
    return paired


def _median(values: Float[np.ndarray, "lead beat"]) -> float:
    """Over the beats, then over the leads that have a value in at least half of them; NaN without such a lead."""
    counts = np.isfinite(values).mean(axis=1) >= _LEAST_SHARE
    return float(np.median(np.nanmedian(values[counts], axis=1))) if counts.any() else np.nan
