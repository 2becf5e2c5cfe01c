import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import roc_auc_score

from ecggan.evaluation.fidelity.classifier import ClassifierAUC, auc_with_variance, classifier_auc
from ecggan.stats.hypothesis_tests import LEVEL
from tests.sizes import sized

pytestmark = pytest.mark.slow


def test_auc_is_sklearns_ties_included() -> None:
    rng = np.random.default_rng(0)
    real, generated = rng.normal(0, 1, 40).round(1), rng.normal(0.5, 1, 60).round(1)
    expected = roc_auc_score(np.repeat([0, 1], [40, 60]), np.concatenate([real, generated]))
    assert auc_with_variance(real, generated)[0] == pytest.approx(expected)


@pytest.mark.usefixtures("unchecked")
def test_variance_of_an_auc_is_that_of_repeated_draws() -> None:
    rng = np.random.default_rng(0)
    found = np.array([auc_with_variance(rng.normal(size=30), rng.normal(1, 2, size=20)) for _ in range(2000)])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].var(), rel=0.1)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.slow
def test_sets_of_one_distribution_wander_no_more_than_stated() -> None:
    found: list[ClassifierAUC] = []
    for seed in range(sized(8, 16)):
        real, generated = np.random.default_rng(seed).normal(size=(2, 40, 10))
        found.append(classifier_auc(real, generated, seed, num_workers=1))
    wandering, stated = np.std([auc.value for auc in found]), found[0].null_error
    assert 0.6 * stated < wandering < 1.15 * stated
    missed = sum(not auc.low <= 0.5 <= auc.high for auc in found)
    assert scipy.stats.binomtest(missed, len(found), LEVEL, alternative="greater").pvalue > 0.001


def test_a_shift_and_a_narrower_spread_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(100, 10))
    for generated in (rng.normal(1, size=(100, 10)), rng.normal(0, 0.4, size=(100, 10))):
        auc = classifier_auc(real, generated)
        assert auc.value > auc.low > 0.7
        assert auc.p_value() < 0.001


def test_many_features_of_one_distribution_are_not_told_apart_and_those_of_another_are() -> None:
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(2, 60, 100)) / np.arange(1, 101)
    auc = classifier_auc(real, generated)
    low, high = auc.null_band()
    assert low < auc.value < high
    assert classifier_auc(real, 2 * generated).value > high


def test_sets_far_apart_constant_sets_and_copies_have_an_auc() -> None:
    points = np.random.default_rng(0).normal(size=(40, 5))
    far = classifier_auc(points, points + 1e6)
    assert (far.value, far.high) == (1, 1)
    assert 0 < far.p_value() < 1e-4
    constant = points[:1].repeat(40, axis=0)
    assert classifier_auc(constant, constant).value == 0.5
    copies = classifier_auc(points, points)
    assert copies.value < 0.3
    assert copies.p_value() > 0.9


def test_auc_depends_on_the_seed_and_not_on_the_number_of_workers() -> None:
    real, generated = np.random.default_rng(0).normal(size=(2, 60, 4)).round(1)
    assert classifier_auc(real, generated, num_workers=1) == classifier_auc(real, generated, num_workers=2)
    assert classifier_auc(real, generated, seed=1).value != classifier_auc(real, generated).value
