"""In plain words: are the generated ECGs as varied as real ones, and are they new.

As in `verdict`, every sentence follows from figures by a rule that is stated here.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ecggan.evaluation.formatting import percent
from ecggan.evaluation.memorization.membership import SAME_BEAT, Area, Novelty, Repeats
from ecggan.evaluation.verdict import SHARE_MARGIN, Level, Verdict
from ecggan.stats.hypothesis_tests import LEVEL, corrected
from ecggan.stats.proportions import Proportion, p_fewer

REPEATED_SHARE = 0.01
TELLING_AREA = 0.75  # of a classifier: three pairs of a real and a generated ECG in four are told
LEAK_AREA = 0.55  # of an attacker, who has 0.5 by guessing
_HELD_OUT_NEEDED = 200  # for an interval of ± 0.04
_WIDEST_BAND = 0.10  # of real halves, beyond which a set that lacks so much could not be told from one that does not
_VARIETY, _REALISM = ("recall", "coverage"), ("precision",)
CLOUD_WORDS = {"measurements": "measurements", "beats": "median beats"}


def judge_diversity(clouds: pd.DataFrame | None, repeats: tuple[Repeats, Repeats] | None) -> Verdict:
    """Judge how varied a generated set is, and whether it lies where real ECGs lie.

    It lacks variety where recall or coverage, of the measurements or of the beats, is lower than between real halves,
    by a test corrected over these figures, and by more than five points; or where more than one in a hundred of its
    records, and a larger share than of real ones, have a copy in the set. It lies beside real ECGs where precision is
    lower likewise, or where a classifier's area lies wholly above 0.75.

    Args:
        clouds: of [compare_clouds][ecggan.evaluation.fidelity.fidelity.compare_clouds], by the column `cloud`.
        repeats: in the real and in the generated set.
    """
    known = pd.DataFrame() if clouds is None else clouds[clouds["value"].notna()]
    sentences = [_coverage_sentence(rows) for _, rows in known.groupby("cloud", sort=False)] if len(known) else []
    repeating = []
    if repeats is not None:
        real, generated = (each.share for each in repeats)
        if generated.low > REPEATED_SHARE and not real.value >= generated.value:
            repeating = [f"it repeats itself ({_count(generated)})"]
        sentences.append(
            f"Copies within the set: {_count(generated)} have one; of real ones, of other patients, {_count(real)}."
        )
    if not len(known):
        if repeating:
            return Verdict("far", f"Less varied than real ECGs: {repeating[0]}.", sentences)
        return Verdict("none", "Nothing can be said of its variety: too few records.", sentences)
    band = known[known["figure"].isin([*_VARIETY, *_REALISM])]
    is_lower = corrected(band["p_value"].to_numpy(float)) < LEVEL
    lower = band[is_lower & (band["null_mean"] - band["value"] > SHARE_MARGIN)]
    areas = known[known["figure"] == "classifier_auc"]
    telling = areas[areas["low"] > TELLING_AREA]
    faults = _fault("it lacks a part of what real ECGs are", lower[lower["figure"].isin(_VARIETY)]) + repeating
    beside = _fault("it holds ECGs that are not like real ones", lower[~lower["figure"].isin(_VARIETY)])
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


def judge_memorization(novelty: Novelty | None, is_training_known: bool) -> Verdict:
    """Judge whether generated ECGs are new.

    They are not where there is a copy of a training or of a held-out ECG; where more of them than of held-out ECGs have
    a training ECG's median beat, by Fisher's exact test (undecided for more than one in a hundred, where the held-out
    ECGs are too few for that test); or where an attacker's area lies wholly above 0.55, or below
    0.45, which is a leak of the held-out ECGs. They are new where both areas lie wholly between.

    Args:
        novelty: of [assess_novelty][ecggan.evaluation.memorization.membership.assess_novelty].
        is_training_known: whether it is of the training ECGs; else it is of the real set.
    """
    if novelty is None:
        return Verdict("none", "Nothing can be said of whether the ECGs are new: this part failed.", [])
    what = "training ECGs" if is_training_known else "the real set's ECGs"
    areas = {"the course of 6.5 s": novelty.membership, "the median beat": novelty.beat_membership}
    known = {words: area for words, area in areas.items() if area is not None and area.value == area.value}
    sentences = [
        f"Copies: {_copies(novelty.copies)} of {what}{_held_out_words(novelty.held_out_copies)}.",
        f"Median beat: {_count(novelty.same_beat)} have that of one of {what} (correlation {SAME_BEAT:g} or more)"
        f"{_held_out_words(novelty.held_out_same_beat)}.",
        *(_membership_sentence(words, area) for words, area in known.items()),
    ]
    for share, whose in ((novelty.copies, what), (novelty.copies_of_held_out, "held-out ECGs")):
        if share is not None and share.num_records:
            return Verdict("far", f"Not new: {_copies(share)} of {whose}.", sentences)
    if not novelty.num_recognisable:
        return Verdict("none", "Nothing can be said of whether they are new: they hold no signal.", sentences)
    if not is_training_known:
        headline = "Not known whether they are new: the ECGs that the generator learned from were not given."
        return Verdict("none", headline, sentences)
    if novelty.held_out_same_beat is not None and p_fewer(novelty.held_out_same_beat, novelty.same_beat) < LEVEL:
        return Verdict("far", "Not new: too many have the median beat of a training ECG.", sentences)
    if any(area.low > LEAK_AREA for area in known.values()):
        headline = "Not new: who was in the training can be told from the generated ECGs."
        return Verdict("far", headline, sentences)
    if any(area.high < 1 - LEAK_AREA for area in known.values()):
        headline = (
            "Not new: they are nearer to held-out ECGs than to training ECGs. Was the training set the one given?"
        )
        return Verdict("far", headline, sentences)
    needed = f"some {_HELD_OUT_NEEDED} held-out ECGs of other patients are needed, there are {novelty.num_held_out}"
    if not known:
        return Verdict("undecided", f"Undecided whether they are new: {needed}.", sentences)
    if any(area.high > LEAK_AREA or area.low < 1 - LEAK_AREA for area in known.values()):
        why = needed if novelty.num_held_out < _HELD_OUT_NEEDED else "an attacker may know a little, see below"
        return Verdict("undecided", f"Undecided whether they are new: {why}.", sentences)
    if novelty.same_beat.value > REPEATED_SHARE:
        headline = "No copies, but look at the ECGs that have the median beat of a training ECG: too few to judge."
        return Verdict("undecided", headline, sentences)
    if any(not area.low <= 0.5 <= area.high for area in known.values()):
        return Verdict("close", "New: no copies, and an attacker learns next to nothing of the training.", sentences)
    return Verdict("same", "New: no copies, and training ECGs are no nearer than held-out ones.", sentences)


def _fault(words: str, rows: pd.DataFrame) -> list[str]:
    """The words and the clouds of which they are true; nothing where there is none."""
    clouds = " and ".join(CLOUD_WORDS[cloud] for cloud in dict.fromkeys(rows["cloud"]))
    return [f"{words}, by {clouds}"] if clouds else []


def _coverage_sentence(rows: pd.DataFrame) -> str:
    figures = rows.set_index("figure").to_dict("index")
    said = [
        f"{name} {percent(figures[name]['value'])} ({percent(figures[name]['null_mean'])}, "
        f"{percent(figures[name]['null_low'])} to {percent(figures[name]['null_high'])})"
        for name in ("coverage", "recall", "precision")
        if name in figures
    ]
    return f"By {CLOUD_WORDS[rows['cloud'].iloc[0]]} (in brackets: between halves of the real set): {', '.join(said)}."


def _area_sentence(row: Mapping[Any, Any]) -> str:
    return (
        f"A classifier tells generated from real ECGs by {CLOUD_WORDS[row['cloud']]} with an area of "
        f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f}); 0.5 is a guess."
    )


def _membership_sentence(words: str, area: Area) -> str:
    return (
        f"An attacker who looks at {words} tells training from held-out ECGs with an area of {area.value:.2f} "
        f"({area.low:.2f} to {area.high:.2f}); 0.5 is a guess."
    )


def _held_out_words(share: Proportion | None) -> str:
    return "" if share is None else f"; of held-out ones {_count(share)}"


def _copies(share: Proportion) -> str:
    return f"{_count(share)} {'is a copy' if share.num_records == 1 else 'are copies'}"


def _count(share: Proportion) -> str:
    return f"{share.num_records:,} of {share.num_all:,}"
