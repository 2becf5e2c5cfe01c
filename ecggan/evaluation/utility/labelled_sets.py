"""ECG sets with the labels that a classifier learns, and what must not be among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.labels import carried, known_labels
from ecggan.ecg import independent_leads, listed
from ecggan.evaluation.memorization.training_overlap import check_no_overlap
from ecggan.stats.resampling import evenly_spaced, patient_numbers

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
"""Of PTB-XL's statements: normal, myocardial infarction, ST/T change, conduction disturbance, hypertrophy."""
FEWEST = 5  # records with a label, and without it, of each set that is learned from or tested on


@dataclass(frozen=True)
class LabelledSet:
    """Records that carry at least one of the labels.

    Args:
        name: of the set in tables and messages.
        ecgs: the records; several sets if each is of one label.
        labels: which of the labels each record carries, over all sets.
    """

    name: str
    ecgs: Sequence[ECGSet]
    labels: Bool[np.ndarray, "record label"]

    def __len__(self) -> int:
        return len(self.labels)

    def thinned(self, most: int) -> "LabelledSet":
        """At most so many evenly spaced records."""
        positions = evenly_spaced(len(self), most)
        starts = np.cumsum([0, *(len(each) for each in self.ecgs)])
        parts = [
            each.subset(positions[(positions >= a) & (positions < b)] - a)
            for each, (a, b) in zip(self.ecgs, pairwise(starts), strict=True)
        ]
        return LabelledSet(self.name, parts, self.labels[positions])

    def patients(self) -> Int[np.ndarray, " record"]:
        """A number for the patient of each record; of an unknown one its own."""
        known = [each.records.get("patient") for each in self.ecgs]
        if len(known) > 1 or known[0] is None:
            return np.arange(len(self))
        return patient_numbers(known[0], len(self))


def labels_to_learn(labels: Sequence[str] | None, real: ECGSet) -> tuple[str, ...]:
    """The labels asked for, by default PTB-XL's superclasses that real records carry.

    Raises:
        ValueError: none are asked for, and the real set carries fewer than two superclasses.
    """
    if labels is not None:
        return tuple(labels)
    counts = known_labels(real.records)
    found = tuple(label for label in SUPERCLASSES if label in counts)
    if len(found) < 2:
        there = listed([f"{label} ({count})" for label, count in counts.items()]) or "none"
        raise ValueError(
            f"labels must be given, e.g. labels=[AFIB,SR]: the real ECGs carry none of {', '.join(SUPERCLASSES)} "
            f"beside each other; they carry {there} (data.labels=all takes records of all labels)"
        )
    return found


def labelled(name: str, ecgs: ECGSet, labels: Sequence[str]) -> LabelledSet:
    """The records of a set that carry one of the labels by its table.

    Raises:
        ValueError: the table has no labels, or few records carry one of them.
    """
    has = carried(ecgs.records, labels, name)
    chosen = np.flatnonzero(has.any(axis=1))
    found = LabelledSet(name, [ecgs.subset(chosen)], has[chosen])
    check_enough(found, labels, known_labels(ecgs.records))
    return found


def labelled_by_set(name: str, sets: Mapping[str, ECGSet], labels: Sequence[str]) -> LabelledSet:
    """Sets of one label each as one.

    Raises:
        ValueError: a label has no set, or a set few records.
    """
    missing = [label for label in labels if label not in sets]
    if missing:
        raise ValueError(
            f"generated has a set for {', '.join(sets)} but none for {', '.join(missing)}; give one, or learn fewer "
            f"labels: labels=[{','.join(sets)}]"
        )
    has = np.concatenate([np.tile([label == each for each in labels], (len(sets[label]), 1)) for label in labels])
    found = LabelledSet(name, [sets[label] for label in labels], has)
    check_enough(found, labels, {label: len(sets[label]) for label in labels})
    return found


def check_enough(some: LabelledSet, labels: Sequence[str], counts: Mapping[str, int]) -> None:
    """Raise ValueError unless some records carry each label, and some do not."""
    for label, column in zip(labels, some.labels.T, strict=True):
        for number, verb in ((int(column.sum()), "carry"), (int((~column).sum()), "lack")):
            if number < FEWEST:
                there = listed([f"{each} ({count})" for each, count in counts.items()]) or "none"
                raise ValueError(
                    f"{number} of the {len(some)} labelled records of {some.name} {verb} {label}; at least {FEWEST} "
                    f"are needed (its labels: {there}). Give a larger set, or other labels=[…]"
                )


def check_apart(training: ECGSet, test: ECGSet, generated: Mapping[str, ECGSet], allow_overlap: bool) -> None:
    """Raise where a test would be on what was trained on.

    Args:
        training: real ECGs to learn from.
        test: real ECGs to test on.
        generated: every generated set, by name.
        allow_overlap: accept test ECGs that a generator learned from.

    Raises:
        ValueError: a patient or a record is in both real sets, a test record is in a generated set, or a generator
            learned from one.
    """
    both = _common_patients(training.records, test.records)
    if both:
        raise ValueError(
            f"{len(both)} patients have records in both the training and the test ECGs ({both[0]} is the first): that "
            "would test on what was trained on. Split by patient, e.g. data.split_by=patient for data=ptbxl"
        )
    hashes = test.hashes()
    for name, others in (("the training ECGs", training.hashes()), *((n, g.hashes()) for n, g in generated.items())):
        shared = np.flatnonzero(np.isin(hashes, others))
        if len(shared):
            first = test.records["record"].iloc[shared[0]]
            raise ValueError(
                f"{len(shared)} of the {len(test)} test ECGs are in {name} too ({first} is the first): that would test "
                "on what was trained on. Give test ECGs of their own, such as data.split=test"
            )
    if not allow_overlap:
        check_no_overlap(test, generated)


def common_leads(sets: Mapping[str, ECGSet]) -> tuple[str, ...]:
    """The independent leads that all sets store.

    Raises:
        ValueError: there is none.
    """
    first = next(iter(sets))
    leads = tuple(k for k in independent_leads(sets[first].leads) if all(k in each.leads for each in sets.values()))
    if not leads:
        stored = "; ".join(f"{name}: {listed(ecgs.leads)}" for name, ecgs in sets.items())
        raise ValueError(f"the sets have no lead in common ({stored})")
    return leads


def _common_patients(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    if "patient" not in one or "patient" not in other:
        return []
    known = [set(table["patient"].dropna().astype(str)) for table in (one, other)]
    return sorted(known[0] & known[1])
