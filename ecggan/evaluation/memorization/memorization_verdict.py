"""The verdict on memorization: are generated ECGs new?

As in `verdict`, each sentence follows from figures by a rule that is stated here.
"""

from ecggan.evaluation.formatting import count_of
from ecggan.evaluation.memorization.membership import SAME_BEAT, Novelty
from ecggan.evaluation.memorization.roc_area import Area
from ecggan.evaluation.verdict import REPEATED_SHARE, Verdict
from ecggan.stats.hypothesis_tests import LEVEL
from ecggan.stats.proportions import Proportion, p_fewer

LEAK_AREA = 0.55  # of an attacker, who has 0.5 by guessing
_HELD_OUT_NEEDED = 200  # for an interval of ± 0.04


def judge_memorization(novelty: Novelty | None, is_training_known: bool) -> Verdict:
    """Judge whether generated ECGs are new.

    They are not new if one is a copy of a training or of a held-out ECG; if more of them than of held-out ECGs have a
    training ECG's median beat, by Fisher's exact test (undecided for more than one in a hundred if the held-out ECGs
    are too few for that test); or if the whole interval of an attacker's area is above 0.55, or below 0.45, which is a
    leak of the held-out ECGs. They are new if the intervals of both areas are between.

    Args:
        novelty: of [assess_novelty][ecggan.evaluation.memorization.membership.assess_novelty].
        is_training_known: whether `novelty` is about the training ECGs; otherwise about the real set.
    """
    if novelty is None:
        return Verdict("none", "Nothing can be said of whether the ECGs are new: this part failed.", [])
    what = "training ECGs" if is_training_known else "the real set's ECGs"
    areas = {"the segment of 6.5 s": novelty.membership, "the median beat": novelty.beat_membership}
    known = {words: area for words, area in areas.items() if area is not None and area.value == area.value}
    sentences = [
        f"Copies: {_copies(novelty.copies)} of {what}{_held_out_words(novelty.held_out_copies)}.",
        f"Median beat: {count_of(novelty.same_beat)} have that of one of {what} (correlation {SAME_BEAT:g} or more)"
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


def _membership_sentence(words: str, area: Area) -> str:
    return (
        f"An attacker who looks at {words} tells training from held-out ECGs with an area of {area.value:.2f} "
        f"({area.low:.2f} to {area.high:.2f}); 0.5 is a guess."
    )


def _held_out_words(share: Proportion | None) -> str:
    return "" if share is None else f"; of held-out ones {count_of(share)}"


def _copies(share: Proportion) -> str:
    return f"{count_of(share)} {'is a copy' if share.num_records == 1 else 'are copies'}"
