"""Would a reader call it a normal ECG, and if not, why? An open stand-in for the "Normal ECG" of 12SL.

The paper's own measure of its generators is the share of their ECGs that the analyser 12SL calls normal. 12SL is not
free; here each finding that makes an ECG abnormal is a rule that can be read, switched off and looked up, and every
record that is not normal says why. The rules and their limits are in `normality_rules`.

Rules on rate and intervals alone would call most abnormal ECGs normal, so the rules ask about the shape of the waves
too. How often the screen agrees with PTB-XL's cardiologists is measured by `python -m ecggan.evaluation.validation
ptbxl_root=PTBXL` and written down in docs/results.md: of its normal ECGs about nine in ten pass, of the others about
three in four fail. Compare real and generated ECGs by it, not one share with 12SL's; and it is no diagnosis.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ecggan.measurement.normality.conditions import texts_where
from ecggan.measurement.normality.rules import RULES as RULES
from ecggan.measurement.normality.rules import Rule as Rule


def screen(table: pd.DataFrame, rules: Mapping[str, bool] | None = None) -> pd.DataFrame:
    """Ask every rule about every record; whatever one of them finds makes the record not normal.

    Each record is judged by its own row alone. A record that is not measurable is not normal, whatever the rules. Rules
    about leads that a set does not have do not apply to it, so fewer leads pass more easily: compare sets of the same
    leads only.

    Args:
        table: of [measure][ecggan.measurement.measure_set.measure].
        rules: which of the [RULES][] to switch on or off; those that are not named are on.

    Returns:
        `record`, `is_normal`, and the `reasons`, joined by semicolons and empty for a normal record.

    Raises:
        ValueError: a rule is unknown, or the table lacks a column that the rules need.
    """
    found = findings(table, rules)
    reasons = np.full(len(table), "", dtype=object)
    for column in found:
        texts = found[column].to_numpy(dtype=object)
        both = np.where((reasons != "") & (texts != ""), "; ", "")
        reasons = reasons + both + texts
    return pd.DataFrame({"record": table["record"].to_numpy(), "is_normal": reasons == "", "reasons": reasons})


def findings(table: pd.DataFrame, rules: Mapping[str, bool] | None = None) -> pd.DataFrame:
    """What each rule says about each record: a column `not_measurable` and one a rule, empty where nothing is found.

    Args and Raises: as of [screen][].
    """
    chosen = switched_on(rules)
    missing = [column for column in ("record", "is_measurable", "reason", "missing") if column not in table]
    if missing:
        raise ValueError(f"the table lacks {', '.join(missing)}; give the table that ecggan.measure returns")
    measurable = table["is_measurable"].to_numpy(dtype=bool)
    why_not = table["reason"].to_numpy(dtype=object)
    texts = {"not_measurable": texts_where(~measurable, lambda i: f"not measurable: {why_not[i] or 'no reason given'}")}
    for rule in chosen:  # what is said of an ECG that could not be measured means nothing
        texts[rule.name] = np.where(measurable, rule.why_not_normal(table), "")
    return pd.DataFrame(texts, index=table.index, dtype=object)


def share_normal(screened: pd.DataFrame) -> float:
    """The share of all records of [screen][]'s table that are normal, those not measurable counted as not; NaN of none.

    >>> share_normal(pd.DataFrame({"is_normal": [True, True, False, True]}))
    0.75
    """
    return float(screened["is_normal"].mean()) if len(screened) else float("nan")


def switched_on(rules: Mapping[str, bool] | None) -> list[Rule]:
    """The rules that are asked; Args and Raises: as of [screen][]."""
    switches = dict(rules or {})
    unknown = [name for name in switches if name not in RULES]
    if unknown:
        raise ValueError(f"unknown rule {', '.join(map(repr, unknown))}; known are {', '.join(RULES)}")
    for name, is_on in switches.items():
        if not isinstance(is_on, bool):
            raise ValueError(f"normality.{name} must be true or false; got {is_on}")
    return [rule for name, rule in RULES.items() if switches.get(name, True)]
