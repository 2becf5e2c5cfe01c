"""Self-test of the evaluation: corrupted sets must raise an alarm, fresh real ECGs must not.

A real set is split by patient into training ECGs, held-out ECGs (the real set of the evaluation) and fresh ECGs. The
fresh ones and each set of `corruptions` are evaluated as generated sets. A measure raises an alarm if its p-value is
below 5 %, corrected over all measures of that set by Benjamini and Hochberg: fresh ECGs raise an alarm in one of twenty
self-tests. The self-test passes if every corrupted set raises one and the fresh ones none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.patients import why_few_patients
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.assessment import Assessment, assess
from ecggan.evaluation.self_test.corruptions import CORRUPTIONS, FRESH, HELD_OUT, TRAINING, corrupted_sets
from ecggan.files.atomic import atomic_folder
from ecggan.files.json_file import write_json
from ecggan.files.text_file import write_text
from ecggan.measurement.columns import MAIN_MEASUREMENTS
from ecggan.measurement.delineation_choice import MEDIAN_BEAT
from ecggan.plotting import plot_alarms, save_figure
from ecggan.stats.hypothesis_tests import LEVEL, corrected
from ecggan.stats.proportions import p_fewer
from ecggan.stats.resampling import patient_numbers

FEWEST_PATIENTS_NEEDED = 120
_SHARES = {TRAINING: 0.25, HELD_OUT: 0.35, FRESH: 0.4}


@dataclass(frozen=True)
class SelfTest:
    """What [run_self_test][] found.

    Args:
        alarms: a row a set and measure: `set`, `measure`, `value`, `p_value`, `p_corrected` over the set's measures,
            `alarm`.
        assessment: of all sets.
        splits: the splits of the real set, by name.
    """

    alarms: pd.DataFrame
    assessment: Assessment
    splits: Mapping[str, ECGSet]

    def tried(self) -> list[str]:
        """The corrupted sets."""
        return [name for name in dict.fromkeys(self.alarms["set"]) if name != FRESH]

    def missed(self) -> list[str]:
        """The corrupted sets that no measure catches."""
        caught = set(self.alarms.loc[self.alarms["alarm"], "set"])
        return [name for name in self.tried() if name not in caught]

    def false_alarms(self) -> list[str]:
        """The measures that raise an alarm for fresh ECGs."""
        rows = self.alarms[(self.alarms["set"] == FRESH) & self.alarms["alarm"]]
        return rows["measure"].tolist()

    def passes(self) -> bool:
        return not (self.missed() or self.false_alarms() or self.assessment.failures)

    def verdict(self) -> str:
        """In a sentence or two."""
        missed, false_alarms, failures = self.missed(), self.false_alarms(), self.assessment.failures
        num_tried = len(self.tried())
        caught = f"{num_tried - len(missed)} of {num_tried} corrupted sets are caught"
        words = f"{caught}, but not {', '.join(missed)}" if missed else caught
        false = f"a false alarm: {', '.join(false_alarms)}" if false_alarms else "no alarm"
        words += f"; fresh real ECGs raise {false}."
        failed = [f" This step failed: {step} ({error})." for step, error in failures.items()]
        return "".join([f"{'Passed' if self.passes() else 'FAILED'}: {words}", *failed])

    def table(self) -> pd.DataFrame:
        """A row a set, a column a measure: whether it raises an alarm; a measure without a value raises none."""
        wide = self.alarms.pivot(index="set", columns="measure", values="alarm").fillna(False).astype(bool)
        return wide.loc[[FRESH, *self.tried()], list(dict.fromkeys(self.alarms["measure"]))]


def run_self_test(
    real: ECGSet,
    num_workers: int | None = None,
    progress: bool = True,
    cache: str | Path | None = None,
    seed: int = 0,
    corruptions: Sequence[str] | None = None,
    delineation: str = MEDIAN_BEAT,
) -> SelfTest:
    """Split a real set, corrupt it in every way, and list the alarms.

    Args:
        real: of 120 patients at least, in the eight leads; its own splits are ignored.
        num_workers: processes; None for one a core.
        progress: show bars.
        cache: see [assess][ecggan.evaluation.assessment.assess].
        seed: of the split, the random corruptions and the assessment.
        corruptions: the names of those to try; None for all.
        delineation: see [measure][ecggan.measurement.measure_set.measure].

    Raises:
        ValueError: too few patients, or a lead is missing.
    """
    lacking = [lead for lead in EIGHT_LEADS if lead not in real.leads]
    if lacking:
        raise ValueError(
            f"the self-test needs the leads {', '.join(EIGHT_LEADS)}; the real set lacks {', '.join(lacking)}"
        )
    splits = split_by_patient(real, seed)
    sets = {FRESH: splits[FRESH], **corrupted_sets(splits, seed, corruptions)}
    assessment = assess(
        splits[HELD_OUT], sets, None, None, num_workers, progress, cache, seed, splits[TRAINING], delineation
    )
    alarms = pd.concat([alarms_of(assessment, name) for name in sets], ignore_index=True)
    return SelfTest(alarms, assessment, splits)


def split_by_patient(real: ECGSet, seed: int) -> dict[str, ECGSet]:
    """Training, held-out and fresh ECGs, no patient in two of them.

    Raises:
        ValueError: too few patients.
    """
    patients = patient_numbers(real.records.get("patient"), len(real))
    num_patients = int(patients.max(initial=-1)) + 1
    if num_patients < FEWEST_PATIENTS_NEEDED:
        raise ValueError(
            f"the self-test needs real ECGs of {FEWEST_PATIENTS_NEEDED} patients or more, to split them into training, "
            f"held-out and fresh ones; the set has {num_patients}{why_few_patients(real.records)}"
        )
    order = np.random.default_rng(seed).permutation(num_patients)
    ends = np.rint(np.cumsum([0, *_SHARES.values()]) * num_patients).astype(int)
    splits = [real.subset(np.isin(patients, order[a:b])) for a, b in pairwise(ends)]
    return dict(zip(_SHARES, splits, strict=True))


def alarms_of(assessment: Assessment, name: str) -> pd.DataFrame:
    """Every measure's p-value for one generated set, and whether it raises an alarm; see the module's docstring."""
    rows = list(_p_values(assessment, name))
    table = pd.DataFrame(rows, columns=["measure", "value", "p_value"])
    table.insert(0, "set", name)
    table["p_corrected"] = corrected(table["p_value"].to_numpy(float))
    table["alarm"] = table["p_corrected"] < LEVEL
    return table


def _p_values(assessment: Assessment, name: str) -> list[tuple[str, float, float]]:
    real, some, evaluation = assessment.real, assessment.generated[name], assessment.evaluations[name]
    rows = [
        (f"share {what}", some.shares[what].value, p_fewer(some.shares[what], real.shares[what]))
        for what in ("measurable", "normal")
        if what in some.shares and what in real.shares
    ]
    for measure, found in (("measurements", evaluation.comparison), ("signals", evaluation.signals)):
        if found is not None:
            table = found[found["measurement"].isin(MAIN_MEASUREMENTS)] if measure == "measurements" else found
            rows.append((measure, float(table["differs"].sum()), _simes(table)))
    if evaluation.clouds is not None:
        facts = evaluation.clouds.to_dict("records")
        rows += [
            (f"{row['cloud']}: {row['figure'].replace('_', ' ').replace('auc', 'area')}", row["value"], row["p_value"])
            for row in facts
        ]
    if evaluation.repeats is not None:
        of_real, of_some = (each.share for each in evaluation.repeats)
        rows.append(("repeats", of_some.value, p_fewer(of_real, of_some)))
    novelty = evaluation.novelty
    if novelty is not None and novelty.membership is not None and novelty.held_out_copies is not None:
        assert novelty.copies_of_held_out is not None
        assert novelty.held_out_same_beat is not None
        chance = novelty.held_out_copies
        rows.append(("copies", novelty.copies.value, p_fewer(chance, novelty.copies)))
        rows.append(
            ("copies of held-out", novelty.copies_of_held_out.value, p_fewer(chance, novelty.copies_of_held_out))
        )
        same_beat = p_fewer(novelty.held_out_same_beat, novelty.same_beat)
        rows.append(("same beat", novelty.same_beat.value, same_beat))
        rows.append(("membership", novelty.membership.value, novelty.membership.p_value))
        assert novelty.beat_membership is not None
        rows.append(("membership by beat", novelty.beat_membership.value, novelty.beat_membership.p_value))
    return rows


def _simes(table: pd.DataFrame) -> float:
    """p of no difference anywhere: the smallest p-value corrected by Benjamini and Hochberg (Simes 1986)."""
    p = table[["p_difference_corrected", "p_distribution_corrected"]].to_numpy(float)
    return float(np.nanmin(p)) if np.isfinite(p).any() else np.nan


def summary_text(found: SelfTest) -> str:
    """The result as Markdown: a row a set, a column a measure, ● for an alarm."""
    table = found.table()
    shown = table.map(lambda alarm: "●" if alarm else "")
    shown.insert(0, "alarms", [f"{int(row.sum())} of {len(row)}" for _, row in table.iterrows()])
    shown.index.name = "set"
    splits = ", ".join(f"{len(ecgs):,} {words}" for words, ecgs in found.splits.items())
    what = "\n".join(f"- **{name}**: {CORRUPTIONS[name].description}" for name in found.tried())
    return f"""# Can this evaluation be fooled?

