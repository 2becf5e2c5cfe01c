"""How large a set's ECGs are beside those of adults elsewhere: a unit or gain that is taken for another shows here.

A lead's range is the median, over windows of 2 s, of its highest minus its lowest value: each window holds a beat from
30 bpm on, and little baseline wander. An ECG's ranges are divided by the reference of their leads; the median of
these ratios is its amplitude, and the median over records that of a set.

Source of the figures: docs/results/measurements.md, "How large ECGs are".
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecggan.ecg import TWELVE_LEADS

# mV: the mean of the medians of PTB-XL, the Challenge 2021 (Georgia, PTB-XL, Chapman and Ningbo) and LUDB, of adults
_RANGES_MV = (0.91, 1.11, 0.87, 0.95, 0.70, 0.88, 1.19, 1.83, 1.87, 1.89, 1.74, 1.38)
REFERENCE_MV = dict(zip(TWELVE_LEADS, _RANGES_MV, strict=True))
YOUNGEST_YEARS = 18
# Of sets in a known unit it is 0.86 (20 records of Georgia) to 1.19 (20 of Chapman and Ningbo), of 145 with LVH 1.31.
FURTHEST = 1.6
# Single ECGs in a known unit lie between 0.33 and 3.2, so that three or fewer tell only of a larger error.
FEWEST_RECORDS, FURTHEST_OF_FEW = 4, 4.0
_WINDOW_S = 2.0


def times_adults(
    millivolts: np.ndarray, leads: Sequence[str], sampling_rate: int | float, age: int | float | None = None
) -> float | None:
    """An ECG's amplitude, as a multiple of the reference.

    Args:
        millivolts: ``(lead, time)``.
        leads: unknown ones do not count, nor those that hold NaN or do not move.
        sampling_rate: in Hz.
        age: in years; None or NaN if unknown.

    Returns:
        None if no lead counts, the ECG is shorter than 2 s, or it is of a child.
    """
    if age is not None and age < YOUNGEST_YEARS:
        return None
    size = max(1, round(_WINDOW_S * sampling_rate))
    which = [i for i, lead in enumerate(leads) if lead in REFERENCE_MV]
    count = millivolts.shape[1] // size
    if not (which and count):
        return None
    windows = millivolts[which, : count * size].reshape(len(which), count, size)
    with np.errstate(over="ignore", invalid="ignore"):  # infinite samples
        ranges = np.median(np.ptp(windows, axis=2), axis=1)
    ratios = ranges / [REFERENCE_MV[leads[i]] for i in which]
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    return float(np.median(ratios)) if len(ratios) else None


def median_amplitude(amplitudes: Sequence[float]) -> dict[str, Any]:
    """The amplitude of a set, of those of its records: ``{"times_adults": 1.02, "records": 378}``; None for none."""
    times = float(f"{np.median(amplitudes):.3g}") if len(amplitudes) else None
    return {"times_adults": times, "records": len(amplitudes)}


def amplitude_caution(name: str, found: Mapping[str, Any], remedy: str) -> str:
    """A sentence where a set's ECGs are far larger or smaller than those of adults; empty if they are not.

    Args:
        name: of the set.
        found: of [median_amplitude][].
        remedy: how another unit or gain is stated.
    """
    times, count = found["times_adults"], found["records"]
    furthest = FURTHEST if count >= FEWEST_RECORDS else FURTHEST_OF_FEW
    if times is None or abs(math.log(times)) <= math.log(furthest):
        return ""
    return (
        f"{name}: its ECGs are {_short(times)} times as large as those of adults elsewhere (median lead range of "
        f"{count:,} records; PTB-XL, Challenge 2021 and LUDB lie between 0.8 and 1.3), so that their unit or gain may "
        f"be wrong; times {_short(1 / times)} they would be alike. {remedy}"
    )


def _short(factor: float) -> str:
    return f"{factor:,.0f}" if factor >= 100 else f"{factor:.2g}"
