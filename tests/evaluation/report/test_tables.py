import numpy as np
import pandas as pd

from ecggan.evaluation.report.cells import DECIMALS, difference_cell, finding_cell, number_cell, p_cell
from ecggan.evaluation.report.tables import Cell, ShownTable, detail_table, plain_table, to_latex, to_markdown
from ecggan.measurement.columns import MEASUREMENTS, display_name

TABLE = ShownTable(("Set & more", "x"), [[Cell("a_b 5 %"), Cell("−1.0 ± 2.0 °", -1.0)]])


def test_numbers_are_rounded_by_their_unit_and_missing_ones_marked() -> None:
    facts = {"difference": -0.1234, "difference_low": -0.2, "difference_high": np.nan, "margin": 0.05, "finding": ""}
    assert difference_cell({**facts, "difference_high": 0.01}, "mV").text == "−0.123 (−0.200 to +0.010)"
    assert difference_cell({**facts, "difference": np.nan}, "ms").text == "–"
    assert number_cell(np.nan, 1) == Cell("–", None, "none")
    assert p_cell(0.0004) == Cell("< 0.001", 0.0004)
    assert p_cell(np.nan).text == "–"
    assert finding_cell(facts).text == "no margin"
    beyond = finding_cell({**facts, "finding": "beyond the margin"})
    assert (beyond.text, beyond.style) == ("2.5, beyond the margin", "bad")


def test_every_unit_of_a_measurement_has_its_decimals() -> None:
    assert {display_name(column)[1] for column in MEASUREMENTS} <= set(DECIMALS)


def test_markdown_and_latex_hold_the_texts_escaped() -> None:
    assert to_markdown(TABLE).splitlines()[2].split("|")[1:3] == [" a_b 5 %      ", " −1.0 ± 2.0 ° "]
    latex = to_latex(TABLE, "One $\\pm$ SD.")
    assert r"a\_b 5 \% & $-$1.0 $\pm$ 2.0 \textdegree{} \\" in latex
    assert r"Set \& more & x \\" in latex
    assert r"\toprule" in latex
    assert r"\caption{One $\pm$ SD.}" in latex


def test_a_plain_table_keeps_its_texts() -> None:
    frame = pd.DataFrame({"a": ["1", "x"], "b": ["2", "y"]})
    assert plain_table(frame).frame().equals(frame)
    assert detail_table(pd.DataFrame(columns=["measurement"]), main=True).rows == []
