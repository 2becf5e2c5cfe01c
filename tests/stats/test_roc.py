"""The area under many weighted ROC curves against scikit-learn's of one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecggan.stats.roc import weighted_areas


@pytest.mark.parametrize("digits", [1, 6])  # with one digit, many scores are tied
def test_each_draw_has_the_area_of_its_weighted_records(digits):
    rng = np.random.default_rng(0)
    scores, is_positive = rng.normal(size=40).round(digits), rng.random(40) < 0.3
    weights = rng.integers(0, 4, (5, 40)).astype(float)
    expected = [roc_auc_score(is_positive, scores, sample_weight=row) for row in weights]
    np.testing.assert_allclose(weighted_areas(scores, is_positive, weights), expected)


def test_scores_upside_down_have_the_rest_of_the_area():
    rng = np.random.default_rng(1)
    scores, is_positive, weights = rng.normal(size=30).round(1), rng.random(30) < 0.5, np.ones((1, 30))
    both = weighted_areas(scores, is_positive, weights) + weighted_areas(-scores, is_positive, weights)
    np.testing.assert_allclose(both, 1.0)
