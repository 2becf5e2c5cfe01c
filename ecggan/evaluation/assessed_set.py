"""One ECG set by itself: measured, screened, its signals described, its records fingerprinted."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import independent_leads
from ecggan.evaluation.failures import FailureLog
from ecggan.evaluation.memorization.fingerprinted_set import FingerprintedSet
from ecggan.measurement.delineation_choice import MEDIAN_BEAT
from ecggan.measurement.fingerprints import fingerprints
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import findings, screen
from ecggan.measurement.signal_description import SignalDescription, describe_signals
from ecggan.stats.proportions import Proportion, shares_of


@dataclass(frozen=True)
class AssessedSet:
    """The results for one set by itself; None if that step failed.

    Args:
        name: as the report shows it.
        ecgs: the set.
        table: its measurements.
        screened: which of its records are normal, and the reasons for the others.
        num_by_rule: how many records fail each rule of the screen.
        signals: its lead correlations and spectra.
        fingerprinted: its ECGs with their fingerprints.
        shares: of measurable and of normal records.
        content_sha256: of its ECGs in their order, independent of files and folders.
        digests: a hash of each record's ECG, in order.
    """

    name: str
    ecgs: ECGSet
    table: pd.DataFrame
    screened: pd.DataFrame | None
    num_by_rule: Mapping[str, int] | None
    signals: SignalDescription | None
    fingerprinted: FingerprintedSet | None
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
    """The options that hold for all sets of an assessment.

    Args:
        failure_log: runs each step and keeps the errors.
        rules: of the normality screen, on or off; None for all on.
        leads: those of the fingerprints, which all sets have.
        duration_s: of the shortest records of all sets.
        num_workers: processes; None for one a core.
        progress: show bars.
        cache: a folder of measured rows, reused if they are there; None for no cache.
        delineation: see [measure][ecggan.measurement.measure_set.measure].
    """

    failure_log: FailureLog
    rules: Mapping[str, bool] | None
    leads: Sequence[str]
    duration_s: float
    num_workers: int | None
    progress: bool
    cache: str | Path | None
    delineation: str = MEDIAN_BEAT


def in_common(sets: Sequence[ECGSet]) -> tuple[list[str], float]:
    """The independent leads that all sets have, and the duration of the shortest records, in s."""
    leads = [lead for lead in independent_leads(sets[0].leads) if all(lead in some.leads for some in sets)]
    return leads, min(some.num_samples / some.sampling_rate for some in sets)


def assess_set(name: str, ecgs: ECGSet, options: AssessmentOptions, most_indexed: int | None = None) -> AssessedSet:
    """Measure and describe a set.

    Args:
        name: as the report shows it.
        ecgs: the set.
        options: for all sets.
        most_indexed: see [fingerprints][ecggan.measurement.fingerprints.fingerprints].
    """
    table = measure(
        ecgs,
        num_workers=options.num_workers,
        progress=options.progress,
        cache=options.cache,
        delineation=options.delineation,
    )
    run = options.failure_log.run
    screened = run(f"normality of {name}", screen, table, options.rules)
    num_by_rule = run(f"rules of {name}", _count_by_rule, table, options.rules)
    signals = run(
        f"signals of {name}", describe_signals, ecgs, num_workers=options.num_workers, progress=options.progress
    )
    fingerprinted = fingerprint_set(name, ecgs, options, most_indexed)
    return AssessedSet(
        name, ecgs, table, screened, num_by_rule, signals, fingerprinted, shares_of(table, screened), *hashes_of(ecgs)
    )


def fingerprint_set(
    name: str, ecgs: ECGSet, options: AssessmentOptions, most_indexed: int | None = None
) -> FingerprintedSet | None:
    """A set with its fingerprints; None if they could not be computed."""
    found = options.failure_log.run(
        f"fingerprints of {name}",
        fingerprints,
        ecgs,
        options.leads,
        options.num_workers,
        options.progress,
        most_indexed,
        options.duration_s,
    )
    return None if found is None else FingerprintedSet(ecgs, found)


def held_out_positions(real: AssessedSet, training: ECGSet) -> list[int]:
    """The records of the real set that are not in the training set, and whose patient is not either."""
    known = set(hashes_of(training)[1])
    patients = set(training.records["patient"].dropna()) if "patient" in training.records else set()
    of_real = real.table["patient"].tolist() if "patient" in real.table else [None] * len(real.digests)
    return [
        i
        for i, (digest, patient) in enumerate(zip(real.digests, of_real, strict=True))
        if digest not in known and patient not in patients
    ]


def _count_by_rule(table: pd.DataFrame, rules: Mapping[str, bool] | None) -> Mapping[str, int]:
    return {str(rule): int((texts != "").sum()) for rule, texts in findings(table, rules).items()}


def hashes_of(ecgs: ECGSet) -> tuple[str, list[bytes]]:
    """A hash of all ECGs in their order, and one of each; files and metadata do not matter."""
    whole, digests = hashlib.sha256(), []
    for batch in ecgs.batches():
        for record in np.ascontiguousarray(ecgs.microvolts(batch), "<i2"):
            digests.append(hashlib.sha256(record.tobytes()).digest()[:16])
            whole.update(digests[-1])
    return whole.hexdigest(), digests
