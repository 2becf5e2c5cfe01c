"""Resampling by patient: the bootstrap, random halves, statistics of weighted records, evenly spaced subsamples.

A resample is a row of weights, the number of times that each record is in it. A thousand means are then one matrix
product, and all columns of a record are drawn together. All records of a patient are drawn together too: two ECGs of
one patient are not two independent observations.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

NUM_RESAMPLES = 1000  # of a bootstrap
NUM_SPLITS = 200  # of the real set into halves, for a null band
_BLOCK_BYTES = 2**26  # of a block of weights; no function here needs more memory at once


def patient_numbers(patients: pd.Series | None, num_records: int) -> Int[np.ndarray, " record"]:
    """Number the patients from 0, one number a record; a record of an unknown patient is one of its own."""
    if patients is None:
        return np.arange(num_records)
    codes, known = pd.factorize(patients)
    unknown = codes < 0
    codes[unknown] = len(known) + np.arange(unknown.sum())
    return np.asarray(pd.factorize(codes)[0])


def effective_sample_size(patients: Int[np.ndarray, " record"]) -> float:
    """The number of patients with one record each that say as much, if a patient's records are all alike.

    It is the number of patients if each has the same number of records, and smaller if one has many: 100 patients with
    one record each and one patient with 100 count as 4.

    Source: Kish 1965, Survey sampling, the effective sample size of unequal weights.

    >>> effective_sample_size(np.repeat(np.arange(50), 10))
    50.0
    >>> round(effective_sample_size(np.append(np.arange(100), [100] * 100)))
    4
    """
    counts = np.bincount(patients).astype(float)
    return float(counts.sum() ** 2 / (counts**2).sum()) if len(patients) else 0.0


def bootstrap_weights(
    patients: Int[np.ndarray, " record"], num_resamples: int, rng: np.random.Generator
) -> Iterator[Float[np.ndarray, "draw record"]]:
    """Yield blocks of resamples: all patients drawn with replacement, each with all of their records."""
    num_patients = int(patients.max(initial=-1)) + 1
    for count in _blocks(num_resamples, len(patients)):
        drawn = rng.integers(num_patients, size=(count, num_patients))
        drawn += num_patients * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * num_patients).reshape(count, num_patients)
        yield times.astype(np.float32)[:, patients]


def random_halves(
    patients: Int[np.ndarray, " record"], most_records: int, num_splits: int, rng: np.random.Generator
) -> tuple[Bool[np.ndarray, "split record"], Bool[np.ndarray, "split record"]]:
    """Two sets of records a split without a common patient, each about half of all or `most_records`."""
    num_patients = int(patients.max(initial=-1)) + 1
    share = min(0.5, most_records / max(len(patients), 1))
    count = int(share * num_patients)
    ranks = np.argsort(rng.random((num_splits, num_patients)), axis=1)
    first, second = (np.zeros((num_splits, num_patients), bool) for _ in range(2))
    np.put_along_axis(first, ranks[:, :count], True, axis=1)
    np.put_along_axis(second, ranks[:, count : 2 * count], True, axis=1)
    return first[:, patients], second[:, patients]


def weighted_means(
    weights: Float[np.ndarray, "draw record"], values: Float[np.ndarray, "record column"]
) -> Float[np.ndarray, "draw column"]:
    """The mean of each column in each draw, over the drawn records that have a value (not NaN)."""
    known = np.isfinite(values)
    centre = np.array([column[has].mean() if has.any() else 0.0 for column, has in zip(values.T, known.T, strict=True)])
    around = np.where(known, values - centre, 0).astype(np.float32)  # near 0, where 32 bits are precise enough
    counts = weights @ known.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(centre + (weights @ around) / np.where(counts > 0, counts, np.nan), float)


def weighted_distances(
    values: Float[np.ndarray, " record"],
    first: Bool[np.ndarray, "split record"],
    second: Bool[np.ndarray, "split record"],
) -> tuple[Float[np.ndarray, " split"], Float[np.ndarray, " split"]]:
    """The Kolmogorov-Smirnov and Wasserstein distances between two subsets of records; NaN if one has no value.

    They are the largest gap and the area between the two cumulative distributions.
    """
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    if len(order) < 2:
        return np.full(len(first), np.nan), np.full(len(first), np.nan)
    steps = np.diff(values[order])
    ks, wasserstein = [], []
    start = 0
    for count in _blocks(len(first), 2 * len(order)):
        gap = np.zeros((count, len(order)))
        for choice, sign in ((first, 1), (second, -1)):
            chosen = choice[start : start + count, order]
            num_chosen = chosen.sum(axis=1, keepdims=True).astype(float)
            num_chosen[num_chosen == 0] = np.nan
            gap += sign * np.cumsum(chosen, axis=1, dtype=float) / num_chosen
        gap = np.abs(gap[:, :-1])
        ks.append((gap * (steps > 0)).max(axis=1))  # no gap between two equal values
        wasserstein.append(gap @ steps)
        start += count
    return np.concatenate(ks), np.concatenate(wasserstein)


def placements(
    first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """For each value of the first, the share of the second below it; for each of the second, the share of the first
    above it; a tie counts one half. The mean of either is the area under the ROC curve.

    Source: DeLong et al. 1988, Comparing the areas under correlated ROC curves; Sun and Xu 2014 (by ranks).

    >>> placements(np.array([2.0, 4.0]), np.array([1.0, 4.0]))
    (array([0.5 , 0.75]), array([1.  , 0.25]))
    """
    import scipy.stats  # a second, which those who do not compare need not wait

    ranks = scipy.stats.rankdata(np.concatenate([first, second]))
    over = (ranks[: len(first)] - scipy.stats.rankdata(first)) / len(second)
    under = 1 - (ranks[len(first) :] - scipy.stats.rankdata(second)) / len(first)
    return over, under


def _blocks(num_draws: int, num_records: int) -> Iterator[int]:
    """Sizes of the blocks of draws whose weights fit in `_BLOCK_BYTES`."""
    at_once = max(1, _BLOCK_BYTES // (8 * max(num_records, 1)))
    for start in range(0, num_draws, at_once):
        yield min(at_once, num_draws - start)


def evenly_spaced(
    num_records: int, max_records: int, ends: Literal["first", "both", "neither"] = "first"
) -> Int[np.ndarray, " position"]:
    """Choose at most `max_records` positions out of 0 … num_records - 1, ascending and at even distances.

    Args:
        num_records: of the set; all positions are chosen if it has no more than `max_records`.
        max_records: how many to choose.
        ends: the ends of the range that are among them: the first position, both, or, for a few examples, neither.

    >>> evenly_spaced(10, 4), evenly_spaced(3, 4)
    (array([0, 2, 5, 7]), array([0, 1, 2]))
    >>> evenly_spaced(10, 4, ends="both"), evenly_spaced(10, 2, ends="neither")
    (array([0, 3, 6, 9]), array([3, 6]))
    """
    num = min(num_records, max_records)
    if ends == "both":
        return np.linspace(0, num_records - 1, num).astype(int)
    if ends == "neither":
        return np.rint(np.linspace(0, num_records - 1, num + 2)[1:-1]).astype(int) if num else np.arange(0)
    return np.arange(num) * num_records // max(num, 1)
