"""The energy distance of two sets (the kernel distance of the tables), and its permutation test."""

import numpy as np
from jaxtyping import Bool, Float


def energy_distances(
    between: Float[np.ndarray, "record record"],
    first: Bool[np.ndarray, "split record"],
    second: Bool[np.ndarray, "split record"],
) -> Float[np.ndarray, " split"]:
    """The energy distance of two choices of records, unbiased: 0 on average if both have one distribution.

    2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖, each mean over pairs of two different records, so it can be a little below 0. It
    is the squared maximum mean discrepancy (MMD²) of the kernel −‖x − y‖, which has no bandwidth to choose, keeps
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
        See [energy_distances][]; and (1 + as large) / (1 + permutations), whose chance to be ≤ α is at most α where
        both sets have one distribution, at any size and dimension.

    Source: Phipson and Smyth 2010, Permutation p-values should never be zero.
    """
    observed = np.arange(len(between))[None] < num_first
    value = energy_distances(between, observed, ~observed)[0]
    exchanged = exchanged_labels(num_first, len(between) - num_first, num_permutations, rng)
    by_chance = energy_distances(between, exchanged, ~exchanged)
    rounding = 1e-6 * float(between.mean())  # a sum in another order must not make an equal figure a smaller one
    return float(value), float((1 + (by_chance >= value - rounding).sum()) / (1 + num_permutations))
