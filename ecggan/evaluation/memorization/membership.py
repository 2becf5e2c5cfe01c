"""Copies of training ECGs among generated ones, and a membership inference attack.

A small distance alone proves nothing: generated ECGs may be nearer to the training ECGs than those are to each other,
because they are typical. The fair baseline is held-out real ECGs, which the generator has not seen. Two questions:

- Are training ECGs nearer to the generated ones than held-out ECGs are? `membership` is the area under the ROC curve of
  an attacker who infers from the distance to the generated set which ECGs were in the training; 0.5 is a guess.
- Are generated ECGs copies of training ECGs, and how often do held-out ECGs count as copies (`copies`)?

Both by a segment of several seconds and by the median beat (see `measurement.fingerprints`).

Source: Chen et al. 2020, GAN-Leaks (full black box, without calibration).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecggan.evaluation.memorization.duplicates import share_of_copies
from ecggan.evaluation.memorization.fingerprinted_set import FingerprintedSet
from ecggan.evaluation.memorization.matching import (
    Nearest,
    align_nearest,
    nearest_by_beat,
    nearest_by_segment,
)
from ecggan.evaluation.memorization.roc_area import Area, area_by_patient
from ecggan.stats.proportions import Proportion, share_of

# correlation; beside 7,000 ECGs, the nearest of 3,000 others has 0.9977 (docs/results/published_generator.md)
SAME_BEAT = 0.998


@dataclass(frozen=True)
class Novelty:
    """What [assess_novelty][] found.

    Args:
        nearest: a row a generated record: `training` (position of the training record nearest by segment) and its
            `correlation`; `beat_training`, `beat_correlation`; the same of the held-out records where there are any.
        held_out_nearest: a row a held-out record, its nearest training record, by the same columns.
        pairs: generated records aligned with their nearest training records, see
            [align_nearest][ecggan.evaluation.memorization.matching.align_nearest].
        copies: the share of generated records that are copies of training records.
        same_beat: the share that has the median beat of a training record, by [SAME_BEAT][].
        copies_of_held_out: the share that are copies of held-out records, which the generator should not have seen.
        held_out_copies: the share of held-out records that are copies of training records (a record stored twice).
            They are excluded from the baseline.
        held_out_same_beat: of held-out records, as `same_beat`.
        num_recognisable: the generated records that have a signal.
        num_held_out: the held-out records of the baseline.
        membership: by segment, of training against held-out records; None without held-out ones.
        beat_membership: the same by the median beat.
    """

    nearest: pd.DataFrame
    held_out_nearest: pd.DataFrame | None
    pairs: pd.DataFrame
    copies: Proportion
    same_beat: Proportion
    num_recognisable: int
    num_held_out: int
    copies_of_held_out: Proportion | None
    held_out_copies: Proportion | None
    held_out_same_beat: Proportion | None
    membership: Area | None
    beat_membership: Area | None


def assess_novelty(
    generated: FingerprintedSet,
    training: FingerprintedSet,
    held_out: FingerprintedSet | None,
    num_workers: int | None = None,
) -> Novelty:
    """Compare generated ECGs with the training ECGs, and with held-out ones as the baseline.

    Args:
        generated: the set to assess.
        training: the ECGs that the generator learned from.
        held_out: real ECGs of other patients, from the same source; None where there are none.
        num_workers: processes; None for one a core.
    """
    leads = training.fingerprints.leads
    segment, of_training = nearest_by_segment(generated.fingerprints, training.fingerprints)
    beat, beat_of_training = nearest_by_beat(generated.fingerprints, training.fingerprints)
    nearest = _table({"training": (segment, beat)})
    pairs = align_nearest(generated.ecgs, training.ecgs, segment, leads, num_workers)
    num_recognisable = int(generated.fingerprints.segments[generated.fingerprints.middle].any(axis=1).sum())
    found = (share_of_copies(pairs, generated), _share_of_same_beat(beat, generated), num_recognisable)
    if held_out is None or not len(held_out.ecgs):
        return Novelty(nearest, None, pairs, *found, 0, None, None, None, None, None)
    held_segment, of_held_out = nearest_by_segment(generated.fingerprints, held_out.fingerprints)
    held_beat, beat_of_held_out = nearest_by_beat(generated.fingerprints, held_out.fingerprints)
    nearest = nearest.join(_table({"held_out": (held_segment, held_beat)}))
    copied = align_nearest(generated.ecgs, held_out.ecgs, held_segment, leads, num_workers)
    baseline, _ = nearest_by_segment(held_out.fingerprints, training.fingerprints)
    baseline_beat, _ = nearest_by_beat(held_out.fingerprints, training.fingerprints)
    held_pairs = align_nearest(held_out.ecgs, training.ecgs, baseline, leads, num_workers)
    is_fair = np.ones(len(held_out.ecgs), bool)
    is_fair[held_pairs.loc[held_pairs["is_copy"], "position"].to_numpy()] = False
    patients = training.patients(), held_out.patients()[is_fair]
    return Novelty(
        nearest,
        _table({"training": (baseline, baseline_beat)}),
        pairs,
        *found,
        int(is_fair.sum()),
        share_of_copies(copied, generated),
        share_of_copies(held_pairs, held_out),
        _share_of_same_beat(baseline_beat, held_out),
        area_by_patient(of_training.correlation, of_held_out.correlation[is_fair], *patients),
        area_by_patient(beat_of_training.correlation, beat_of_held_out.correlation[is_fair], *patients),
    )


def _table(found: dict[str, tuple[Nearest, Nearest]]) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {}
    for name, (segment, beat) in found.items():
        columns |= {name: segment.position, f"correlation_{name}": segment.correlation.astype(float)}
        columns |= {f"beat_{name}": beat.position, f"beat_correlation_{name}": beat.correlation.astype(float)}
    return pd.DataFrame(columns)


def _share_of_same_beat(beat: Nearest, some: FingerprintedSet) -> Proportion:
    return share_of(pd.Series(beat.correlation >= SAME_BEAT), some.ecgs.records.get("patient"))
