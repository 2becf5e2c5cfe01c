"""The tables of a report on how varied and how new a generated set is."""

import numpy as np

from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.formatting import NONE, percent, plain
from ecggan.evaluation.memorization.membership import Area, Novelty
from ecggan.evaluation.memorization.memorization_verdict import CLOUD_WORDS
from ecggan.evaluation.report.cells import Cell, number_cell, p_cell
from ecggan.evaluation.report.tables import ShownTable
from ecggan.evaluation.set_evaluation import BEATS, MEASUREMENTS, SetEvaluation
from ecggan.stats.hypothesis_tests import LEVEL, corrected
from ecggan.stats.proportions import Proportion

FIGURE_WORDS = {
    "kernel_distance": "Kernel distance",
    "frechet_distance": "Fréchet distance",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
    "classifier_auc": "Classifier, area",
}
_UNITS = {
    (MEASUREMENTS, "kernel_distance"): "SD",
    (BEATS, "kernel_distance"): "mV",
    (MEASUREMENTS, "frechet_distance"): "SD²",
    (BEATS, "frechet_distance"): "mV²",
}


def cloud_table(judgement: SetEvaluation) -> ShownTable:
    """The figures of the sets as clouds, each beside what halves of the real set give."""
    columns = (
        *("Of", "Figure", "Unit", "Value (95 % interval)", "Real halves, mean", "95 of 100 real halves", "p"),
        *("Records of each",),
    )
    rows: list[list[Cell]] = []
    if judgement.clouds is None:
        return ShownTable(columns, rows)
    table = judgement.clouds.assign(p_corrected=corrected(judgement.clouds["p_value"].to_numpy(float)))
    for facts in table.to_dict("records"):
        is_notable = facts["p_corrected"] < LEVEL
        band = f"{plain(facts['null_low'], 3)} to {plain(facts['null_high'], 3)}"
        sizes = facts["num_real"], facts["num_generated"]
        rows.append(
            [
                *(Cell(CLOUD_WORDS[facts["cloud"]].capitalize()), Cell(FIGURE_WORDS[facts["figure"]])),
                Cell(_UNITS.get((facts["cloud"], facts["figure"]), NONE)),
                _value_cell(facts["value"], facts["low"], facts["high"]),
                number_cell(facts["null_mean"], 3),
                Cell(band if np.isfinite(facts["null_low"]) else NONE),
                p_cell(facts["p_value"], "notable" if is_notable else ""),
                Cell(" and ".join(dict.fromkeys(f"{size:,}" for size in sizes))),
            ]
        )
    return ShownTable(columns, rows)


def novelty_table(assessment: Assessment) -> ShownTable:
    """Copies, and what an attacker can tell, of all generated sets; beside them real ECGs as the yardstick."""
    rows = []
    learned_from = "training ECGs" if assessment.training is not None else "the real set's ECGs"
    for name, judgement in assessment.judgements.items():
        novelty = judgement.novelty
        if novelty is not None:
            held_out = NONE if novelty.held_out_copies is None else f"held-out: {_share(novelty.held_out_copies)}"
            rows.append(_row(name, f"Copies of {learned_from}", _share(novelty.copies), held_out, novelty.copies.value))
            same, of_held_out = novelty.same_beat, novelty.held_out_same_beat
            held_out = NONE if of_held_out is None else f"held-out: {_share(of_held_out)}"
            rows.append(_row(name, f"The median beat of one of {learned_from}", _share(same), held_out, same.value))
            if novelty.copies_of_held_out is not None:
                copied = novelty.copies_of_held_out
                rows.append(_row(name, "Copies of held-out ECGs", _share(copied), NONE, copied.value))
            rows += [
                _row(name, f"Nearest of {learned_from}, {words}: median correlation", *_medians(novelty, column))
                for words, column in (("by course", "correlation_training"), ("by beat", "beat_correlation_training"))
            ]
            for words, area in (("course", novelty.membership), ("median beat", novelty.beat_membership)):
                if area is not None:
                    rows.append(
                        _row(name, f"Attacker's area, by the {words}", _area(area), "0.50 is a guess", area.value)
                    )
        if judgement.repeats is not None:
            real, generated = (each.share for each in judgement.repeats)
            rows.append(
                _row(name, "Copies within the set", _share(generated), f"real: {_share(real)}", generated.value)
            )
    return ShownTable(("Set", "What", "Generated (95 % interval)", "Yardstick"), rows)


def _row(name: str, what: str, text: str, yardstick: str, value: float | None = None) -> list[Cell]:
    return [Cell(name), Cell(what), Cell(text, value), Cell(yardstick)]


def _value_cell(value: float, low: float, high: float) -> Cell:
    if not np.isfinite(value):
        return Cell(NONE, None, "none")
    ends = f" ({plain(low, 3)} to {plain(high, 3)})" if np.isfinite(low) else ""
    return Cell(plain(value, 3) + ends, float(value))


def _share(share: Proportion) -> str:
    if not share.num_all:
        return NONE
    return f"{share.num_records:,} of {share.num_all:,} ({percent(share.low)} to {percent(share.high)})"


def _area(area: Area) -> str:
    if not np.isfinite(area.value):
        return "too few patients"
    return f"{area.value:.2f} ({area.low:.2f} to {area.high:.2f})"


def _medians(novelty: Novelty, column: str) -> tuple[str, str, float]:
    """Of the generated records, and of the held-out ones beside them."""
    value = float(novelty.nearest[column].median())
    held_out = NONE
    if novelty.held_out_nearest is not None:
        held_out = f"held-out: {plain(float(novelty.held_out_nearest[column].median()), 2)}"
    return plain(value, 2), held_out, value
