import numpy as np
import pytest

from ecggan.evaluation.fidelity.distances import pooled_distances
from ecggan.evaluation.fidelity.precision_recall import NEIGHBOUR_FIGURES, neighbour_figures


def neighbours(real: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    which = np.arange(len(real)), len(real) + np.arange(len(generated))
    figures = neighbour_figures(pooled_distances(real, generated), *which)
    return dict(zip(NEIGHBOUR_FIGURES, figures.tolist(), strict=True))


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
