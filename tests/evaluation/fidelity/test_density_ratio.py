import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ecggan.evaluation.fidelity.density_ratio import LogDensityRatio, acceptance, threshold_for


def normals(count, mean, sd, seed):
    return mean + sd * np.random.default_rng(seed).normal(size=(count, 2))


def test_the_ratio_of_two_normal_laws_is_found():
    real, generated = normals(20_000, 0.0, 1.0, 0), normals(20_000, 0.5, 0.7, 1)
    at = normals(200, 0.3, 0.6, 2)
    known = sum(-(x**2) / 2 + (x - 0.5) ** 2 / (2 * 0.49) + np.log(0.7) for x in at.T)
    found = LogDensityRatio.fit(real, generated)(at)
    assert np.corrcoef(known, found)[0, 1] > 0.99
    assert np.abs(known - found).mean() < 0.15  # the ridge draws it in a little


def test_it_is_the_logit_of_a_ridge_regression_of_sets_that_weigh_the_same():
    real, generated = normals(300, 0.0, 1.0, 0), normals(100, 0.5, 0.7, 1)
    terms = np.hstack([np.concatenate([real, generated]), np.concatenate([real, generated]) ** 2])
    scaled = (terms - terms.mean(axis=0)) / terms.std(axis=0)
    is_real = np.arange(400) < 300
    weights = np.where(is_real, 0.5 / 300, 0.5 / 100)
    plain = LogisticRegression(C=1 / 0.003, tol=1e-10, max_iter=1000).fit(scaled, is_real, sample_weight=weights)
    ratio = LogDensityRatio.fit(real, generated)
    assert np.allclose(ratio.weights[1:], plain.coef_[0], atol=1e-4)
    assert ratio.weights[0] == pytest.approx(plain.intercept_[0], abs=1e-4)


def test_what_never_varies_has_no_say():
    real, generated = (np.column_stack([normals(50, m, 1.0, 0), np.zeros(50)]) for m in (0.0, 0.5))
    assert np.isfinite(LogDensityRatio.fit(real, generated)(real)).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_threshold_accepts_the_share_that_was_asked_for(share):
    log_ratios = np.random.default_rng(0).normal(0, 2, 1000)
    chances = acceptance(log_ratios, threshold_for(log_ratios, share))
    assert chances.mean() == pytest.approx(share, abs=1e-6)
    assert chances.max() <= 1


def test_accepted_points_are_distributed_as_real_ones():
    real, generated = normals(5000, 0.0, 1.0, 0), normals(20_000, 0.6, 1.0, 1)
    ratio = LogDensityRatio.fit(real, generated)
    log_ratios = ratio(generated)
    accepted = np.random.default_rng(2).random(len(generated)) < acceptance(log_ratios, threshold_for(log_ratios, 0.1))
    assert np.abs(generated[accepted].mean(axis=0)).max() < 0.1 < 0.5 < generated.mean()
