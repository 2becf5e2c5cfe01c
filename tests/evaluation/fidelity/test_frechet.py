import numpy as np
import pytest
import scipy.linalg

from ecggan.evaluation.fidelity.frechet import frechet_distance

NEIGHBOURLY = 0.7 ** np.abs(np.subtract.outer(np.arange(10), np.arange(10)))  # correlations that fall with distance
ONE_FACTOR = 0.2 * np.eye(10) + 0.8


def records(num_records: int, seed: int, mean: float = 0.0, covariance: np.ndarray = NEIGHBOURLY) -> np.ndarray:
    """Records whose sample mean and covariance are exactly these."""
    drawn = np.random.default_rng(seed).normal(size=(num_records, len(covariance)))
    drawn -= drawn.mean(axis=0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn.T))).T
    return mean + white @ np.linalg.cholesky(covariance).T


def of_gaussians(mean: float, first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * mean**2 + np.trace(first + second - 2 * scipy.linalg.sqrtm(first @ second).real))


@pytest.mark.parametrize(("mean", "covariance"), [(0.5, NEIGHBOURLY), (0.0, 0.49 * NEIGHBOURLY), (0.3, ONE_FACTOR)])
@pytest.mark.parametrize("num_records", [11, 24, 96])
def test_distance_is_the_closed_form_of_normal_distributions(
    mean: float, covariance: np.ndarray, num_records: int
) -> None:
    first, second = records(num_records, 0), records(60, 1, mean, covariance)
    assert frechet_distance(first, second) == pytest.approx(of_gaussians(mean, NEIGHBOURLY, covariance))


@pytest.mark.parametrize("num_records", [5, 12, 50])
def test_distance_is_that_of_scipys_matrix_root_also_without_full_rank(num_records: int) -> None:
    first, second = np.random.default_rng(0).normal(size=(2, num_records, 12))
    first[:, 3] = first[:, 4]
    covariances = [np.cov(points.T) for points in (first, second)]
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    of_roots = np.trace(scipy.linalg.sqrtm(root @ covariances[1] @ root + 1e-14 * np.eye(12)).real)
    apart = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    expected = apart + sum(map(np.trace, covariances)) - 2 * of_roots
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("num_records", [30, 2000])
def test_identical_sets_are_at_0_and_distances_are_symmetric(num_records: int) -> None:
    first, second = np.random.default_rng(0).gamma(2, size=(2, num_records, 40))
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(first, second + 1) == pytest.approx(frechet_distance(second + 1, first))
    assert frechet_distance(first, first + 1) == pytest.approx(40)


def test_fewer_records_than_features_and_constants_have_a_distance() -> None:
    points = np.random.default_rng(0).normal(size=(30, 600)) / np.arange(1, 601)
    constant = points[:1].repeat(30, axis=0)
    assert frechet_distance(points, points + 1) == pytest.approx(600)
    assert frechet_distance(constant, constant) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(constant, points) > 0


def test_sets_of_one_distribution_are_nearer_the_more_records_they_have() -> None:
    rng = np.random.default_rng(0)
    few, many = (np.mean([frechet_distance(*rng.normal(size=(2, size, 10))) for _ in range(20)]) for size in (24, 384))
    assert few > 5 * many > 0


def test_distance_does_not_depend_on_the_place_of_the_origin() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 50, 5))
    near, far = (frechet_distance(first + at, second + at) for at in (0.0, 1e6))
    assert near == pytest.approx(far, abs=1e-6)
