"""Whether generated ECGs are new, or copies of those that the generator learned from.

Near is no proof: generated ECGs may well be nearer to the training ECGs than those are to each other, for they are
typical. The only fair yardstick is real ECGs that the generator has not seen. So it is asked, from both sides,

- whether training ECGs are nearer to the generated ones than held-out ECGs are (`membership`: the area under the ROC
  curve of an attacker who tells by the distance to the generated set who was in the training; 0.5 is a guess), and
- whether generated ECGs are copies of training ECGs, and how often held-out ECGs would be called so (`copies`).

Both by the course of several seconds and by the median beat (see `fingerprints`). Copies within the set are looked for
alike: a generator that repeats itself.

Sources: the attack is that of Chen et al. 2020, GAN-Leaks (full black box, without calibration); DeLong et al. 1988 and
Obuchowski 1997 for the variance of an area with several records of a patient.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Float, Int

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.memorization.matching import (
    Nearest,
    align_nearest,
    nearest_by_beat,
    nearest_by_segment,
    nearest_within,
)
from ecggan.measurement.fingerprints import Fingerprints
from ecggan.stats.hypothesis_tests import FEWEST_PATIENTS, LEVEL
from ecggan.stats.proportions import Proportion, share_of
from ecggan.stats.resampling import effective_sample_size, evenly_spaced, patient_numbers, placements

SAME_BEAT = 0.998  # correlation; beside 7,000 ECGs, the nearest of 3,000 others has 0.9977 (docs/results.md)


@dataclass(frozen=True)
class Prints:
    """A set with its fingerprints, record by record."""

    ecgs: ECGSet
    prints: Fingerprints

    def patients(self) -> Int[np.ndarray, " record"]:
        """A number for the patient of each record."""
        return patient_numbers(self.ecgs.records.get("patient"), len(self.ecgs))

    def subset(self, positions: Int[np.ndarray, " position"]) -> "Prints":
        return Prints(self.ecgs.subset(positions), self.prints.subset(positions))


@dataclass(frozen=True)
class Area:
    """An area under the ROC curve, 0 to 1, with its 95 % interval and a one-sided p-value; NaN for too few patients.

    Args:
        value: how often a record of the first set has the higher figure than one of the second.
        low: of the interval.
        high: of the interval.
        p_value: of 0.5 or less.
    """

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Novelty:
    """What [assess_novelty][] found.

    Args:
        nearest: a row a generated record: `training` (position of the training record nearest by course) and its
            `correlation`; `beat_training`, `beat_correlation`; the same of the held-out records where there are any.
        held_out_nearest: a row a held-out record, its nearest training record, by the same columns.
        pairs: generated records laid over their nearest training records, see
            [align_nearest][ecggan.evaluation.memorization.matching.align_nearest].
        copies: the share of generated records that are copies of training records.
        same_beat: the share that has the median beat of a training record, by [SAME_BEAT][].
        copies_of_held_out: the share that are copies of held-out records, which the generator should not have seen.
        held_out_copies: the share of held-out records that are copies of training records, as of a record that is there
            twice. They are no part of the yardstick.
        held_out_same_beat: of held-out records, as `same_beat`.
        num_recognisable: the generated records that have a signal to be recognised by.
        num_held_out: the held-out records of the yardstick.
        membership: by course, of training against held-out records; None without held-out ones.
        beat_membership: likewise, by the median beat.
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

    @property
    def has_held_out(self) -> bool:
        """Whether there was a yardstick."""
        return self.held_out_copies is not None


@dataclass(frozen=True)
class Repeats:
    """What [assess_repeats][] found in a set.

    Args:
        share: of the records looked at that have a copy among them.
        correlations: of each with its nearest other, by course.
        pairs: those laid over each other.
        positions: of the records looked at, in the set; `pairs` counts in these.
    """

    share: Proportion
    correlations: Float[np.ndarray, " record"]
    pairs: pd.DataFrame
    positions: Int[np.ndarray, " record"]


