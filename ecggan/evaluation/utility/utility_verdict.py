"""The verdict on use: does a generated set teach classifiers anything that real ECGs do not?

As in `verdict`, each sentence follows from figures by a rule that is stated here.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ecggan.evaluation.formatting import count_of, percent
from ecggan.evaluation.utility.copies import MANY
from ecggan.evaluation.utility.study import REAL, SHUFFLED, Utility, both
from ecggan.evaluation.verdict import Level, Verdict
from ecggan.stats.number_text import NONE, plain, signed

AS_MUCH = 0.05  # of an area, by which a set in the place of real ECGs may teach less and still teach as much


def judge_utility(found: Utility, name: str) -> Verdict:
    """Judge whether a generated set is of use.

    It is of use where real + generated ECGs teach more than real ones, by the whole interval of the difference, for one
    classifier at least and less for none; it does harm where they teach less. Else, it teaches as much as real ECGs in
    their place if no classifier's interval reaches to 0.05 below, and nothing if none is above 0.5 and all are less
    than of real ones. Copies of real ECGs are of no use, and of copies of the test, or where shuffled labels teach
    something, nothing can be said.

    Args:
        found: of the study.
        name: of the set.
    """
    copies = found.copies[name]
    classifiers = list(dict.fromkeys(found.areas["classifier"]))
    sentences = [*_copies_sentences(found, name), *(_sentence(found, name, each) for each in classifiers)]
    num_records, num_patients = found.num_test
    sentences.append(
        f"Mean of {found.num_seeds} trainings on {found.num_trained_on:,} records each (real + generated: on both), of "
        f"{', '.join(found.labels)}; tested on {num_records:,} real ECGs of {num_patients:,} patients."
    )
    level, headline = _answer(found, name, classifiers)
    misled = misled_by_shuffled(found)
    if copies.of_test.value > MANY:
        level, headline = "none", "Nothing can be said of its use: it holds copies of the ECGs that are tested on."
    elif misled:
        level, headline = "none", f"Nothing can be said of its use: shuffled labels teach {_listed(misled)} something."
    elif copies.of_training.value > MANY:
        level, headline = "far", "Of no use: it holds copies of the real training ECGs, and teaches what those teach."
    return Verdict(level, headline, sentences)


def misled_by_shuffled(found: Utility) -> list[str]:
    """The classifiers whose interval for shuffled labels lies above 0.5; below it is chance, as no leak does that."""
    return [each for each in dict.fromkeys(found.areas["classifier"]) if found.macro(each, SHUFFLED)["low"] > 0.5]


def with_interval(row: pd.Series) -> str:
    """An area and its interval."""
    return f"{plain(row['area'], 3)} ({plain(row['low'], 3)} to {plain(row['high'], 3)})"


def signed_difference(row: pd.Series) -> str:
    """The difference from training on real ECGs, and its interval."""
    if not np.isfinite(row["difference"]):
        return NONE
    ends = (signed(row[end], 3) for end in ("difference_low", "difference_high"))
    return f"{signed(row['difference'], 3)} ({' to '.join(ends)})"


def _answer(found: Utility, name: str, classifiers: Sequence[str]) -> tuple[Level, str]:
    alone = [found.macro(each, name) for each in classifiers]
    beside = {each: found.macro(each, both(name)) for each in classifiers}
    helped = [each for each, row in beside.items() if row["difference_low"] > 0]
    harmed = [each for each, row in beside.items() if row["difference_high"] < 0]
    if helped and harmed:
        what = f"beside real ECGs it helps {_listed(helped)} and harms {_listed(harmed)}"
        return "undecided", f"Undecided whether it is of use: {what}."
    if harmed:
        return "far", f"Of no use: beside real ECGs it harms {_listed(harmed)}."
    if helped:
        return "same", f"Of use: beside real ECGs it helps {_listed(helped)}."
    if all(row["difference_low"] > -AS_MUCH for row in alone):
        what = "in the place of real ECGs it teaches as much, beside them no gain is seen"
        return "close", f"Of use where real ECGs are lacking: {what}."
    if any(row["low"] > 0.5 for row in alone):
        what = "it teaches something, beside real ECGs no gain is seen"
    elif all(row["difference_high"] < 0 for row in alone):
        return "far", "Of no use: it teaches nothing, where as many real ECGs teach something."
    else:
        what = "the records or the trainings are too few to say"
    return "undecided", f"Undecided whether it is of use: {what}."


def _copies_sentences(found: Utility, name: str) -> Iterator[str]:
    for share, which in ((found.copies[name].of_training, "training"), (found.copies[name].of_test, "test")):
        if share.value > MANY:
            yield f"{count_of(share)} of its ECGs ({percent(share.value)}) are copies of the real {which} ECGs."


def _sentence(found: Utility, name: str, classifier: str) -> str:
    alone, beside, real = (found.macro(classifier, kind) for kind in (name, both(name), REAL))
    of_use = "it helps" if beside["difference_low"] > 0 else "no gain is seen"
    of_use = "it does harm" if beside["difference_high"] < 0 else of_use
    return (
        f"Trained on it, the {classifier} classifier has an area of {with_interval(alone)} on real ECGs, where as many "
        f"real ones give {plain(real['area'], 3)} (difference {signed_difference(alone)}); beside real ones "
        f"{signed_difference(beside)}, so {of_use}."
    )


def _listed(names: Sequence[str]) -> str:
    return f"the {' and the '.join(names)} classifier{'s' if len(names) > 1 else ''}"
