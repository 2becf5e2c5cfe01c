"""The verdict on diversity: is a generated set as varied as real ECGs, and where real ECGs are?

As in `verdict`, each sentence follows from figures by a rule that is stated here.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ecggan.evaluation.formatting import count_of, percent
from ecggan.evaluation.verdict import REPEATED_SHARE, SHARE_MARGIN, Level, Verdict
from ecggan.stats.hypothesis_tests import LEVEL, corrected
from ecggan.stats.proportions import Proportion

TELLING_AREA = 0.75  # of a classifier: it ranks three of four pairs of a real and a generated ECG correctly
_WIDEST_BAND = 0.10  # of real halves; a wider one hides a set that lacks so much
_DIVERSITY, _REALISM = ("recall", "coverage"), ("precision",)
CLOUD_WORDS = {"measurements": "measurements", "beats": "median beats"}


def judge_diversity(clouds: pd.DataFrame | None, repeats: tuple[Proportion, Proportion] | None) -> Verdict:
    """Judge how varied a generated set is, and whether it is where real ECGs are.

    It lacks variety if recall or coverage, of the measurements or of the beats, is lower than between real halves, by a
    test corrected over these figures, and by more than five points; or if more than one in a hundred of its records,
    and a larger share than of real ones, have a copy in the set. It is beside real ECGs if precision is lower by the
    same rule, or if the whole interval of a classifier's area is above 0.75.

    Args:
        clouds: of [compare_clouds][ecggan.evaluation.fidelity.fidelity.compare_clouds], by the column `cloud`.
        repeats: the share of records with a copy in the set, of the real and of the generated set.
    """
    known = pd.DataFrame() if clouds is None else clouds[clouds["value"].notna()]
    sentences = [_coverage_sentence(rows) for _, rows in known.groupby("cloud", sort=False)] if len(known) else []
    repeating = []
    if repeats is not None:
        real, generated = repeats
        if generated.low > REPEATED_SHARE and not real.value >= generated.value:
            repeating = [f"it repeats itself ({count_of(generated)})"]
        sentences.append(
            f"Copies within the set: {count_of(generated)} have one; of real ones, of other patients, {count_of(real)}."
        )
    if not len(known):
        if repeating:
            return Verdict("far", f"Less varied than real ECGs: {repeating[0]}.", sentences)
        return Verdict("none", "Nothing can be said of its variety: too few records.", sentences)
    band = known[known["figure"].isin([*_DIVERSITY, *_REALISM])]
    is_lower = corrected(band["p_value"].to_numpy(float)) < LEVEL
    lower = band[is_lower & (band["null_mean"] - band["value"] > SHARE_MARGIN)]
    areas = known[known["figure"] == "classifier_auc"]
    telling = areas[areas["low"] > TELLING_AREA]
    faults = _fault("it lacks a part of what real ECGs are", lower[lower["figure"].isin(_DIVERSITY)]) + repeating
    beside = _fault("it holds ECGs that are not like real ones", lower[~lower["figure"].isin(_DIVERSITY)])
    beside += _fault("a classifier tells them apart", telling)
    sentences += [_area_sentence(row) for row in areas.to_dict("records")]
    level: Level
    if faults:
        return Verdict("far", f"Less varied than real ECGs: {'; '.join([*faults, *beside])}.", sentences)
    if beside:
        return Verdict("far", f"Not where real ECGs lie: {'; '.join(beside)}.", sentences)
    is_told_apart = bool((corrected(known["p_value"].to_numpy(float)) < LEVEL).any())
    if (band["null_mean"] - band["null_low"]).max() > _WIDEST_BAND:
        apart = "The sets can be told apart as a whole, but they" if is_told_apart else "Undecided: the sets"
        level, headline = "undecided", f"{apart} are too small to say whether it is as varied."
    elif is_told_apart:
        level, headline = "close", "About as varied as real ECGs, but the sets can be told apart as a whole."
    else:
        level, headline = (
            "same",
            "As varied as real ECGs: nothing is lacking, and nothing tells the sets apart as a whole.",
        )
    return Verdict(level, headline, sentences)


def _fault(words: str, rows: pd.DataFrame) -> list[str]:
    """The words and the clouds of which they are true; nothing where there is none."""
    clouds = " and ".join(CLOUD_WORDS[cloud] for cloud in dict.fromkeys(rows["cloud"]))
    return [f"{words}, by {clouds}"] if clouds else []


def _coverage_sentence(rows: pd.DataFrame) -> str:
    figures = rows.set_index("figure").to_dict("index")
    shares = [
        f"{name} {percent(figures[name]['value'])} ({percent(figures[name]['null_mean'])}, "
        f"{percent(figures[name]['null_low'])} to {percent(figures[name]['null_high'])})"
        for name in ("coverage", "recall", "precision")
        if name in figures
    ]
    return (
        f"By {CLOUD_WORDS[rows['cloud'].iloc[0]]} (in brackets: between halves of the real set): {', '.join(shares)}."
    )


def _area_sentence(row: Mapping[Any, Any]) -> str:
    return (
        f"A classifier tells generated from real ECGs by {CLOUD_WORDS[row['cloud']]} with an area of "
        f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f}); 0.5 is a guess."
    )
