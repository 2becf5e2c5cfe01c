"""How many generated ECGs are copies of the real ones that are learned from or tested on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.memorization.matching import align_nearest, nearest_by_segment
from ecggan.evaluation.utility.labelled_sets import LabelledSet
from ecggan.measurement.fingerprints import MOST_INDEXED, Fingerprints, fingerprints
from ecggan.stats.proportions import Proportion, share_of
from ecggan.stats.resampling import evenly_spaced

MANY = 0.05  # a set with a larger share of copies is said to be copies, not new ECGs


@dataclass(frozen=True)
class Copies:
    """Of a generated set.

    Args:
        of_training: the share of its records that are copies of real training records.
        of_test: of real test records, as if it had been tested on what was trained on.
    """

    of_training: Proportion
    of_test: Proportion


def find_copies(
    generated: LabelledSet, training: LabelledSet, test: LabelledSet, leads: Sequence[str], num_workers: int | None
) -> Copies:
    """Search at most 5,000 evenly spaced generated records among all real ones.

    Records that no length or signal can be compared of count as none.
    """
    queries = [each.subset(evenly_spaced(len(each), MOST_INDEXED // len(generated.ecgs))) for each in generated.ecgs]
    durations = [each.num_samples / each.sampling_rate for each in (*queries, *training.ecgs, *test.ecgs) if len(each)]
    prints = [fingerprints(q, leads, num_workers, False, duration_s=min(durations)) for q in queries]
    shares = []
    for real in (training, test):
        (index,) = real.ecgs
        of_real = fingerprints(index, leads, num_workers, False, duration_s=min(durations))
        is_copy = [_is_copy(q, p, index, of_real, num_workers) for q, p in zip(queries, prints, strict=True)]
        shares.append(share_of(pd.Series(np.concatenate(is_copy)), None))
    return Copies(*shares)


def _is_copy(
    queries: ECGSet, prints: Fingerprints, index: ECGSet, of_index: Fingerprints, num_workers: int | None
) -> np.ndarray:
    found, _ = nearest_by_segment(prints, of_index)
    pairs = align_nearest(queries, index, found, prints.leads, num_workers)
    is_copy = np.zeros(len(queries), bool)
    is_copy[pairs.loc[pairs["is_copy"], "position"].to_numpy()] = True
    return is_copy
