import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ecggan.evaluation.fidelity.distances import distances_within, pooled_distances


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_distances_are_scipys_also_far_from_the_origin_and_over_several_blocks(offset: float) -> None:
    rng = np.random.default_rng(0)
    real, generated = offset + rng.normal(size=(700, 20)), offset + rng.normal(size=(40, 20))
    both = np.concatenate([real, generated])
    np.testing.assert_allclose(pooled_distances(real, generated), cdist(both, both), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(distances_within(real), cdist(real, real), rtol=1e-6, atol=1e-6)


def test_duplicates_are_at_no_distance() -> None:
    points = np.random.default_rng(0).normal(size=(50, 600))
    assert (np.diag(pooled_distances(points, points), 50) == 0).all()
    assert (distances_within(np.repeat(points[:1], 5, axis=0)) == 0).all()
