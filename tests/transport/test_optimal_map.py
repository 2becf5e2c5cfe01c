import numpy as np
import pytest

from ecggan.transport.optimal_map import QuantileMap, RadialMap, SlicedMap, gaussian_map

RNG = np.random.default_rng(0)


def gaussian(covariance, num=20_000, seed=0):
    points = np.random.default_rng(seed).normal(size=(num, len(covariance)))
    points = (points - points.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(points, rowvar=False))).T
    return points @ np.linalg.cholesky(np.asarray(covariance)).T  # of just this covariance


SOURCE, TARGET = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 3.0]])


def test_the_gaussian_map_gives_the_targets_covariance():
    linear = gaussian_map(gaussian(SOURCE), gaussian(TARGET, seed=1), ridge=0)
    assert np.allclose(linear @ SOURCE @ linear.T, TARGET, atol=1e-8)


def test_the_gaussian_map_moves_points_least():
    source, target = gaussian(SOURCE), gaussian(TARGET, seed=1)
    linear = gaussian_map(source, target, ridge=0)
    assert np.allclose(linear, linear.T)
    assert np.linalg.eigvalsh(linear).min() > 0  # the gradient of a convex function, hence optimal
    moved = ((source @ linear - source) ** 2).sum(axis=1).mean()
    roots = [np.linalg.cholesky(c) for c in (SOURCE, TARGET)]
    another = source @ np.linalg.inv(roots[0]).T @ roots[1].T  # has the covariance too
    assert moved < ((another - source) ** 2).sum(axis=1).mean()


def test_the_gaussian_map_of_one_law_to_itself_moves_nothing():
    assert np.allclose(gaussian_map(gaussian(SOURCE), gaussian(SOURCE), ridge=1e-3), np.eye(2), atol=1e-8)


def test_a_ridge_keeps_a_direction_without_variance_still():
    flat = RNG.normal(size=(500, 3)) * [1.0, 2.0, 0.0]
    linear = gaussian_map(flat, flat * [2.0, 1.0, 1.0], ridge=1e-3)
    assert np.isfinite(linear).all()
    assert linear[2, 2] < 2


def test_a_quantile_map_gives_the_targets_quantiles():
    source, target = RNG.normal(size=4000), RNG.gamma(2, size=4000)
    moved = QuantileMap.fit(source, target)(source)
    shares = np.linspace(0.05, 0.95, 10)
    assert np.allclose(np.quantile(moved, shares), np.quantile(target, shares), atol=0.05)


def test_beyond_its_quantiles_a_map_moves_as_at_the_outermost():
    one = QuantileMap(np.array([0.0, 1.0]), np.array([10.0, 12.0]))
    assert one(np.array([-3.0, 0.0, 0.5, 1.0, 4.0])).tolist() == [7.0, 10.0, 11.0, 12.0, 15.0]


def test_beyond_its_quantiles_a_shorter_tail_is_shortened():
    one = QuantileMap(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 2.5, 3.0]))
    assert one(np.array([-2.0, 6.0])).tolist() == [-2.0, 4.0]
    assert QuantileMap(np.zeros(3), np.zeros(3))(5.0) == 0


def test_a_law_of_shorter_tails_is_not_left_behind():
    source, target = RNG.standard_t(3, size=4000), RNG.normal(size=400)
    moved = QuantileMap.fit(source, target)(RNG.standard_t(3, size=4000))
    assert np.abs(moved).max() < 1.5 * np.abs(target).max()


def test_a_sliced_map_gives_the_targets_law_along_its_directions():
    source = RNG.normal(size=(3000, 2))
    target = np.stack([RNG.exponential(size=3000), RNG.normal(size=3000)], axis=1) @ [[1.0, 0.4], [0.0, 1.0]]
    sliced = SlicedMap.fit(source, target, np.eye(2), num_sweeps=3)
    moved = sliced(source)
    for i in range(2):
        shares = np.linspace(0.05, 0.95, 10)
        assert np.allclose(np.quantile(moved[:, i], shares), np.quantile(target[:, i], shares), atol=0.1)


def test_what_belongs_to_a_direction_moves_with_it():
    target = gaussian([[1.0, 0.8], [0.8, 1.0]])
    sliced = SlicedMap.fit(target - [1.0, 0.0], target, np.array([[1.0, 0.0]]), num_sweeps=1)
    moved = sliced(np.array([[0.0, 0.0]]))[0]
    assert moved == pytest.approx([1.0, 0.8], abs=0.05)


def test_a_radial_map_draws_in_what_lies_too_far_out_and_nothing_else():
    target = gaussian(SOURCE, num=4000)
    source = gaussian(SOURCE, num=4000, seed=1)
    source[:400] *= 3
    radial = RadialMap.fit(source, target)
    moved = radial(source)
    radii = [np.linalg.norm(points @ radial.whitening, axis=1) for points in (source, moved, target)]
    assert np.quantile(radii[1], 0.97) == pytest.approx(np.quantile(radii[2], 0.97), rel=0.02)
    assert (radii[1] <= radii[0] + 1e-9).all()
    inner = radii[0] < np.quantile(radii[0], 0.2)
    assert np.allclose(moved[inner], source[inner], rtol=0.1)
