"""The ECG of a source that is nearest to another one: by the shape of its beat, and by a segment (a copy?)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import independent_leads, select_leads
from ecggan.evaluation.memorization.matching import COPY_CORRELATION, align_nearest, nearest_by_beat, nearest_by_segment
from ecggan.measurement.fingerprints import Fingerprints, fingerprints
from ecggan.page.in_process import opened

NUM_SEARCHED = 256  # the first of the source, from seed 0
SEED = 0


def nearest(source: str, millivolts: np.ndarray, leads: Sequence[str], sampling_rate: int | float) -> dict[str, Any]:
    """Search the first 256 ECGs of a source.

    Raises:
        ValueError: the ECG is too short, has no lead in common with the source, or has values that cannot be stored.
    """
    if not float(sampling_rate).is_integer():
        raise ValueError(f"its sampling rate, {sampling_rate:g} Hz, is no whole number: it cannot be compared")
    used = [lead for lead in independent_leads(leads) if lead in opened.describe(source)["leads"]]
    if not used:
        raise ValueError(f"{source} has none of its leads ({', '.join(leads)})")
    own = ECGSet.from_arrays(select_leads(millivolts, leads, used)[None], used, int(sampling_rate))
    shortest_s = min(own.num_samples / own.sampling_rate, opened.describe(source)["duration_s"])
    searched, index = _index(source, tuple(used), round(shortest_s, 3))
    print_of_own = fingerprints(own, used, num_workers=1, progress=False, duration_s=round(shortest_s, 3))
    by_beat, _ = nearest_by_beat(print_of_own, index)
    by_segment, _ = nearest_by_segment(print_of_own, index)
    if by_beat.position[0] < 0 or not by_beat.correlation[0] > 0:
        raise ValueError("no beat was found in it that could be compared")
    copies = align_nearest(own, searched, by_segment, used, num_workers=1)
    return {
        "source": source,
        "seed": SEED,
        "num_searched": len(searched),
        "leads": used,
        "index": int(by_beat.position[0]),
        "beat_correlation": float(by_beat.correlation[0]),
        "copy_index": int(copies["of_position"].iloc[0]) if len(copies) else None,
        "copy_correlation": float(copies["correlation"].iloc[0]) if len(copies) else None,
        "is_copy": bool(len(copies) and copies["is_copy"].iloc[0]),
        "copy_limit": COPY_CORRELATION,
    }


@lru_cache(maxsize=4)
def _index(source: str, leads: tuple[str, ...], shortest_s: float) -> tuple[ECGSet, Fingerprints]:
    searched = opened.records(source, SEED, NUM_SEARCHED)
    return searched, fingerprints(searched, leads, num_workers=1, progress=False, duration_s=shortest_s)
