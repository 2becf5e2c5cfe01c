"""Sets -> everything that is to be said of them: measured, screened, compared and judged, ready for a report.

Each part stands by itself: one that fails is named among the failures, with its error, and the others go on.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.ecg_set import ECGSet
from ecggan.evaluation.comparison import compare, compare_columns
from ecggan.evaluation.margins import check_margins
from ecggan.evaluation.measurements import measure
from ecggan.evaluation.normality import findings, screen
from ecggan.evaluation.parts import Parts
from ecggan.evaluation.published import paper_table
from ecggan.evaluation.relations import compare_relations
from ecggan.evaluation.shares import Share, shares_of
from ecggan.evaluation.signals import SignalDescription, describe_signals, display_name
from ecggan.evaluation.verdict import Verdict, judge


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
    shares: Mapping[str, Share]
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
class Judgement:
    """What is said of a generated set beside the real one; None where that part failed.

    Args:
        comparison: a row a measurement.
        relations: a row a pair of measurements.
        signals: a row a pair of leads and a band of frequencies.
        verdict: in words.
    """

    comparison: pd.DataFrame | None
    relations: pd.DataFrame | None
    signals: pd.DataFrame | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Assessment:
    """Everything that a report says.

    Args:
        real: the reference.
        generated: the sets that are judged, by name.
        judgements: of each of them.
        paper_table: the published comparison's layout.
        failures: the parts that failed, each with its error.
    """

    real: AssessedSet
    generated: Mapping[str, AssessedSet]
    judgements: Mapping[str, Judgement]
    paper_table: pd.DataFrame | None
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
) -> Assessment:
    """Measure all sets alike and judge each generated one beside the real one.

    Args:
        real: the reference.
        generated: what is judged, each by the name that it is to have.
        rules: of the normality screen, on or off; None for all on.
        margins: see [compare][ecggan.evaluation.comparison.compare].
        num_workers: processes; None for one a core.
        progress: show bars.
        cache: a folder where measured rows are kept and looked for; None keeps nothing.
        seed: of the bootstrap and the random halves.

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

    def assess_set(name: str, ecgs: ECGSet) -> AssessedSet:
        table = measure(ecgs, num_workers=num_workers, progress=progress, cache=cache)
        screened = parts.run(f"normality of {name}", screen, table, rules)
        num_by_rule = parts.run(f"rules of {name}", _count_by_rule, table, rules)
        signals = parts.run(f"signals of {name}", describe_signals, ecgs, num_workers=num_workers, progress=progress)
        shares = shares_of(table, screened)
        return AssessedSet(name, ecgs, table, screened, num_by_rule, signals, shares, *hashes_of(ecgs))

    assessed_real = assess_set("real", real)
    assessed = {name: assess_set(name, ecgs) for name, ecgs in generated.items()}
    judgements = {}
    for name, some in assessed.items():
        comparison = parts.run(f"comparison of {name}", compare, assessed_real.table, some.table, margins, seed=seed)
        relations = parts.run(f"relations of {name}", compare_relations, assessed_real.table, some.table, seed=seed)
        signals = parts.run(f"signals of {name} against real", _compare_signals, assessed_real, some, seed)
        verdict = None
        if comparison is not None:
            verdict = parts.run(f"verdict on {name}", judge, comparison, assessed_real.shares, some.shares)
        judgements[name] = Judgement(comparison, relations, signals, verdict)
    table = parts.run("paper's table", _paper_table, [assessed_real, *assessed.values()])
    return Assessment(assessed_real, assessed, judgements, table, parts.failures)


def _count_by_rule(table: pd.DataFrame, rules: Mapping[str, bool] | None) -> Mapping[str, int]:
    return {str(rule): int((texts != "").sum()) for rule, texts in findings(table, rules).items()}


def _compare_signals(real: AssessedSet, generated: AssessedSet, seed: int) -> pd.DataFrame | None:
    if real.signals is None or generated.signals is None:
        return None
    tables = [real.signals.table, generated.signals.table]
    columns = [c for c in dict.fromkeys([*tables[0], *tables[1]]) if c not in ("record", "position")]
    if "patient" in real.table:
        patients = real.table["patient"].to_numpy()[tables[0]["position"].to_numpy()]
        tables[0] = tables[0].assign(patient=patients)
    return compare_columns(tables[0], tables[1], {column: display_name(column) for column in columns}, seed=seed)


def _paper_table(sets: list[AssessedSet]) -> pd.DataFrame:
    """Over normal records, as the published figures are; over measurable ones where the screen failed."""
    return paper_table({some.name: some.table[_counted(some)] for some in sets})


def _counted(some: AssessedSet) -> np.ndarray:
    which = some.table["is_measurable"] if some.screened is None else some.screened["is_normal"]
    return which.to_numpy(bool)


def hashes_of(ecgs: ECGSet) -> tuple[str, list[bytes]]:
    """A hash of the ECGs in their order, wherever they lie and whatever else the set's files hold, and one of each."""
    whole, digests = hashlib.sha256(), []
    for start in range(0, len(ecgs), 256):
        for record in np.ascontiguousarray(ecgs.microvolts(slice(start, start + 256)), "<i2"):
            digests.append(hashlib.sha256(record.tobytes()).digest()[:16])
            whole.update(digests[-1])
    return whole.hexdigest(), digests


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


def file_name(words: str) -> str:
    """Letters, digits, dots and dashes; everything else is an underscore.

    >>> file_name("ours: epoch 25/best")
    'ours__epoch_25_best'
    """
    return "".join(char if char.isalnum() or char in ".-" else "_" for char in words)
