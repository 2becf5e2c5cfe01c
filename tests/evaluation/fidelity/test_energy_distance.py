import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import pdist

from ecggan.evaluation.fidelity.distances import pooled_distances
from ecggan.evaluation.fidelity.energy_distance import energy_distances, permutation_test


def energy(real: np.ndarray, generated: np.ndarray) -> float:
    is_real = np.arange(len(real) + len(generated))[None] < len(real)
    return float(energy_distances(pooled_distances(real, generated), is_real, ~is_real)[0])


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
