"""One generated set against the real set and the training ECGs: comparison, diversity, memorization, verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecggan.data.patients import one_patient
from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.comparison.associations import compare_relations
from ecggan.evaluation.comparison.comparison import compare, compare_columns
from ecggan.evaluation.failures import FailureLog
from ecggan.evaluation.fidelity.diversity_verdict import judge_diversity
from ecggan.evaluation.fidelity.features import beat_features, measurement_features
from ecggan.evaluation.fidelity.fidelity import MOST_GENERATED, compare_clouds, null_figures, one_record_per_patient
from ecggan.evaluation.memorization.duplicates import Repeats, assess_repeats
from ecggan.evaluation.memorization.fingerprinted_set import FingerprintedSet
from ecggan.evaluation.memorization.membership import Novelty, assess_novelty
from ecggan.evaluation.memorization.memorization_verdict import judge_memorization
from ecggan.evaluation.verdict import Verdict, judge
from ecggan.measurement.columns import display_name
from ecggan.measurement.fingerprints import MOST_INDEXED
from ecggan.stats.hypothesis_tests import FEWEST_PATIENTS
from ecggan.stats.resampling import evenly_spaced, patient_numbers

MEASUREMENTS, BEATS = "measurements", "beats"
CLOUDS = (MEASUREMENTS, BEATS)


@dataclass(frozen=True)
class SetEvaluation:
    """The results for one generated set; None if that step failed.

    Args:
        comparison: a row a measurement.
        relations: a row a pair of measurements.
        signals: a row a pair of leads and a frequency band.
        clouds: a row a figure of the sets as clouds of points; `cloud` says whether of measurements or of beats.
        repeats: duplicates within each set, of the real one first.
        novelty: against the training ECGs, or against the real set if those are unknown.
        verdict: is it realistic and normal?
        variety: is it as varied as real ECGs?
        privacy: is it new?
        utility: is it of use? None where no study was given.
    """

    comparison: pd.DataFrame | None
    relations: pd.DataFrame | None
    signals: pd.DataFrame | None
    clouds: pd.DataFrame | None
    repeats: tuple[Repeats, Repeats] | None
    novelty: Novelty | None
    verdict: Verdict | None
    variety: Verdict | None
    privacy: Verdict | None
    utility: Verdict | None = None

    def verdicts(self) -> dict[str, Verdict]:
        """Question -> verdict, for each of the questions that has one."""
        asked = {
            "Realistic and normal?": self.verdict,
            "As varied as real ECGs?": self.variety,
            "New?": self.privacy,
            "Of use?": self.utility,
        }
        return {question: verdict for question, verdict in asked.items() if verdict is not None}


@dataclass
class Reference:
    """What generated sets are compared with.

    Args:
        real: the reference.
        learned_from: the training ECGs, or the real set if they are unknown; None if that step failed.
        held_out: the records of the real set of patients that are not in the training.
        is_training_known: whether `learned_from` are the training ECGs.
        nulls: figures of halves of the real set, by kind of cloud and size, computed once for all sets of a size.
    """

    real: AssessedSet
    learned_from: FingerprintedSet | None
    held_out: FingerprintedSet | None
    is_training_known: bool
    nulls: dict[tuple[str, int], pd.DataFrame]


def evaluate_set(
    some: AssessedSet,
    by: Reference,
    margins: Mapping[str, int | float] | None,
    failure_log: FailureLog,
    num_workers: int | None,
    seed: int,
) -> SetEvaluation:
    """Evaluate a generated set; a step that fails is None, and named in the failure log.

    Args:
        some: the set.
        by: what it is compared with.
        margins: see [compare][ecggan.evaluation.comparison.comparison.compare].
        failure_log: runs each step and keeps the errors.
        num_workers: processes; None for one a core.
        seed: of all that is drawn.
    """
    name, real, run = some.name, by.real, failure_log.run
    comparison = run(f"comparison of {name}", compare, real.table, some.table, margins, seed=seed)
    relations = run(f"relations of {name}", compare_relations, real.table, some.table, seed=seed)
    signals = run(f"signals of {name} against real", _compare_signals, real, some, seed)
    found = [run(f"{kind} of {name} as a cloud", _compare_clouds, kind, some, by, num_workers, seed) for kind in CLOUDS]
    tables = [table for table in found if table is not None]
    clouds = pd.concat(tables, ignore_index=True) if tables else None
    repeats, novelty, verdict = None, None, None
    if some.fingerprinted is not None and real.fingerprinted is not None:
        repeats = run(f"repeats in {name}", _repeats, real.fingerprinted, some.fingerprinted, num_workers)
    if some.fingerprinted is not None and by.learned_from is not None:
        novelty = run(
            f"novelty of {name}", assess_novelty, some.fingerprinted, by.learned_from, by.held_out, num_workers
        )
    if comparison is not None:
        one = one_patient(real.ecgs.records)
        why_few = f"{one}." if one else ""
        verdict = run(f"verdict on {name}", judge, comparison, real.shares, some.shares, why_few)
    variety = run(
        f"verdict on the variety of {name}", judge_diversity, clouds, repeats and (repeats[0].share, repeats[1].share)
    )
    privacy = run(f"verdict on the novelty of {name}", judge_memorization, novelty, by.is_training_known)
    return SetEvaluation(comparison, relations, signals, clouds, repeats, novelty, verdict, variety, privacy)


def _compare_signals(real: AssessedSet, generated: AssessedSet, seed: int) -> pd.DataFrame | None:
    if real.signals is None or generated.signals is None:
        return None
    tables = [real.signals.table, generated.signals.table]
    columns = [c for c in dict.fromkeys([*tables[0], *tables[1]]) if c not in ("record", "position")]
    if "patient" in real.table:
        patients = real.table["patient"].to_numpy()[tables[0]["position"].to_numpy()]
        tables[0] = tables[0].assign(patient=patients)
    return compare_columns(tables[0], tables[1], {column: display_name(column) for column in columns}, seed=seed)


def _compare_clouds(
    kind: str, some: AssessedSet, by: Reference, num_workers: int | None, seed: int
) -> pd.DataFrame | None:
    """Uses one record a patient of the real set, so that all are independent; None for too few."""
    independent = one_record_per_patient(patient_numbers(by.real.table.get("patient"), len(by.real.table)))
    if min(len(independent), len(some.table)) < FEWEST_PATIENTS:
        return None
    points = points_of(kind, by.real, some)
    if points is None:
        return None
    reference, which = points[0][independent], (kind, len(some.table))
    if which not in by.nulls:
        by.nulls[which] = null_figures(reference, len(points[1]), seed=seed)
    found = compare_clouds(reference, points[1], seed, null=by.nulls[which], num_workers=num_workers)
    return found.reset_index().assign(cloud=kind)


def points_of(kind: str, real: AssessedSet, generated: AssessedSet) -> tuple[np.ndarray, np.ndarray] | None:
    """Both sets as clouds of points, the generated one thinned to `MOST_GENERATED`; None without fingerprints."""
    some = evenly_spaced(len(generated.table), MOST_GENERATED)
    if kind == MEASUREMENTS:
        return measurement_features(real.table, generated.table.iloc[some])
    if real.fingerprinted is None or generated.fingerprinted is None:
        return None
    return beat_features(real.fingerprinted.fingerprints.beats, generated.fingerprinted.fingerprints.beats[some])


def _repeats(real: FingerprintedSet, generated: FingerprintedSet, num_workers: int | None) -> tuple[Repeats, Repeats]:
    first, second = (assess_repeats(some, MOST_INDEXED, num_workers) for some in (real, generated))
    return first, second
