"""The verdict on realism and normality of a generated set, with its certainty.

Each sentence follows from figures by a rule that is stated here; none is chosen by eye.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ecggan.evaluation.formatting import percent, points
from ecggan.measurement.columns import MAIN_MEASUREMENTS, display_name
from ecggan.stats.hypothesis_tests import FEWEST_PATIENTS, Finding
from ecggan.stats.proportions import Proportion, difference_of, share_of_number

SHARE_MARGIN = 0.05  # by which the share of measurable, or of normal, records may be lower before it matters

Level = Literal["none", "far", "undecided", "close", "same"]


@dataclass(frozen=True)
class Verdict:
    """The answer to one question about a generated set.

    Args:
        level: ``far`` (beyond a margin, or lacking), ``undecided`` (too few records), ``close`` (every mean within
            its margin, yet the sets can be told apart), ``same`` (they cannot), ``none`` (no answer).
        headline: in one sentence.
        sentences: the figures behind it.
    """

    level: Level
    headline: str
    sentences: Sequence[str]


def judge(
    comparison: pd.DataFrame,
    real: Mapping[str, Proportion],
    generated: Mapping[str, Proportion],
    why_few_patients: str = "",
) -> Verdict:
    """Judge a generated set by its comparison with the real one and by both sets' shares.

    Only the main measurements count. A share (of measurable records; of normal ones by each verdict of the screen, and
    by its score at one operating point; or of those that have a measurement) counts as lower if the whole interval of
    its difference is more than five points below the real set's.

    Args:
        comparison: of [compare][ecggan.evaluation.comparison.comparison.compare].
        real: the shares ``measurable`` and, if the screen ran, of its verdicts, of the real set; see
            [shares_of][ecggan.stats.proportions.shares_of].
        generated: those of the generated set.
        why_few_patients: a sentence for the case that the real set has too few patients; empty for none.
    """
    main = comparison[comparison["measurement"].isin(MAIN_MEASUREMENTS)]
    compared = main[(main["num_real"] > 0) & (main["num_generated"] > 0)]
    judged = compared[compared["margin"].notna()]
    found = {name: _names(judged[judged["finding"] == name]) for name in Finding}
    tested = compared[compared["difference_low"].notna()]  # there are intervals where there are records enough
    apart = _names(tested[tested["differs"].astype(bool)])
    lower = [what for what in real if what in generated and _is_lower(real[what], generated[what])]
    lacking = _names(_lacking(main, real["measurable"], generated["measurable"]))
    sentences = _sentences(found, apart, len(tested), lacking)
    sentences += [_share_sentence(what, real[what], generated[what]) for what in real if what in generated]
    faults = (
        [f"{len(found[Finding.BEYOND])} of {len(judged)} measurements lie beyond their margin"]
        if found[Finding.BEYOND]
        else []
    )
    faults += [f"fewer of its ECGs are {_in_words(lower)}"] if lower else []
    faults += [f"{_listed(lacking)} can be had in fewer of them"] if lacking else []
    if faults:
        return Verdict("far", f"Not like the real ECGs: {', and '.join(faults)}.", sentences)
    for name, share in (("real", real["measurable"]), ("generated", generated["measurable"])):
        if not share.num_records:
            what = "is empty" if not share.num_all else "has no measurable record"
            return Verdict("none", f"Nothing can be said: the {name} set {what}.", sentences)
    if not len(judged):
        return Verdict("none", "Nothing can be said: no measurement could be had in both sets.", sentences)
    num_few = len(found[Finding.TOO_FEW])
    if num_few == len(judged):
        headline = f"Nothing can be said: each set needs measurable records of {FEWEST_PATIENTS} patients or more."
        return Verdict("none", headline, [why_few_patients, *sentences] if why_few_patients else sentences)
    if len(found[Finding.EQUIVALENT]) < len(judged):
        open_ones = len(judged) - len(found[Finding.EQUIVALENT])
        headline = f"Undecided: for {open_ones} of {len(judged)} measurements the sets are too small to say."
        return Verdict("undecided", headline, sentences)
    if apart:
        headline = "Close to the real ECGs: every mean lies within its margin, but the sets can be told apart."
        return Verdict("close", headline, sentences)
    return Verdict("same", f"Not to be told from the real ECGs by any of {len(tested)} measurements.", sentences)


def _lacking(main: pd.DataFrame, real: Proportion, generated: Proportion) -> pd.DataFrame:
    """The measurements that a smaller share of the measurable records have than in the real set."""
    if not (real.num_records and generated.num_records):
        return main.iloc[:0]

    def share(number: int, of: Proportion) -> Proportion:
        return share_of_number(int(number), of.num_records, of.effective_sample_size * of.value)

    pairs = zip(main["num_real"], main["num_generated"], strict=True)
    return main[[_is_lower(share(a, real), share(b, generated)) for a, b in pairs]]


def _sentences(
    found: Mapping[Finding, list[str]], apart: Sequence[str], num_tested: int, lacking: Sequence[str]
) -> list[str]:
    sentences = []
    num_judged = sum(map(len, found.values())) - len(found[Finding.TOO_FEW])
    if num_judged:
        sentences.append(
            f"Means: {len(found[Finding.EQUIVALENT])} of {num_judged} measurements are equivalent to the real set's, "
            "each tested at the 5 % level against the margin in its row."
        )
    for finding, words in (
        (Finding.BEYOND, "Beyond the margin"),
        (Finding.UNDECIDED, "Undecided, for want of records"),
    ):
        if found[finding]:
            sentences.append(f"{words}: {_listed(found[finding])}.")
    if found[Finding.TOO_FEW] and num_judged:
        sentences.append(f"Too few records have them: {_listed(found[Finding.TOO_FEW])}.")
    if lacking:
        sentences.append(f"Fewer of the measurable records have them: {_listed(lacking)}.")
    if apart:
        sentences.append(
            f"Told apart, by the mean or the shape of their distribution: {len(apart)} of {num_tested} measurements "
            f"({_listed(apart)}). The more records, the smaller the differences that this finds: mind their size."
        )
    elif num_tested:
        sentences.append(f"None of {num_tested} measurements can be told apart by its mean or its distribution.")
    return sentences


def _share_sentence(what: str, real: Proportion, generated: Proportion) -> str:
    if not (real.num_all and generated.num_all):
        return f"{what.capitalize()}: nothing, as a set is empty."
    difference = difference_of(real, generated)
    return (
        f"{what.capitalize()}: {percent(generated.value)} of the generated ECGs ({percent(generated.low)} to "
        f"{percent(generated.high)}), {percent(real.value)} of the real ones ({percent(real.low)} to "
        f"{percent(real.high)}); difference {points(difference.value)} points "
        f"({points(difference.low)} to {points(difference.high)})."
    )


def _is_lower(real: Proportion, generated: Proportion) -> bool:
    return bool(difference_of(real, generated).high < -SHARE_MARGIN)


def _in_words(shares: Sequence[str]) -> str:
    """``measurable, normal and otherwise normal``."""
    *others, last = shares
    return f"{', '.join(others)} and {last}" if others else last


def _names(rows: pd.DataFrame) -> list[str]:
    return [display_name(measurement)[0] for measurement in rows["measurement"]]


def _listed(names: Sequence[str]) -> str:
    """R amplitudes are joined: ``R amplitude in II, V5``."""
    in_lead = "R amplitude in "
    leads = [name.removeprefix(in_lead) for name in names if name.startswith(in_lead)]
    others = [name for name in names if not name.startswith(in_lead)]
    return "; ".join([*others, *([in_lead + ", ".join(leads)] if leads else [])])


REPEATED_SHARE = 0.01
