from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.fidelity.fidelity import FIGURES
from ecggan.evaluation.memorization.membership import Area, Novelty, Repeats
from ecggan.evaluation.memorization.memorization_verdict import judge_diversity, judge_memorization
from ecggan.stats.proportions import share_of_number

GUESS = Area(0.5, 0.47, 0.53, 0.5)


def clouds(**changed):
    """Figures as of two halves of the real set, but for those that are changed: (value, p)."""
    rows = []
    for cloud in ("measurements", "beats"):
        for figure in FIGURES:
            is_share = figure not in ("kernel_distance", "frechet_distance", "classifier_auc")
            value = 0.95 if is_share else 0.5 if figure == "classifier_auc" else 0.0
            value, p = changed.get(figure, (value, 0.5)) if cloud == "beats" else (value, 0.5)
            is_auc = figure == "classifier_auc"
            low, high = (value - 0.03, value + 0.03) if is_auc else (np.nan, np.nan)
            null = 0.95 if is_share else 0.5 if is_auc else 0.0
            row = (cloud, figure, value, low, high, null, null - 0.02, null + 0.02, p, 500, 500)
            rows.append(row)
    names = ("cloud", "figure", "value", "low", "high", "null_mean", "null_low", "null_high", "p_value")
    return pd.DataFrame(rows, columns=[*names, "num_real", "num_generated"])


def repeats(num_real=0, num_generated=0):
    nearest = np.zeros(1000)
    return tuple(
        Repeats(share_of_number(num, 1000, 1000.0), nearest, pd.DataFrame(), np.arange(1000))
        for num in (num_real, num_generated)
    )


def novelty(**changed):
    none = share_of_number(0, 1000, 1000.0)
    tables = [pd.DataFrame()] * 3
    found = Novelty(*tables, none, none, 1000, 1000, none, none, none, GUESS, GUESS)
    return replace(found, **changed)


def test_a_set_like_halves_of_the_real_one_is_as_varied():
    verdict = judge_diversity(clouds(), repeats())
    assert verdict.level == "same"
    assert verdict.headline.startswith("As varied as real ECGs")
    assert any("coverage 95.0 % (95.0 %, 93.0 % to 97.0 %)" in sentence for sentence in verdict.sentences)


@pytest.mark.parametrize(
    ("changed", "level", "words"),
    [
        ({"coverage": (0.6, 0.005)}, "far", "Less varied than real ECGs: it lacks a part"),
        ({"recall": (0.6, 0.005)}, "far", "it lacks a part of what real ECGs are, by median beats."),
        ({"coverage": (0.92, 0.001)}, "close", "told apart as a whole"),  # less than five points below
        ({"coverage": (0.6, 0.3)}, "same", "As varied"),  # by chance
        ({"precision": (0.6, 0.005)}, "far", "Not where real ECGs lie: it holds ECGs that are not like real ones"),
        ({"classifier_auc": (0.9, 0.0001)}, "far", "Not where real ECGs lie: a classifier tells them apart"),
        ({"classifier_auc": (0.65, 0.0001)}, "close", "told apart as a whole"),
        ({"kernel_distance": (0.4, 0.001)}, "close", "told apart as a whole"),
    ],
)
def test_each_figure_says_its_own_of_the_variety(changed, level, words):
    verdict = judge_diversity(clouds(**changed), repeats())
    assert verdict.level == level
    assert words in verdict.headline


def test_a_set_that_repeats_itself_is_less_varied_whatever_else():
    verdict = judge_diversity(clouds(), repeats(num_generated=50))
    assert verdict.level == "far"
    assert "it repeats itself (50 of 1,000)" in verdict.headline
    assert judge_diversity(clouds(), repeats(num_generated=5)).level == "same"
    assert judge_diversity(clouds(), repeats(num_real=60, num_generated=50)).level == "same"


def test_small_sets_leave_the_variety_open_and_none_leaves_it_unsaid():
    wide = clouds().assign(null_low=lambda table: table["null_mean"] - 0.2)
    assert judge_diversity(wide, repeats()).level == "undecided"
    assert judge_diversity(clouds(coverage=(0.4, 0.001)).assign(null_low=0.7), repeats()).level == "far"
    assert judge_diversity(None, None).level == "none"
    assert judge_diversity(clouds().assign(value=np.nan), repeats()).level == "none"


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


def test_a_set_that_repeats_itself_is_told_even_where_it_is_too_small_for_the_rest():
    verdict = judge_diversity(None, repeats(num_generated=500))
    assert (verdict.level, verdict.headline) == ("far", "Less varied than real ECGs: it repeats itself (500 of 1,000).")


def test_small_sets_that_are_told_apart_are_said_to_be():
    table = clouds(kernel_distance=(0.4, 0.001)).assign(null_low=lambda table: table["null_mean"] - 0.2)
    verdict = judge_diversity(table, repeats())
    assert verdict.level == "undecided"
    assert verdict.headline.startswith("The sets can be told apart as a whole, but they are too small")


def test_without_training_ecgs_only_copies_of_the_real_set_are_told():
    alone = {"membership": None, "beat_membership": None, "held_out_copies": None}
    assert judge_memorization(novelty(**alone), False).level == "none"
    copied = novelty(**alone, copies=share_of_number(1, 10, 10.0))
    assert judge_memorization(copied, False).headline == "Not new: 1 of 10 is a copy of the real set's ECGs."
    assert judge_memorization(None, True).level == "none"