{found.verdict()}

The real ECGs were split by patient: {splits}. Each set was evaluated as a generated one, against the held-out ECGs. A
measure raises an alarm (●) if its p-value is below {LEVEL:g}, corrected over the measures of the set.

{shown.to_markdown()}

{what}
"""


def write_self_test(out: str | Path, found: SelfTest) -> Path:
    """Write the table as text, figure and data into a new folder, which appears whole or not at all.

    Returns:
        The path of self_test.md.

    Raises:
        FileExistsError: `out` is there already.
    """
    table = found.table()
    with atomic_folder(out) as folder:
        write_text(folder / "self_test.md", summary_text(found))
        found.alarms.to_csv(folder / "alarms.csv", index=False)
        summary = {
            "passes": found.passes(),
            "missed": found.missed(),
            "false_alarms": found.false_alarms(),
            "failures": dict(found.assessment.failures),
            "delineation": found.assessment.delineation,
            "num_records": {words: len(ecgs) for words, ecgs in found.splits.items()},
            "alarms": {name: row.index[row].tolist() for name, row in table.iterrows()},
            "levels": {
                name: {question: verdict.level for question, verdict in evaluation.verdicts().items()}
                for name, evaluation in found.assessment.evaluations.items()
            },
        }
        write_json(folder / "summary.json", summary)
        for suffix in ("png", "pdf"):
            save_figure(plot_alarms(table), folder / f"self_test.{suffix}", dpi=150)
    return Path(out) / "self_test.md"
