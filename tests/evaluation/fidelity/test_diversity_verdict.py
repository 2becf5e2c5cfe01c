import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.fidelity.diversity_verdict import judge_diversity
from ecggan.evaluation.fidelity.fidelity import FIGURES
from ecggan.stats.proportions import share_of_number


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
    return share_of_number(num_real, 1000, 1000.0), share_of_number(num_generated, 1000, 1000.0)


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


def test_a_set_that_repeats_itself_is_told_even_where_it_is_too_small_for_the_rest():
    verdict = judge_diversity(None, repeats(num_generated=500))
    assert (verdict.level, verdict.headline) == ("far", "Less varied than real ECGs: it repeats itself (500 of 1,000).")


def test_small_sets_that_are_told_apart_are_said_to_be():
    table = clouds(kernel_distance=(0.4, 0.001)).assign(null_low=lambda table: table["null_mean"] - 0.2)
    verdict = judge_diversity(table, repeats())
    assert verdict.level == "undecided"
    assert verdict.headline.startswith("The sets can be told apart as a whole, but they are too small")
