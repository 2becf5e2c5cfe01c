"""The normality screen: is an ECG normal, and if not, why? An open stand-in for the "Normal ECG" of 12SL.

The paper evaluates its generators by the share of their ECGs that the analyser 12SL calls normal. 12SL is not free.
Here each finding that makes an ECG abnormal is a rule with a source that can be switched off, and every record
that is not normal has its reasons. The rules and their limits are in `rules`.

Rules on rate and intervals alone would call most abnormal ECGs normal, so there are rules on the shape of the waves
too. `python -m ecggan.evaluation.validation ptbxl_root=PTBXL` measures the agreement with PTB-XL's cardiologists
(docs/results/screen.md): of its normal ECGs about nine in ten pass, of the others about four in five fail. Compare
real and generated ECGs by this screen, not its share with that of 12SL. It is no diagnosis.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ecggan import checks
from ecggan.measurement.normality.criteria import texts_where
from ecggan.measurement.normality.rules import RULES as RULES
from ecggan.measurement.normality.rules import Rule as Rule
from ecggan.measurement.normality.score import normality_score

RATE_AND_RHYTHM = ("rate", "rhythm")
"""The rules that an analyser's "otherwise normal ECG" leaves out: bradycardia, tachycardia, sinus arrhythmia."""


def screen(table: pd.DataFrame, rules: Mapping[str, bool] | None = None) -> pd.DataFrame:
    """Apply every rule to every record; a record that breaks one is not normal.

    Each record is judged by its own row alone. A record that is not measurable is not normal, whichever rules are on.
    Rules about leads that a set does not have do not apply to it, and the score needs all twelve (or the eight that
    they follow from), so records of fewer leads pass much more easily: compare sets of the same leads only. The limits
    and the score were chosen on measurements of the median beat and fit no other delineation.

    Args:
        table: of [measure][ecggan.measurement.measure_set.measure].
        rules: which of the [RULES][] to switch on or off; the others are on.

    Returns:
        `record`; `is_normal`; `is_otherwise_normal`, normal but for the rules on rate and rhythm, [RATE_AND_RHYTHM][];
        `probability_normal` after [score][ecggan.measurement.normality.score], NaN if the record is not measurable or
        the set lacks a lead; `is_normal_by_score`, whether that is at least the score's operating point; and the
        `reasons`, joined by semicolons and empty for a normal record.

    Raises:
        ValueError: a rule is unknown, or the table lacks a column that the rules need.
    """
    found = findings(table, rules)
    reasons = np.full(len(table), "", dtype=object)
    is_otherwise_normal = np.ones(len(table), dtype=bool)
    for column in found:
        texts = found[column].to_numpy(dtype=object)
        both = np.where((reasons != "") & (texts != ""), "; ", "")
        reasons = reasons + both + texts
        if column not in RATE_AND_RHYTHM:
            is_otherwise_normal &= texts == ""
    probability = normality_score().probability(table)
    return pd.DataFrame(
        {
            "record": table["record"].to_numpy(),
            "is_normal": reasons == "",
            "is_otherwise_normal": is_otherwise_normal,
            "probability_normal": probability,
            "is_normal_by_score": probability >= normality_score().operating_point,
            "reasons": reasons,
        }
    )


def findings(table: pd.DataFrame, rules: Mapping[str, bool] | None = None) -> pd.DataFrame:
    """The reason of each rule for each record: a column `not_measurable` and one a rule, empty for records that pass.

    Args and Raises: as of [screen][].
    """
    chosen = switched_on(rules)
    missing = [column for column in ("record", "is_measurable", "reason", "missing") if column not in table]
    if missing:
        raise ValueError(f"the table lacks {', '.join(missing)}; give the table that ecggan.measure returns")
    measurable = table["is_measurable"].to_numpy(dtype=bool)
    why_not = table["reason"].to_numpy(dtype=object)
    texts = {"not_measurable": texts_where(~measurable, lambda i: f"not measurable: {why_not[i] or 'no reason given'}")}
    for rule in chosen:  # a rule says nothing about an ECG that is not measurable
        texts[rule.name] = np.where(measurable, rule.why_not_normal(table), "")
    return pd.DataFrame(texts, index=table.index, dtype=object)


def share_normal(screened: pd.DataFrame) -> float:
    """The share of all records of [screen][]'s table that are normal; NaN without records.

    >>> share_normal(pd.DataFrame({"is_normal": [True, True, False, True]}))
    0.75
    """
    return float(screened["is_normal"].mean()) if len(screened) else float("nan")


def switched_on(rules: Mapping[str, bool] | None) -> list[Rule]:
    """The rules that are on; Args and Raises: as of [screen][]."""
    switches = dict(rules or {})
    unknown = [name for name in switches if name not in RULES]
    if unknown:
        raise ValueError(f"unknown rule {', '.join(map(repr, unknown))}; known are {', '.join(RULES)}")
    for name, is_on in switches.items():
        checks.flag(f"normality.{name}", is_on)
    return [rule for name, rule in RULES.items() if switches.get(name, True)]
