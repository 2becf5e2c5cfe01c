"""One ECG set -> what is known of it by itself: measured, screened, described, and recognisable."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import independent_leads
from ecggan.evaluation.failures import Parts
from ecggan.evaluation.memorization.membership import Prints
from ecggan.measurement.fingerprints import fingerprints
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import findings, screen
from ecggan.measurement.signal_description import SignalDescription, describe_signals
from ecggan.stats.proportions import Proportion, shares_of


@dataclass(frozen=True)
class AssessedSet:
    """What is known of one set by itself; None where that part failed.

    Args:
        name: what it is called wherever it is shown.
        ecgs: the set.
        table: its measurements.
        screened: which of its records are normal, and why others are not.
        num_by_rule: how many records each rule of the screen finds something in.
        signals: its lead correlations and spectra.
        prints: what its ECGs are recognised by.
        shares: of measurable and of normal records.
        content_sha256: of its ECGs: the same for the same ECGs in the same order, wherever they lie.
        digests: of each record's ECG, in order.
    """

    name: str
    ecgs: ECGSet
    table: pd.DataFrame
    screened: pd.DataFrame | None
    num_by_rule: Mapping[str, int] | None
    signals: SignalDescription | None
    prints: Prints | None
    shares: Mapping[str, Proportion]
    content_sha256: str
    digests: Sequence[bytes]

    def num_repeated(self) -> int:
        """Records that are copies of an earlier one of the set."""
        return len(self.digests) - len(set(self.digests))

    def num_copies_of(self, other: "AssessedSet") -> int:
        """Records that are copies of one of another set."""
        theirs = set(other.digests)
        return sum(digest in theirs for digest in self.digests)


@dataclass(frozen=True)
class AssessmentOptions:
    """What is the same for all sets of an assessment.

    Args:
        parts: runs each part, and keeps the errors.
        rules: of the normality screen, on or off; None for all on.
        leads: by which ECGs are recognised: those that all sets have.
        duration_s: of the shortest records of all sets.
        num_workers: processes; None for one a core.
        progress: show bars.
        cache: a folder where measured rows are kept and looked for; None keeps nothing.
    """

    parts: Parts
    rules: Mapping[str, bool] | None
    leads: Sequence[str]
    duration_s: float
    num_workers: int | None
    progress: bool
    cache: str | Path | None


def in_common(sets: Sequence[ECGSet]) -> tuple[list[str], float]:
    """The independent leads that all sets have, and the duration of the shortest records, in s."""
    leads = [lead for lead in independent_leads(sets[0].leads) if all(lead in some.leads for some in sets)]
    return leads, min(some.num_samples / some.sampling_rate for some in sets)


def assess_set(name: str, ecgs: ECGSet, how: AssessmentOptions, most_indexed: int | None = None) -> AssessedSet:
    """Measure and describe a set.

    Args:
        name: what it is called.
        ecgs: the set.
        how: see there.
        most_indexed: see [fingerprints][ecggan.measurement.fingerprints.fingerprints].
    """
    table = measure(ecgs, num_workers=how.num_workers, progress=how.progress, cache=how.cache)
    run = how.parts.run
    screened = run(f"normality of {name}", screen, table, how.rules)
    num_by_rule = run(f"rules of {name}", _count_by_rule, table, how.rules)
    signals = run(f"signals of {name}", describe_signals, ecgs, num_workers=how.num_workers, progress=how.progress)
    prints = recognise(name, ecgs, how, most_indexed)
    return AssessedSet(
        name, ecgs, table, screened, num_by_rule, signals, prints, shares_of(table, screened), *hashes_of(ecgs)
    )


def recognise(name: str, ecgs: ECGSet, how: AssessmentOptions, most_indexed: int | None = None) -> Prints | None:
    """A set with its fingerprints; None where they could not be taken."""
    found = how.parts.run(
        f"fingerprints of {name}",
        fingerprints,
        ecgs,
        how.leads,
        how.num_workers,
        how.progress,
        most_indexed,
        how.duration_s,
    )
    return None if found is None else Prints(ecgs, found)


def held_out_positions(real: AssessedSet, training: ECGSet) -> list[int]:
    """The records of the real set that are not in the training set, nor of a patient who is."""
    known = set(hashes_of(training)[1])
    patients = set(training.records["patient"].dropna()) if "patient" in training.records else set()
    theirs = real.table["patient"].tolist() if "patient" in real.table else [None] * len(real.digests)
    return [
        i
        for i, (digest, patient) in enumerate(zip(real.digests, theirs, strict=True))
        if digest not in known and patient not in patients
    ]


def _count_by_rule(table: pd.DataFrame, rules: Mapping[str, bool] | None) -> Mapping[str, int]:
    return {str(rule): int((texts != "").sum()) for rule, texts in findings(table, rules).items()}


def hashes_of(ecgs: ECGSet) -> tuple[str, list[bytes]]:
    """A hash of the ECGs in their order, wherever they lie and whatever else the set's files hold, and one of each."""
    whole, digests = hashlib.sha256(), []
    for start in range(0, len(ecgs), 256):
        for record in np.ascontiguousarray(ecgs.microvolts(slice(start, start + 256)), "<i2"):
            digests.append(hashlib.sha256(record.tobytes()).digest()[:16])
            whole.update(digests[-1])
    return whole.hexdigest(), digests
