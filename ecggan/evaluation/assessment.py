"""Sets -> everything that is to be said of them: measured, screened, compared and judged, ready for a report.

A generated set is asked three things: is it realistic and normal (its measurements beside the real set's), is it as
varied as real ECGs (the sets as clouds, and whether it repeats itself), and is it new (beside the training ECGs).

Each part stands by itself: one that fails is named among the failures, with its error, and the others go on.
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
    held_out_positions,
    in_common,
    recognise,
)
from ecggan.evaluation.comparison.margins import check_margins
from ecggan.evaluation.comparison.published import paper_table
from ecggan.evaluation.failures import Parts
from ecggan.evaluation.formatting import file_name
from ecggan.evaluation.set_evaluation import Reference, SetEvaluation, judge_set
from ecggan.measurement.fingerprints import MOST_INDEXED
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen


@dataclass(frozen=True)
class Assessment:
    """Everything that a report says.

    Args:
        real: the reference.
        generated: the sets that are judged, by name.
        judgements: of each of them.
        paper_table: the published comparison's layout.
        training: what the generators learned from; None where that is not known.
        held_out: the positions in the real set of the records of patients that are not in `training`.
        failures: the parts that failed, each with its error.
    """

    real: AssessedSet
    generated: Mapping[str, AssessedSet]
    judgements: Mapping[str, SetEvaluation]
    paper_table: pd.DataFrame | None
    training: ECGSet | None
    held_out: Sequence[int]
    failures: Mapping[str, str] = field(default_factory=dict)

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
) -> Assessment:
    """Measure all sets alike and judge each generated one beside the real one.

    Args:
        real: the reference.
        generated: what is judged, each by the name that it is to have.
        rules: of the normality screen, on or off; None for all on.
        margins: see [compare][ecggan.evaluation.comparison.comparison.compare].
        num_workers: processes; None for one a core.
        progress: show bars.
        cache: a folder where measured rows are kept and looked for; None keeps nothing.
        seed: of the bootstrap, the random halves, permutations and the classifier.
        training: the ECGs that the generators learned from, of other patients than some of the real set: without them
            nothing can be said of whether generated ECGs are new.

    Raises:
        ValueError: no set to judge, or a rule or margin that there is not.
    """
    if not generated:
        raise ValueError("generated must name at least one ECG set to judge")
    check_names(list(generated))
    parts = Parts()
    # rules and margins are the user's words: wrong ones are said at once, before hours of measuring
    screen(measure(real.subset(slice(0)), progress=False), rules)
    check_margins(margins or {})
    leads, duration_s = in_common([real, *generated.values(), *([] if training is None else [training])])
    how = AssessmentOptions(parts, rules, leads, duration_s, num_workers, progress, cache)
    assessed_real = assess_set("real", real, how)
    held_out: list[int] = []
    if training is not None:
        held_out = held_out_positions(assessed_real, training)
    learned_from = assessed_real.prints if training is None else recognise("the training ECGs", training, how)
    yardstick = None
    if held_out and assessed_real.prints is not None:
        yardstick = assessed_real.prints.subset(np.array(held_out))
    by = Reference(assessed_real, learned_from, yardstick, training is not None, {})
    assessed = {name: assess_set(name, ecgs, how, MOST_INDEXED) for name, ecgs in generated.items()}
    judgements = {}
    for name, some in tqdm(assessed.items(), desc="judging", unit="set", disable=not progress):
        judgements[name] = judge_set(some, by, margins, parts, num_workers, seed)
    table = parts.run("paper's table", _paper_table, [assessed_real, *assessed.values()])
    return Assessment(assessed_real, assessed, judgements, table, training, held_out, parts.failures)


def _paper_table(sets: list[AssessedSet]) -> pd.DataFrame:
    """Over normal records, as the published figures are; over measurable ones where the screen failed."""
    return paper_table({some.name: some.table[_counted(some)] for some in sets})


def _counted(some: AssessedSet) -> np.ndarray:
    which = some.table["is_measurable"] if some.screened is None else some.screened["is_normal"]
    return which.to_numpy(bool)


def check_names(names: Sequence[str]) -> None:
    """Raise ValueError unless each set has a name of its own, also as part of a file's name, and none is `real`."""
    files = [file_name(name).casefold() for name in names]
    wrong = [
        name for name, file in zip(names, files, strict=True) if not name or file == "real" or files.count(file) > 1
    ]
    if wrong:
        raise ValueError(
            f"a report cannot tell {wrong[0]!r} from the others ({', '.join(['real', *names])}): give each generated "
            "set a name of its own, generated={ours:DIR1,theirs:DIR2}"
        )
