"""The verdict in plain words: are the generated ECGs realistic, and are they normal, and how sure is that.

Every sentence follows from figures by a rule that is stated here; none is chosen by eye.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ecggan.evaluation.columns import MAIN_MEASUREMENTS, display_name
from ecggan.evaluation.inference import BEYOND, EQUIVALENT, FEWEST_PATIENTS, UNDECIDED
from ecggan.evaluation.shares import Share, difference_of

SHARE_MARGIN = 0.05  # by which the share of measurable, or of normal, records may be lower before it matters

Level = Literal["none", "far", "undecided", "close", "same"]


@dataclass(frozen=True)
class Verdict:
    """What is said of a generated set.

    Args:
        level: ``far`` (something lies beyond its margin), ``undecided`` (too few records to know), ``close`` (every
            mean within its margin, yet the sets can be told apart), ``same`` (they cannot), ``none`` (nothing judged).
        headline: in one sentence.
        sentences: the figures behind it.
    """

    level: Level
    headline: str
    sentences: Sequence[str]


def judge(comparison: pd.DataFrame, real: Mapping[str, Share], generated: Mapping[str, Share]) -> Verdict:
    """Judge a generated set by its comparison with the real one and by both sets' shares.

    Only the main measurements count, those that have a margin. The shares of measurable and of normal records count as
    lower where the whole interval of their difference lies more than five points below the real set's.

    Args:
        comparison: of [compare][ecggan.evaluation.comparison.compare].
        real: the shares ``measurable`` and, where the screen was asked, ``normal`` of the real set.
        generated: those of the generated set.
    """
    main = comparison[comparison["measurement"].isin(MAIN_MEASUREMENTS)]
    judged = main[main["margin"].notna() & (main["num_real"] > 0) & (main["num_generated"] > 0)]
    names = {finding: _names(judged[judged["finding"] == finding]) for finding in (EQUIVALENT, BEYOND, UNDECIDED)}
    apart = _names(main[main["differs"].astype(bool)])
    lower = {what: _is_lower(real[what], generated[what]) for what in real if what in generated}
    sentences = _sentences(names, apart, len(main), len(judged))
    sentences += [_share_sentence(what, real[what], generated[what]) for what in lower]
    if not len(judged):
        return Verdict("none", "Nothing can be said: no measurement could be had in both sets.", sentences)
    if sum(map(len, names.values())) == 0:
        headline = f"Nothing can be said of so few records: each set needs {FEWEST_PATIENTS} patients or more."
        return Verdict("none", headline, sentences)
    faults = [f"{len(names[BEYOND])} of {len(judged)} measurements lie beyond their margin"] if names[BEYOND] else []
    faults += [f"fewer of its ECGs are {what}" for what, is_lower in lower.items() if is_lower]
    if faults:
        return Verdict("far", f"Not like the real ECGs: {' and '.join(faults)}.", sentences)
    if len(names[EQUIVALENT]) < len(judged):
        open_ones = len(judged) - len(names[EQUIVALENT])
        headline = f"Undecided: for {open_ones} of {len(judged)} measurements the sets are too small to say."
        return Verdict("undecided", headline, sentences)
    if apart:
        headline = "Close to the real ECGs: every mean lies within its margin, but the sets can be told apart."
        return Verdict("close", headline, sentences)
    return Verdict("same", "Not to be told from the real ECGs by any of these measurements.", sentences)


def _sentences(names: Mapping[str, list[str]], apart: list[str], num_main: int, num_judged: int) -> list[str]:
    sentences = []
    if num_judged:
        sentences.append(
            f"Means: {len(names[EQUIVALENT])} of {num_judged} measurements are equivalent to the real set's, each "
            "tested at the 5 % level against the margin in its row."
        )
    if names[BEYOND]:
        sentences.append(f"Beyond the margin: {_listed(names[BEYOND])}.")
    if names[UNDECIDED]:
        sentences.append(f"Undecided, for want of records: {_listed(names[UNDECIDED])}.")
    if apart:
        sentences.append(
            f"Told apart, by the mean or the shape of their distribution: {len(apart)} of {num_main} measurements "
            f"({_listed(apart)}). With thousands of records that finds differences too small to matter: mind the size."
        )
    elif num_main:
        sentences.append(f"None of the {num_main} measurements can be told apart by its mean or its distribution.")
    return sentences


def _share_sentence(what: str, real: Share, generated: Share) -> str:
    difference = difference_of(real, generated)
    return (
        f"{what.capitalize()}: {_percent(generated.value)} of the generated ECGs ({_percent(generated.low)} to "
        f"{_percent(generated.high)}), {_percent(real.value)} of the real ones ({_percent(real.low)} to "
        f"{_percent(real.high)}); difference {_points(difference.value)} points "
        f"({_points(difference.low)} to {_points(difference.high)})."
    )


def _is_lower(real: Share, generated: Share) -> bool:
    return bool(difference_of(real, generated).high < -SHARE_MARGIN)


def _names(rows: pd.DataFrame) -> list[str]:
    return [display_name(measurement)[0] for measurement in rows["measurement"]]


def _listed(names: list[str]) -> str:
    """R amplitudes share their words: ``R amplitude in II, V5``."""
    in_lead = "R amplitude in "
    leads = [name.removeprefix(in_lead) for name in names if name.startswith(in_lead)]
    others = [name for name in names if not name.startswith(in_lead)]
    return "; ".join([*others, *([in_lead + ", ".join(leads)] if leads else [])])


def _percent(share: float) -> str:
    return "–" if share != share else f"{100 * share:.1f} %"


def _points(difference: float) -> str:
    return "–" if difference != difference else f"{100 * difference:+.1f}".replace("-", "−")
