"""Two clouds of points compared by the distances between their points: how far apart, and which lies within which.

A record is a point in a space of features. One matrix of distances holds all that is asked here, so a random half or an
exchange of labels is a choice of its rows and columns, and a thousand of them are one matrix product.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

NEIGHBOURS = 5  # Naeem et al.: with fewer, a radius hangs on chance; with more, balls reach over gaps between modes
NEIGHBOUR_FIGURES = ("precision", "recall", "density", "coverage")
_BLOCK = 500  # rows at once in 64 bits
_SAME = 1e-13  # of the squared norms: below it a squared distance is rounding, and the points are the same


def pooled_distances(
    real: Float[np.ndarray, "real feature"], generated: Float[np.ndarray, "generated feature"]
) -> Float[np.ndarray, "pooled pooled"]:
    """Euclidean distances between all points, the real first, in 32 bits but computed in 64; 0 between duplicates."""
    num_real, num_all = len(real), len(real) + len(generated)
    matrix = np.empty((num_all, num_all), np.float32)
    _fill_distances(matrix[:num_real, :num_real], real, real)
    _fill_distances(matrix[num_real:, num_real:], generated, generated)
    across = matrix[:num_real, num_real:]
    _fill_distances(across, real, generated)
    matrix[num_real:, :num_real] = across.T
    return matrix


def distances_within(points: Float[np.ndarray, "record feature"]) -> Float[np.ndarray, "record record"]:
    """As [pooled_distances][], of one set."""
    return pooled_distances(points, points[:0])


def _fill_distances(out: np.ndarray, points: np.ndarray, others: np.ndarray) -> None:
    """By ‖x‖² + ‖y‖² − 2xy, around the points' median, since far from the origin the three cancel and digits go."""
    if not out.size:
        return
    centre = np.median(points, axis=0)
    others = others - centre
    squares = (others**2).sum(axis=1)
    for start in range(0, len(points), _BLOCK):
        rows = points[start : start + _BLOCK] - centre
        norms = (rows**2).sum(axis=1)[:, None] + squares
        squared = norms - 2 * (rows @ others.T)
        squared[squared < _SAME * norms] = 0
        out[start : start + _BLOCK] = np.sqrt(squared)


def kernel_distances(
    between: Float[np.ndarray, "record record"],
    first: Bool[np.ndarray, "split record"],
    second: Bool[np.ndarray, "split record"],
) -> Float[np.ndarray, " split"]:
    """The energy distance of two choices of records, without bias: 0 on average where both have one distribution.

    2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖, each mean over pairs of two different records, so it can be a little below 0. It
    is the squared maximum mean discrepancy (MMD²) of the kernel −‖x − y‖, which has no bandwidth to choose, goes on
    growing for sets far apart, and is 0 for no two different distributions. Its unit is that of the features.

    Args:
        between: distances, 0 on the diagonal.
        first: which records are in the first set, at least two; no record may be in both.
        second: which are in the second.

    Source: Székely and Rizzo 2013, Energy statistics; Sejdinovic et al. 2013, Equivalence of distance-based and
    RKHS-based statistics; Gretton et al. 2012, A kernel two-sample test, equation 3.
    """
    chosen = [choice.T.astype(np.float32) for choice in (first, second)]
    sums = [between @ choice for choice in chosen]
    sizes = [choice.sum(axis=1).astype(float) for choice in (first, second)]
    within = [_column_dots(*pair) / (size * (size - 1)) for *pair, size in zip(chosen, sums, sizes, strict=True)]
    across = _column_dots(chosen[1], sums[0]) / (sizes[0] * sizes[1])
    return 2 * across - within[0] - within[1]


def _column_dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("rs,rs->s", a, b, dtype=float)


def exchanged_labels(
    num_first: int, num_second: int, num_permutations: int, rng: np.random.Generator
) -> Bool[np.ndarray, "permutation record"]:
    """Random choices of `num_first` of all records."""
    ranks = rng.random((num_permutations, num_first + num_second)).argsort(axis=1)
    return ranks < num_first


def permutation_test(
    between: Float[np.ndarray, "record record"], num_first: int, num_permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The energy distance of the first records to the others, and how often exchanged labels give as large a one.

    Returns:
        See [kernel_distances][]; and (1 + as large) / (1 + permutations), whose chance to be ≤ α is at most α where
        both sets have one distribution, at any size and dimension.

    Source: Phipson and Smyth 2010, Permutation p-values should never be zero.
    """
    observed = np.arange(len(between))[None] < num_first
    value = kernel_distances(between, observed, ~observed)[0]
    exchanged = exchanged_labels(num_first, len(between) - num_first, num_permutations, rng)
    by_chance = kernel_distances(between, exchanged, ~exchanged)
    rounding = 1e-6 * float(between.mean())  # a sum in another order must not make an equal figure a smaller one
    return float(value), float((1 + (by_chance >= value - rounding).sum()) / (1 + num_permutations))


def neighbour_figures(
    between: Float[np.ndarray, "record record"],
    real: Int[np.ndarray, " real"],
    generated: Int[np.ndarray, " generated"],
    num_neighbours: int = NEIGHBOURS,
) -> Float[np.ndarray, "figure=4"]:
    """Precision, recall, density and coverage, in the order of [NEIGHBOUR_FIGURES][].

    Round each record lies a ball that reaches to its k-th neighbour in its own set. Precision is the share of generated
    records inside a real record's ball (do they look real?), recall the share of real records inside a generated one's
    (is everything real drawn?). One far outlier has a ball over everything, which the other two mend: density counts in
    how many real balls a generated record lies, divided by k (1 where the sets agree, not bounded), and coverage is the
    share of real balls with a generated record inside. All but density are 0 to 1. All depend on the number of records
    and on k: compare at the same size only.

    Args:
        between: distances.
        real: positions of the real records, more than `num_neighbours`.
        generated: of the generated ones, as many.
        num_neighbours: k.

    Source: Kynkäänniemi et al. 2019, Improved precision and recall metric, equations 1 and 2; Naeem et al. 2020,
    Reliable fidelity and diversity metrics, equations 4 and 5.
    """
    radii = [
        np.partition(between[np.ix_(which, which)], num_neighbours, axis=1)[:, num_neighbours]  # [0] is the record
        for which in (real, generated)
    ]
    across = between[np.ix_(real, generated)]
    in_real_ball = across <= radii[0][:, None]
    in_generated_ball = across <= radii[1]
    return np.array(
        [
            in_real_ball.any(axis=0).mean(),
            in_generated_ball.any(axis=1).mean(),
            in_real_ball.mean() * len(real) / num_neighbours,
            in_real_ball.any(axis=1).mean(),
        ]
    )
