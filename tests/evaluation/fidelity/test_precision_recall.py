import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import cdist, pdist

from ecggan.evaluation.fidelity.precision_recall import (
    NEIGHBOUR_FIGURES,
    distances_within,
    kernel_distances,
    neighbour_figures,
    permutation_test,
    pooled_distances,
)


def energy(real: np.ndarray, generated: np.ndarray) -> float:
    is_real = np.arange(len(real) + len(generated))[None] < len(real)
    return float(kernel_distances(pooled_distances(real, generated), is_real, ~is_real)[0])


def neighbours(real: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    which = np.arange(len(real)), len(real) + np.arange(len(generated))
    figures = neighbour_figures(pooled_distances(real, generated), *which)
    return dict(zip(NEIGHBOUR_FIGURES, figures.tolist(), strict=True))


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


def test_kernel_distance_is_scipys_energy_distance_without_what_pairs_of_equals_take_away() -> None:
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(30, 1)), rng.gamma(2, size=(50, 1))
    of_all_pairs = scipy.stats.energy_distance(real[:, 0], generated[:, 0]) ** 2
    bias = pdist(real).mean() / 30 + pdist(generated).mean() / 50
    assert energy(real, generated) == pytest.approx(of_all_pairs - bias, abs=1e-6)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("num_records", [24, 96, 384])
def test_kernel_distance_is_without_bias_at_any_size(num_records: int) -> None:
    rng, repeats = np.random.default_rng(num_records), 40 if num_records > 100 else 300
    same = [energy(*rng.normal(size=(2, num_records, 10))) for _ in range(repeats)]
    assert np.mean(same) == pytest.approx(0, abs=4 * scipy.stats.sem(same))
    shifted = [energy(rng.normal(size=(num_records, 1)), rng.normal(1, size=(num_records, 1))) for _ in range(repeats)]
    gaps = [scipy.stats.foldnorm(shift / np.sqrt(2), scale=np.sqrt(2)).mean() for shift in (0, 1)]
    assert np.mean(shifted) == pytest.approx(2 * (gaps[1] - gaps[0]), abs=4 * scipy.stats.sem(shifted))


def test_kernel_distance_of_identical_sets_is_not_above_0_and_it_is_symmetric() -> None:
    real, generated = np.random.default_rng(0).normal(size=(2, 60, 5))
    assert energy(real, real) <= 0
    assert energy(real, generated + 1) == pytest.approx(energy(generated + 1, real))


@pytest.mark.usefixtures("unchecked")
def test_permutation_test_raises_no_more_alarms_than_stated_and_sees_a_shift() -> None:
    def p_value(seed: int, shift: float = 0.0) -> float:
        rng = np.random.default_rng(seed)
        between = pooled_distances(rng.normal(size=(30, 5)), rng.normal(shift, size=(40, 5)))
        return permutation_test(between, 30, 99, rng)[1]

    by_chance = np.array([p_value(seed) for seed in range(300)])
    for level in (0.05, 0.5):
        alarms = int((by_chance <= level).sum())
        assert scipy.stats.binomtest(alarms, 300, level).pvalue > 0.001
    assert p_value(0, shift=2) == 0.01


def test_permutation_test_finds_nothing_in_constant_or_identical_sets() -> None:
    points, rng = np.random.default_rng(0).normal(size=(40, 5)), np.random.default_rng(1)
    assert permutation_test(
        pooled_distances(points[:1].repeat(40, axis=0), points[:1].repeat(40, axis=0)), 40, 99, rng
    ) == (
        0.0,
        1.0,
    )
    assert permutation_test(pooled_distances(points, points), 40, 99, rng)[1] > 0.9


def test_neighbour_figures_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    real, generated, k = rng.normal(size=(40, 3)), rng.normal(0.5, 0.8, size=(40, 3)), 5

    def reach(points: np.ndarray, i: int) -> float:
        return sorted(float(np.linalg.norm(points[i] - other)) for j, other in enumerate(points) if j != i)[k - 1]

    real_reach, generated_reach = ([reach(points, i) for i in range(40)] for points in (real, generated))
    within_real = [[np.linalg.norm(r - g) <= at for r, at in zip(real, real_reach, strict=True)] for g in generated]
    within_generated = [
        [np.linalg.norm(r - g) <= at for g, at in zip(generated, generated_reach, strict=True)] for r in real
    ]
    figures = neighbours(real, generated)
    assert figures["precision"] == pytest.approx(np.mean([any(balls) for balls in within_real]))
    assert figures["recall"] == pytest.approx(np.mean([any(balls) for balls in within_generated]))
    assert figures["density"] == pytest.approx(sum(sum(balls) for balls in within_real) / (k * 40))
    assert figures["coverage"] == pytest.approx(np.mean([any(balls) for balls in zip(*within_real, strict=True)]))
    assert 0 < figures["precision"] < 1
    assert 0 < figures["recall"] < 1


@pytest.mark.parametrize("constant", [False, True])
def test_identical_sets_lie_within_each_other(constant: bool) -> None:
    points = np.random.default_rng(0).normal(size=(50, 8))
    points = points[:1].repeat(50, axis=0) if constant else points
    figures = neighbours(points, points)
    assert (figures["precision"], figures["recall"], figures["coverage"]) == (1, 1, 1)
    assert figures["density"] >= 1


def test_sets_far_apart_do_not_lie_within_each_other() -> None:
    points = np.random.default_rng(0).normal(size=(50, 8))
    assert neighbours(points, points + 1e6) == dict.fromkeys(NEIGHBOUR_FIGURES, 0.0)


def test_precision_judges_the_generated_records_and_recall_the_real_ones() -> None:
    rng = np.random.default_rng(0)
    two_modes = rng.normal(size=(200, 2)) + np.repeat([[0, 0], [50, 0]], 100, axis=0)
    one_mode = rng.normal(size=(200, 2))
    there, back = neighbours(two_modes, one_mode), neighbours(one_mode, two_modes)
    assert there["precision"] > 0.9
    assert there["recall"] == pytest.approx(0.5, abs=0.05)
    assert there["coverage"] < 0.55
    assert (there["precision"], there["recall"]) == (back["recall"], back["precision"])
