"""The tables of a report: in report.html, and for papers in Markdown and LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.comparison.published import PUBLISHED_COLUMN, PUBLISHED_CORRELATIONS_12SL
from ecggan.evaluation.formatting import count_of, interval, percent, points, sentence_case
from ecggan.evaluation.report.cells import (
    DECIMALS,
    Cell,
    count_and_share,
    count_cell,
    difference_cell,
    finding_cell,
    mean_and_sd_cell,
    name_cell,
    number_cell,
    p_cell,
    quartiles_cell,
)
from ecggan.evaluation.set_evaluation import SetEvaluation
from ecggan.measurement.columns import MAIN_MEASUREMENTS, display_name
from ecggan.measurement.normality.score import normality_score
from ecggan.measurement.normality.screen import RULES
from ecggan.stats.number_text import NONE
from ecggan.stats.proportions import difference_of

_SHARE_WORDS = {
    "measurable": "measurable as an ECG",
    "normal": "normal by the screen",
    "otherwise normal": "normal apart from rate and sinus rhythm",
    "normal by the score": f"probability of normal at least {normality_score().operating_point}",
}


@dataclass(frozen=True)
class ShownTable:
    """A table to read: headings, and rows of cells whose first names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def frame(self) -> pd.DataFrame:
        """Of its texts."""
        return pd.DataFrame([[cell.text for cell in row] for row in self.rows], columns=list(self.columns))


def share_table(assessment: Assessment) -> ShownTable:
    """How many records of each set are measurable and normal, and the differences from the real set."""
    rows = []
    for some in assessment.sets():
        for what, share in some.shares.items():
            difference = [Cell(NONE)] * 2
            if some is not assessment.real and what in assessment.real.shares:
                apart = difference_of(assessment.real.shares[what], share)
                reach = f"{points(apart.low)} to {points(apart.high)}"
                difference = [Cell(points(apart.value), apart.value), Cell(reach, apart.low)]
            reach = f"{percent(share.low)} to {percent(share.high)}"
            counts = Cell(count_of(share), share.num_records)
            name, words = Cell(some.name), Cell(_SHARE_WORDS[what])
            rows.append([name, words, counts, Cell(percent(share.value), share.value), Cell(reach), *difference])
    columns = ("Set", "Records", "Number", "Share", "95 % interval", "Against real, points", "95 % interval of that")
    return ShownTable(columns, rows)


def measurement_table(assessment: Assessment) -> ShownTable:
    """The main measurements of all sets side by side: mean ± SD, and each generated set's difference in margins."""
    compared = {name: j.comparison for name, j in assessment.evaluations.items() if j.comparison is not None}
    columns = ["Measurement", "Unit", "Margin", "real, mean ± SD"]
    for name in compared:
        columns += [f"{name}, mean ± SD", "Difference (95 % interval)", "In margins"]
    first = next(iter(compared.values()), pd.DataFrame({"measurement": []}))
    rows = []
    for measurement in first["measurement"]:
        if measurement not in MAIN_MEASUREMENTS:
            continue
        unit = display_name(measurement)[1]
        row: list[Cell] = []
        for table in compared.values():
            facts = table.set_index("measurement").loc[measurement].to_dict()
            if not row:
                row = [name_cell(measurement), Cell(unit), number_cell(facts["margin"], DECIMALS[unit])]
                row += [mean_and_sd_cell(facts, "real", unit)]
            row += [mean_and_sd_cell(facts, "generated", unit), difference_cell(facts, unit), finding_cell(facts)]
        rows.append(row)
    return ShownTable(columns, rows)


def detail_table(comparison: pd.DataFrame, main: bool) -> ShownTable:
    """All other figures of each measurement of one generated set."""
    columns = (
        *("Measurement", "Unit", "real: n", "median (quartiles)", "generated: n", "median (quartiles)"),
        *("Difference (95 % interval)", "Hedges' g", "p, means", "p, shape", "KS distance", "Wasserstein"),
        *("same size", "real halves", "Margin", "p, equivalent", "p, beyond"),
    )
    rows = []
    for facts in comparison.to_dict("records"):
        if (facts["measurement"] in MAIN_MEASUREMENTS) != main:
            continue
        unit = facts["unit"]
        p_style = "notable" if facts["differs"] else ""
        rows.append(
            [
                *(name_cell(facts["measurement"]), Cell(unit)),
                *(
                    cell
                    for which in ("real", "generated")
                    for cell in (count_cell(facts, which), quartiles_cell(facts, which))
                ),
                *(difference_cell(facts, unit), number_cell(facts["hedges_g"], 2, has_sign=True)),
                *(p_cell(facts["p_difference_corrected"], p_style), p_cell(facts["p_distribution_corrected"], p_style)),
                *(number_cell(facts["ks_distance"], 3), number_cell(facts["wasserstein_distance"], DECIMALS[unit])),
                number_cell(facts["same_size_wasserstein_distance"], DECIMALS[unit]),
                number_cell(facts["null_wasserstein_distance"], DECIMALS[unit]),
                *(number_cell(facts["margin"], DECIMALS[unit]), p_cell(facts["p_equivalence"])),
                p_cell(facts["p_beyond_corrected"]),
            ]
        )
    return ShownTable(columns, rows)


