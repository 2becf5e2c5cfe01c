from dataclasses import replace

import pandas as pd
import pytest

from ecggan.evaluation.memorization.membership import Novelty
from ecggan.evaluation.memorization.memorization_verdict import judge_memorization
from ecggan.evaluation.memorization.roc_area import Area
from ecggan.stats.proportions import share_of_number

GUESS = Area(0.5, 0.47, 0.53, 0.5)


def novelty(**changed):
    none = share_of_number(0, 1000, 1000.0)
    tables = [pd.DataFrame()] * 3
    found = Novelty(*tables, none, none, 1000, 1000, none, none, none, GUESS, GUESS)
    return replace(found, **changed)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({}, "same", "New: no copies, and training ECGs are no nearer than held-out ones."),
        ({"copies": share_of_number(3, 1000, 1000.0)}, "far", "Not new: 3 of 1,000 are copies of training ECGs"),
        ({"copies": share_of_number(1, 1000, 1000.0)}, "far", "Not new: 1 of 1,000 is a copy of training ECGs"),
        ({"copies_of_held_out": share_of_number(3, 9, 9.0)}, "far", "Not new: 3 of 9 are copies of held-out ECGs"),
        ({"same_beat": share_of_number(50, 1000, 1000.0)}, "far", "too many have the median beat of a training ECG"),
        ({"same_beat": share_of_number(2, 1000, 1000.0)}, "same", "New: no copies"),
        (
            {"same_beat": share_of_number(5, 100, 100.0), "held_out_same_beat": share_of_number(0, 46, 46.0)},
            "undecided",
            "No copies, but look at the ECGs",
        ),
        ({"membership": Area(0.7, 0.66, 0.74, 0.0)}, "far", "who was in the training can be told"),
        ({"beat_membership": Area(0.7, 0.66, 0.74, 0.0)}, "far", "who was in the training can be told"),
        ({"membership": Area(0.3, 0.26, 0.34, 1.0)}, "far", "nearer to held-out ECGs than to training ECGs"),
        ({"membership": Area(0.53, 0.51, 0.549, 0.01)}, "close", "an attacker learns next to nothing"),
        ({"membership": Area(0.56, 0.545, 0.575, 0.0)}, "undecided", "an attacker may know a little"),
        (
            {"membership": Area(0.5, 0.4, 0.6, 0.5), "num_held_out": 46},
            "undecided",
            "some 200 held-out ECGs of other patients are needed, there are 46",
        ),
        (
            {"membership": None, "beat_membership": None, "held_out_copies": None, "num_held_out": 0},
            "undecided",
            "are needed, there are 0",
        ),
        ({"num_recognisable": 0}, "none", "they hold no signal"),
    ],
)
def test_each_finding_says_its_own_of_the_novelty(changed, level, words):
    verdict = judge_memorization(novelty(**changed), True)
    assert verdict.level == level
    assert words in verdict.headline


def test_a_copy_is_a_copy_however_many_held_out_ecgs_are_copies_too():
    some = share_of_number(2, 1000, 1000.0)
    verdict = judge_memorization(novelty(copies=some, held_out_copies=some), True)
    assert verdict.level == "far"
    assert verdict.sentences[0] == "Copies: 2 of 1,000 are copies of training ECGs; of held-out ones 2 of 1,000."


def test_without_training_ecgs_only_copies_of_the_real_set_are_told():
    alone = {"membership": None, "beat_membership": None, "held_out_copies": None}
    assert judge_memorization(novelty(**alone), False).level == "none"
    copied = novelty(**alone, copies=share_of_number(1, 10, 10.0))
    assert judge_memorization(copied, False).headline == "Not new: 1 of 10 is a copy of the real set's ECGs."
    assert judge_memorization(None, True).level == "none"
