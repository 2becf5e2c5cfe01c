"""R-peaks -> the heart rate and the RR intervals, of beats that follow one another."""

import numpy as np
from jaxtyping import Bool, Float, Int

_LONGER_THAN_USUAL = 1.6  # times the median RR interval
_LONGER_THAN_THE_REST = 1.5  # times the longest of the others
_MOST_GAPS = 0.25  # of the intervals


def rate(
    r_peaks: Int[np.ndarray, " beat"], is_alone: Bool[np.ndarray, " beat"], sampling_rate: int
) -> dict[str, float | int]:
    """Heart rate, mean and SD of the RR intervals without gaps, and the number of gaps.

    NaN if no two beats follow one another; SD of fewer than two intervals too. A beat at the edge of a gap that is
    similar to no other belongs to the gap: it may be the step with which a lead comes back.

    Args:
        r_peaks: in samples.
        is_alone: the beats that are similar to no other.
        sampling_rate: in Hz.
    """
    gaps = are_gaps(np.diff(r_peaks).astype(float))
    at_gap = np.append(gaps, False) | np.insert(gaps, 0, False)
    rr = np.diff(r_peaks[~(at_gap & is_alone)]) * 1000 / sampling_rate
    gaps = are_gaps(rr)
    rr = rr[~gaps]
    rr_mean = float(rr.mean()) if len(rr) else np.nan
    return {
        "heart_rate_bpm": 60_000 / rr_mean,
        "rr_mean_ms": rr_mean,
        "rr_sd_ms": float(rr.std(ddof=1)) if len(rr) > 1 else np.nan,
        "num_gaps": int(gaps.sum()),
    }


def are_gaps(rr: Float[np.ndarray, " interval"]) -> Bool[np.ndarray, " interval"]:
    """Which RR intervals are gaps: a pause, a beat that was not conducted or not found, or time with the leads off.

    A gap is an interval of at least 1.6 times the median and 1.5 times the longest that is none; at most a quarter of
    the intervals are. Fibrillation, whose intervals are spread evenly, has none, and in bigeminy the long intervals are
    too many.
    """
    order = np.sort(rr)
    most = int(_MOST_GAPS * len(rr))
    shortest = np.inf
    for number in range(1, most + 1):
        length, next_shorter = order[-number], order[-number - 1]
        if length >= _LONGER_THAN_USUAL * np.median(rr) and length >= _LONGER_THAN_THE_REST * next_shorter:
            shortest = length
    return rr >= shortest