def assess_novelty(
    generated: Prints, training: Prints, held_out: Prints | None, num_workers: int | None = None
) -> Novelty:
    """Compare generated ECGs with those that the generator learned from, by the yardstick of held-out ones.

    Args:
        generated: what is asked about.
        training: what the generator learned from.
        held_out: real ECGs of other patients, from the same source; None where there are none.
        num_workers: processes; None for one a core.
    """
    leads = training.prints.leads
    course, of_training = nearest_by_segment(generated.prints, training.prints)
    beat, beat_of_training = nearest_by_beat(generated.prints, training.prints)
    nearest = _table({"training": (course, beat)})
    pairs = align_nearest(generated.ecgs, training.ecgs, course, leads, num_workers)
    num_recognisable = int(generated.prints.segments[generated.prints.middle].any(axis=1).sum())
    found = (_share_of_copies(pairs, generated), _share_of_same_beat(beat, generated), num_recognisable)
    if held_out is None or not len(held_out.ecgs):
        return Novelty(nearest, None, pairs, *found, 0, None, None, None, None, None)
    held_course, of_held_out = nearest_by_segment(generated.prints, held_out.prints)
    held_beat, beat_of_held_out = nearest_by_beat(generated.prints, held_out.prints)
    nearest = nearest.join(_table({"held_out": (held_course, held_beat)}))
    copied = align_nearest(generated.ecgs, held_out.ecgs, held_course, leads, num_workers)
    yardstick, _ = nearest_by_segment(held_out.prints, training.prints)
    yardstick_beat, _ = nearest_by_beat(held_out.prints, training.prints)
    held_pairs = align_nearest(held_out.ecgs, training.ecgs, yardstick, leads, num_workers)
    is_fair = np.ones(len(held_out.ecgs), bool)
    is_fair[held_pairs.loc[held_pairs["is_copy"], "position"].to_numpy()] = False
    patients = training.patients(), held_out.patients()[is_fair]
    return Novelty(
        nearest,
        _table({"training": (yardstick, yardstick_beat)}),
        pairs,
        *found,
        int(is_fair.sum()),
        _share_of_copies(copied, generated),
        _share_of_copies(held_pairs, held_out),
        _share_of_same_beat(yardstick_beat, held_out),
        area_by_patient(of_training.correlation, of_held_out.correlation[is_fair], *patients),
        area_by_patient(beat_of_training.correlation, beat_of_held_out.correlation[is_fair], *patients),
    )


def assess_repeats(some: Prints, most_records: int, num_workers: int | None = None) -> Repeats:
    """Look for copies within a set, among so many of its records, spread evenly; those of one patient do not count.

    The more records, the more copies: compare sets by the same number.
    """
    positions = np.flatnonzero(some.prints.is_indexed)
    positions = positions[evenly_spaced(len(positions), most_records)]
    looked_at = some.subset(positions)
    found = nearest_within(looked_at.prints, looked_at.patients())
    pairs = align_nearest(looked_at.ecgs, looked_at.ecgs, found, some.prints.leads, num_workers)
    return Repeats(_share_of_copies(pairs, looked_at), found.correlation.astype(float), pairs, positions)


def area_by_patient(
    first: Float[np.ndarray, " n"],
    second: Float[np.ndarray, " m"],
    first_patients: Int[np.ndarray, " n"],
    second_patients: Int[np.ndarray, " m"],
) -> Area:
    """The area under the ROC curve of telling two sets apart by a figure that is higher in the first.

    The interval is normal, with the variance between patients. Its bounds stay within 0 and 1, and where all of one set
    lie above the other, it reaches as far down as the rule of three has it.

    Args:
        first: a figure a record.
        second: likewise.
        first_patients: whose records they are; no patient is in both sets.
        second_patients: likewise.
    """
    fewest = min(effective_sample_size(first_patients), effective_sample_size(second_patients))
    if fewest < FEWEST_PATIENTS:
        return Area(np.nan, np.nan, np.nan, np.nan)
    above, below = placements(first, second)
    value = float(above.mean())
    variance = _variance_by_patient(above, first_patients) + _variance_by_patient(below, second_patients)
    error = np.sqrt(variance)
    reach = scipy.stats.norm.isf(LEVEL / 2) * error
    reach = max(reach, 3 / fewest if value in (0.0, 1.0) else 0.0)
    p_value = float(scipy.stats.norm.sf((value - 0.5) / error)) if error > 0 else float(value <= 0.5)
    return Area(value, max(0.0, value - reach), min(1.0, value + reach), p_value)


def _variance_by_patient(placements: np.ndarray, patients: np.ndarray) -> float:
    of_patients = np.bincount(patients, weights=placements - placements.mean())
    count = len(np.unique(patients))
    return float(count / (count - 1) * (of_patients**2).sum() / len(placements) ** 2)


def _table(found: dict[str, tuple[Nearest, Nearest]]) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {}
    for name, (course, beat) in found.items():
        columns |= {name: course.position, f"correlation_{name}": course.correlation.astype(float)}
        columns |= {f"beat_{name}": beat.position, f"beat_correlation_{name}": beat.correlation.astype(float)}
    return pd.DataFrame(columns)


def _share_of_copies(pairs: pd.DataFrame, some: Prints) -> Proportion:
    is_copy = np.zeros(len(some.ecgs), bool)
    is_copy[pairs.loc[pairs["is_copy"], "position"].to_numpy()] = True
    return share_of(pd.Series(is_copy), some.ecgs.records.get("patient"))


def _share_of_same_beat(beat: Nearest, some: Prints) -> Proportion:
    return share_of(pd.Series(beat.correlation >= SAME_BEAT), some.ecgs.records.get("patient"))
