"""ECG sets -> an `Assessment`: measured, screened, compared and judged, ready for a report.

Three questions about each generated set: is it realistic and normal (its measurements against the real set's), is it as
varied as real ECGs (both sets as clouds of points; duplicates within it), is it new (against the training ECGs)?

The steps are independent: one that fails is named among the failures, with its error, and the others still run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.assessed_set import (
    AssessedSet,
    AssessmentOptions,
    assess_set,
    fingerprint_set,
    held_out_positions,
    in_common,
)
from ecggan.evaluation.comparison.margins import check_margins
from ecggan.evaluation.comparison.published import paper_table
from ecggan.evaluation.failures import FailureLog
from ecggan.evaluation.formatting import file_name
from ecggan.evaluation.set_evaluation import Reference, SetEvaluation, evaluate_set
from ecggan.measurement.delineation_choice import MEDIAN_BEAT, resolve_delineation
from ecggan.measurement.fingerprints import MOST_INDEXED
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen


@dataclass(frozen=True)
class Assessment:
    """Everything that a report shows.

    Args:
        real: the reference.
        generated: the evaluated sets, by name.
        evaluations: of each of them.
        paper_table: the published comparison's layout.
        training: the training ECGs of the generators; None if unknown.
        held_out: the positions in the real set of the records of patients that are not in `training`.
        failures: the steps that failed, each with its error.
        delineation: that all sets were measured by.
    """

    real: AssessedSet
    generated: Mapping[str, AssessedSet]
    evaluations: Mapping[str, SetEvaluation]
    paper_table: pd.DataFrame | None
    training: ECGSet | None
    held_out: Sequence[int]
    failures: Mapping[str, str] = field(default_factory=dict)
    delineation: str = MEDIAN_BEAT

    def sets(self) -> list[AssessedSet]:
        """The real one first."""
        return [self.real, *self.generated.values()]


def assess(
    real: ECGSet,
    generated: Mapping[str, ECGSet],
    rules: Mapping[str, bool] | None = None,
    margins: Mapping[str, int | float] | None = None,
    num_workers: int | None = None,
    progress: bool = True,
    cache: str | Path | None = None,
    seed: int = 0,
    training: ECGSet | None = None,
    delineation: str = MEDIAN_BEAT,
) -> Assessment:
    """Measure all sets in the same way and evaluate each generated one against the real one.

    Args:
        real: the reference.
        generated: the sets to evaluate, by the names that the report uses.
        rules: of the normality screen, on or off; None for all on.
        margins: see [compare][ecggan.evaluation.comparison.comparison.compare].
        num_workers: processes; None for one a core.
        progress: show bars.
        cache: a folder of measured rows, reused if they are there; None for no cache.
        seed: of the bootstrap, the random halves, permutations and the classifier.
        training: the training ECGs of the generators; real ECGs of other patients are the held-out ones. Without it the
            report cannot tell whether generated ECGs are new.
        delineation: of all sets; see [measure][ecggan.measurement.measure_set.measure].

    Raises:
        ValueError: no set to evaluate, or an unknown rule, margin or delineation.
    """
    if not generated:
        raise ValueError("generated must name at least one ECG set to evaluate")
    check_names(list(generated))
    delineation = resolve_delineation(delineation)
    failure_log = FailureLog()
    # wrong rules and margins fail at once, before hours of measuring
    screen(measure(real.subset(slice(0)), progress=False), rules)
    check_margins(margins or {})
    leads, duration_s = in_common([real, *generated.values(), *([] if training is None else [training])])
    options = AssessmentOptions(failure_log, rules, leads, duration_s, num_workers, progress, cache, delineation)
    assessed_real = assess_set("real", real, options)
    held_out: list[int] = []
    if training is not None:
        held_out = held_out_positions(assessed_real, training)
    learned_from = (
        assessed_real.fingerprinted if training is None else fingerprint_set("the training ECGs", training, options)
    )
    baseline = None
    if held_out and assessed_real.fingerprinted is not None:
        baseline = assessed_real.fingerprinted.subset(np.array(held_out))
    by = Reference(assessed_real, learned_from, baseline, training is not None, {})
    assessed = {name: assess_set(name, ecgs, options, MOST_INDEXED) for name, ecgs in generated.items()}
    evaluations = {}
    for name, some in tqdm(assessed.items(), desc="evaluating", unit="set", disable=not progress):
        evaluations[name] = evaluate_set(some, by, margins, failure_log, num_workers, seed)
    table = failure_log.run("paper's table", _paper_table, [assessed_real, *assessed.values()])
    failures = failure_log.failures
    return Assessment(assessed_real, assessed, evaluations, table, training, held_out, failures, delineation)


def _paper_table(sets: list[AssessedSet]) -> pd.DataFrame:
    """Over normal records, like the published figures; over measurable ones if the screen failed."""
    return paper_table({some.name: some.table[_counted(some)] for some in sets})


def _counted(some: AssessedSet) -> np.ndarray:
    which = some.table["is_measurable"] if some.screened is None else some.screened["is_normal"]
    return which.to_numpy(bool)


def check_names(names: Sequence[str]) -> None:
    """Raise ValueError unless the names are distinct, also as part of a file name, and none is `real`."""
    files = [file_name(name).casefold() for name in names]
    wrong = [
        name for name, file in zip(names, files, strict=True) if not name or file == "real" or files.count(file) > 1
    ]
    if wrong:
        raise ValueError(
            f"a report cannot tell {wrong[0]!r} from the others ({', '.join(['real', *names])}): give each generated "
            "set a name of its own, generated={ours:DIR1,theirs:DIR2}"
        )
