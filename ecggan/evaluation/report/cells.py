"""Cells of a report's tables: a text and the value that sorts it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecggan.evaluation.formatting import interval, mean_and_sd, percent, sentence_case
from ecggan.measurement.columns import display_name
from ecggan.stats.hypothesis_tests import Finding
from ecggan.stats.number_text import NONE, plain, signed

DECIMALS = {"ms": 1, "bpm": 1, "°": 1, "mV": 3, "mV ms": 2, "dB": 1, "": 2, "µV": 0, "%": 1}

Facts = Mapping[Any, Any]
"""A row of a comparison."""


@dataclass(frozen=True)
class Cell:
    """A text, and the value that sorts it (None: the text does)."""

    text: str
    value: int | float | None = None
    style: str = ""


def name_cell(measurement: str) -> Cell:
    return Cell(sentence_case(display_name(measurement)[0]))


def mean_and_sd_cell(facts: Facts, which: str, unit: str) -> Cell:
    mean, sd = facts[f"{which}_mean"], facts[f"{which}_sd"]
    if not np.isfinite(mean):
        return Cell(NONE, None, "none")
    return Cell(mean_and_sd(mean, sd, DECIMALS[unit]), float(mean))


def quartiles_cell(facts: Facts, which: str) -> Cell:
    digits = DECIMALS[facts["unit"]]
    median, low, high = (facts[f"{which}_{figure}"] for figure in ("median", "q1", "q3"))
    if not np.isfinite(median):
        return Cell(NONE, None, "none")
    return Cell(f"{plain(median, digits)} ({plain(low, digits)} to {plain(high, digits)})", float(median))


def difference_cell(facts: Facts, unit: str) -> Cell:
    ends: list[float] = [facts[key] for key in ("difference", "difference_low", "difference_high")]
    return Cell(interval(ends[0], ends[1], ends[2], DECIMALS[unit]), float(ends[0]))


def finding_cell(facts: Facts) -> Cell:
    """The size of the difference in margins, and the finding."""
    if not facts["finding"]:
        return Cell("no margin", None, "none")
    size = abs(facts["difference"]) / facts["margin"]
    styles = {Finding.EQUIVALENT: "fine", Finding.BEYOND: "bad"}
    return Cell(f"{plain(size, 1)}, {facts['finding']}", float(size), styles.get(facts["finding"], "open"))


def count_cell(facts: Facts, which: str) -> Cell:
    return Cell(f"{facts[f'num_{which}']:,}", facts[f"num_{which}"])


def count_and_share(count: int, num_all: int) -> str:
    return f"{count:,} ({percent(count / num_all)})" if num_all else "0"


def p_cell(p: float, style: str = "") -> Cell:
    if not np.isfinite(p):
        return Cell(NONE, None, "none")
    return Cell("< 0.001" if p < 0.001 else f"{p:.3f}", float(p), style)


def number_cell(value: float, digits: int, has_sign: bool = False) -> Cell:
    if not np.isfinite(value):
        return Cell(NONE, None, "none")
    return Cell(signed(value, digits) if has_sign else plain(value, digits), float(value))