def relation_table(evaluation: SetEvaluation, kind: str) -> ShownTable:
    """The ``correlation`` or the ``slope`` of pairs of measurements."""
    is_slope = kind == "slope"
    last = "Unit of the slope" if is_slope else PUBLISHED_COLUMN
    columns = ("Pair", f"{kind.capitalize()}: real", "generated", "Difference (95 % interval)", "real halves", last)
    digits, rows = (3 if is_slope else 2), []
    for facts in evaluation.relations.to_dict("records") if evaluation.relations is not None else []:
        pair = (facts["x"], facts["y"])
        words = sentence_case(" and ".join(display_name(name)[0] for name in pair))
        value, low, high = (facts[f"{kind}_{end}"] for end in ("difference", "low", "high"))
        published = number_cell(PUBLISHED_CORRELATIONS_12SL.get(pair, np.nan), digits)
        rows.append(
            [
                Cell(words),
                *(number_cell(facts[f"{which}_{kind}"], digits) for which in ("real", "generated")),
                Cell(interval(value, low, high, digits), value, "notable" if facts[f"{kind}_differs"] else ""),
                number_cell(facts[f"null_{kind}_difference"], digits),
                Cell(facts["slope_unit"] or NONE) if is_slope else published,
            ]
        )
    return ShownTable(columns, rows)


def signal_table(evaluation: SetEvaluation) -> ShownTable:
    """Lead correlations, power by band and, if derived leads are stored, Einthoven's law."""
    columns = (
        *("Of whole signals", "Unit", "real, mean ± SD", "generated, mean ± SD", "Difference (95 % interval)"),
        *("p, means", "KS distance", "real halves"),
    )
    rows = []
    for facts in evaluation.signals.to_dict("records") if evaluation.signals is not None else []:
        words, unit = display_name(facts["measurement"])
        rows.append(
            [
                *(Cell(sentence_case(words)), Cell(unit or NONE)),
                *(mean_and_sd_cell(facts, which, unit) for which in ("real", "generated")),
                *(
                    difference_cell(facts, unit),
                    p_cell(facts["p_difference_corrected"], "notable" if facts["differs"] else ""),
                ),
                *(number_cell(facts["ks_distance"], 3), number_cell(facts["null_ks_distance"], 3)),
            ]
        )
    return ShownTable(columns, rows)


def rule_table(assessment: Assessment) -> ShownTable:
    """How many records of each set fail each rule of the screen."""
    screened = [some for some in assessment.sets() if some.num_by_rule is not None]
    rows = []
    for rule in RULES.values():
        counts = [(some.num_by_rule or {}).get(rule.name) for some in screened]
        shares = [
            Cell("off") if count is None else Cell(count_and_share(count, len(some.table)), count)
            for count, some in zip(counts, screened, strict=True)
        ]
        rows.append([Cell(rule.title), *shares, Cell(rule.source)])
    return ShownTable(("A normal ECG shows", *(f"{some.name}: fail" for some in screened), "Source"), rows)


def missing_table(some: AssessedSet) -> ShownTable:
    """What is missing, and why: whole records first."""
    lines = [(f"The record: {reason}", count) for reason, count in reasons_not_measurable(some.table).items()]
    lines += list(reasons_missing(some.table).items())
    rows = [
        [Cell(text), Cell(f"{n:,}", n), Cell(percent(n / len(some.table)), n / len(some.table))] for text, n in lines
    ]
    return ShownTable(("What and why", "Records", "Share of the set"), rows)


def reasons_not_measurable(table: pd.DataFrame) -> dict[str, int]:
    """Reason -> number of records."""
    return {str(reason): int(n) for reason, n in table.loc[~table["is_measurable"], "reason"].value_counts().items()}


def reasons_missing(table: pd.DataFrame) -> dict[str, int]:
    """What is missing in measurable records, and the reason -> number of records."""
    reasons = table.loc[table["is_measurable"], "missing"].str.split("; ").explode()
    return {str(reason): int(n) for reason, n in reasons[reasons.fillna("") != ""].value_counts().items()}


def plain_table(frame: pd.DataFrame) -> ShownTable:
    """A table of texts."""
    rows = [[Cell(str(value)) for value in row] for row in frame.itertuples(index=False)]
    return ShownTable([str(column) for column in frame], rows)


def to_markdown(table: ShownTable) -> str:
    return str(table.frame().to_markdown(index=False, disable_numparse=True)) + "\n"


def to_latex(table: ShownTable, caption: str) -> str:
    """For a paper that uses booktabs. The caption is taken as LaTeX."""
    styled = table.frame().style.hide(axis="index").format(escape="latex").format_index(escape="latex", axis="columns")
    written = str(styled.to_latex(hrules=True, caption=caption, column_format="l" + "r" * (len(table.columns) - 1)))
    for char, command in _LATEX.items():
        written = written.replace(char, command)
    return written


_LATEX = {"−": "$-$", "±": r"$\pm$", "°": r"\textdegree{}", "µ": r"\textmu{}", "–": "--", "<": "$<$", ">": "$>$"}
