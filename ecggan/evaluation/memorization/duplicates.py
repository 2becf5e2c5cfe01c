"""Duplicates within a set: does a generator repeat itself?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ecggan.evaluation.memorization.fingerprinted_set import FingerprintedSet
from ecggan.evaluation.memorization.matching import align_nearest, nearest_within
from ecggan.stats.proportions import Proportion, share_of
from ecggan.stats.resampling import evenly_spaced


@dataclass(frozen=True)
class Repeats:
    """What [assess_repeats][] found in a set.

    Args:
        share: of the searched records that have a copy among them.
        correlations: of each with its nearest other, by segment.
        pairs: the nearest ones, aligned.
        positions: of the searched records in the set; `pairs` counts in these.
    """

    share: Proportion
    correlations: Float[np.ndarray, " record"]
    pairs: pd.DataFrame
    positions: Int[np.ndarray, " record"]


def assess_repeats(some: FingerprintedSet, most_records: int, num_workers: int | None = None) -> Repeats:
    """Search for copies among at most `most_records` evenly spaced records; two records of one patient do not count.

    The more records, the more copies: compare sets at the same number.
    """
    positions = np.flatnonzero(some.fingerprints.is_indexed)
    positions = positions[evenly_spaced(len(positions), most_records)]
    searched = some.subset(positions)
    found = nearest_within(searched.fingerprints, searched.patients())
    pairs = align_nearest(searched.ecgs, searched.ecgs, found, some.fingerprints.leads, num_workers)
    return Repeats(share_of_copies(pairs, searched), found.correlation.astype(float), pairs, positions)


def share_of_copies(pairs: pd.DataFrame, some: FingerprintedSet) -> Proportion:
    is_copy = np.zeros(len(some.ecgs), bool)
    is_copy[pairs.loc[pairs["is_copy"], "position"].to_numpy()] = True
    return share_of(pd.Series(is_copy), some.ecgs.records.get("patient"))
