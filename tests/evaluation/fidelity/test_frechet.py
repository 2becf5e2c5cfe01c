import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from ecggan.evaluation.fidelity.frechet import frechet_distance, frechet_distances, overlap

NEIGHBOURLY = 0.7 ** np.abs(np.subtract.outer(np.arange(10), np.arange(10)))  # correlations that fall with distance


def draws(
    num_records: int, seed: int, shift: float = 0.0, scale: float = 1.0, covariance: np.ndarray = NEIGHBOURLY
) -> np.ndarray:
    """Distances of pairs of sets, the second shifted, scaled and of that covariance."""
    rng = np.random.default_rng(seed)
    roots = [np.linalg.cholesky(matrix).T for matrix in (NEIGHBOURLY, covariance)]
    distances = []
    for _ in range(50 if num_records > 100 else 200):
        real, generated = (rng.normal(size=(num_records, 10)) @ root for root in roots)
        distances.append(frechet_distance(real, shift + scale * generated, rng, num_exchanges=20))
    return np.array(distances)


def of_gaussians(shift: float, first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * shift**2 + np.trace(first + second - 2 * scipy.linalg.sqrtm(first @ second).real))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("num_records", [24, 96, 384])
def test_distance_of_gaussians_is_theirs_at_any_size(num_records: int) -> None:
    for shift, scale in ((0.0, 1.0), (0.5, 1.0), (0.0, 0.7), (0.3, 1.5)):
        found = draws(num_records, num_records, shift, scale)
        expected = of_gaussians(shift, NEIGHBOURLY, scale**2 * NEIGHBOURLY)
        assert found.mean() == pytest.approx(expected, abs=4 * scipy.stats.sem(found))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("num_records", [24, 96, 384])
def test_distance_of_other_correlations_keeps_at_most_a_twentieth_of_bias(num_records: int) -> None:
    one_factor = 0.2 * np.eye(10) + 0.8
    found = draws(num_records, num_records, covariance=one_factor)
    expected = of_gaussians(0, NEIGHBOURLY, one_factor)
    assert found.mean() == pytest.approx(expected, abs=0.05 * expected + 4 * scipy.stats.sem(found))


@pytest.mark.parametrize("num_records", [5, 12, 50])
def test_overlap_is_that_of_scipys_matrix_root(num_records: int) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, num_records, 12))
    first[:, 3] = first[:, 4]  # without full rank at any size
    of_first, of_second = first.T @ first, second.T @ second
    values, vectors = np.linalg.eigh(of_first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    expected = np.trace(scipy.linalg.sqrtm(root @ of_second @ root + 1e-14 * np.eye(12)).real)
    assert overlap(first, second) == pytest.approx(expected, rel=1e-5)
    assert overlap(second, first) == pytest.approx(expected, rel=1e-5)


def test_identical_sets_are_not_above_0_and_fewer_records_than_features_are_no_trouble() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 600)) / np.arange(1, 601)
    assert frechet_distance(points, points, rng) < 0
    assert frechet_distance(points, points + 1, rng) == pytest.approx(600, rel=0.01)
    constant = points[:1].repeat(30, axis=0)
    assert frechet_distance(constant, constant, rng) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(constant, points, rng) > 0


def test_halves_of_one_set_are_at_0_on_average() -> None:
    rng = np.random.default_rng(0)
    first = rng.random((100, 120)).argsort(axis=1) < 60
    distances = frechet_distances(rng.gamma(2, size=(120, 10)), first, ~first)
    assert distances.mean() == pytest.approx(0, abs=4 * scipy.stats.sem(distances))
    assert distances.std() > 0


def test_distance_does_not_depend_on_the_place_of_the_origin() -> None:
    real, generated = np.random.default_rng(0).normal(size=(2, 50, 5))
    near, far = (frechet_distance(real + at, generated + at, np.random.default_rng(1)) for at in (0.0, 1e6))
    assert near == pytest.approx(far, abs=1e-6)
