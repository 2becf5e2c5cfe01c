"""Bootstrap intervals, tests of difference and of equivalence, and the null band, for many columns at once.

Each function adds its columns to a table with one row a measurement; for their meaning see
[compare_columns][ecggan.evaluation.comparison.comparison.compare_columns].
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Float, Int

from ecggan.stats.margin import Margin
from ecggan.stats.resampling import (
    bootstrap_weights,
    effective_sample_size,
    evenly_spaced,
    random_halves,
    weighted_distances,
    weighted_means,
)

LEVEL = 0.05  # of every test; the level of the intervals is 1 − LEVEL
FEWEST_PATIENTS = 30  # of fewer, means are not close to normal, and intervals are too narrow
MOST_PER_HALF = 5000  # records; more would narrow the null band no further


class Finding(StrEnum):
    """What the tests say about a difference of means and its margin; tables and summary.json hold the values."""

    EQUIVALENT = "equivalent"
    BEYOND = "beyond the margin"
    UNDECIDED = "undecided"
    TOO_FEW = "too few records"


@dataclass(frozen=True)
class SetValues:
    """The values of one set, NaN if missing, and the patient of each record."""

    values: Float[np.ndarray, "record column"]
    patients: Int[np.ndarray, " record"]

    def num_patients(self) -> Int[np.ndarray, " column"]:
        """The number of patients with a value, by column."""
        return np.array([len(np.unique(self.patients[np.isfinite(column)])) for column in self.values.T], dtype=int)

    def effective_sample_size(self) -> Float[np.ndarray, " column"]:
        """[effective_sample_size][ecggan.stats.resampling.effective_sample_size] of each column."""
        return np.array(
            [effective_sample_size(self.patients[np.isfinite(column)]) for column in self.values.T], dtype=float
        )


def add_intervals(table: pd.DataFrame, sets: list[SetValues], num_resamples: int, seed: int) -> None:
    means = []
    for i, some in enumerate(sets):
        draws = bootstrap_weights(some.patients, num_resamples, np.random.default_rng((seed, i)))
        means.append(np.concatenate([weighted_means(weights, some.values) for weights in draws]))
    enough = np.minimum(*(some.effective_sample_size() for some in sets)) >= FEWEST_PATIENTS
    differences = np.where(enough, means[1] - means[0], np.nan)
    for suffix, outside in (("", LEVEL), ("_90", 2 * LEVEL)):
        low, high = _quantiles(differences, [outside / 2, 1 - outside / 2])
        table[f"difference_low{suffix}"], table[f"difference_high{suffix}"] = low, high


def _quantiles(draws: Float[np.ndarray, "draw column"], which: list[float]) -> Float[np.ndarray, "quantile column"]:
    quantiles = np.full((len(which), draws.shape[1]), np.nan)
    has = np.isfinite(draws).any(axis=0)
    if has.any():
        quantiles[:, has] = np.nanquantile(draws[:, has], which, axis=0)
    return quantiles


def add_tests(
    table: pd.DataFrame,
    sets: list[SetValues],
    margin: Callable[[str, float], Margin | None],
    families: list[list[str]],
) -> None:
    num_patients = [some.num_patients() for some in sets]
    sample_sizes = [some.effective_sample_size() for some in sets]
    variances = [_variance_of_mean(some, count) for some, count in zip(sets, num_patients, strict=True)]
    error = np.sqrt(variances[0] + variances[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = error**4 / sum(v**2 / (n - 1) for v, n in zip(variances, sample_sizes, strict=True))
        effective = sample_sizes[0] * sample_sizes[1] / (sample_sizes[0] + sample_sizes[1])
    difference = table["difference"].to_numpy(float)
    table["p_difference"] = np.minimum(1, 2 * _upper_tail(np.abs(difference), error, degrees))
    enough = np.minimum(*num_patients) > 1
    ks = table["ks_distance"].to_numpy(float)
    of_ks = [
        scipy.stats.kstwo.sf(d, max(round(n), 1)) if ok else np.nan
        for d, n, ok in zip(ks, effective, enough, strict=True)
    ]
    table["p_distribution"] = of_ks
    margins = [margin(str(name), mean) for name, mean in table["real_mean"].items()]
    table["margin"] = [m.value if m else np.nan for m in margins]
    table["margin_source"] = [m.source if m else "" for m in margins]
    size, width = np.abs(difference), table["margin"].to_numpy(float)
    table["p_equivalence"] = 1 - _upper_tail(size - width, error, degrees)
    table["p_beyond"] = _upper_tail(size - width, error, degrees) + _upper_tail(size + width, error, degrees)
    for together in (["p_difference", "p_distribution"], ["p_beyond"]):
        names = [f"{name}_corrected" for name in together]
        table[names] = np.nan
        for family in families:
            table.loc[family, names] = corrected(table.loc[family, together].to_numpy())
    fewest = np.minimum(*sample_sizes)
    differs = (table[["p_difference_corrected", "p_distribution_corrected"]] < LEVEL).any(axis=1)
    table["differs"] = differs & (fewest >= FEWEST_PATIENTS)
    table["finding"] = [_finding(row, few) for row, few in zip(table.to_dict("records"), fewest.tolist(), strict=True)]


def _variance_of_mean(some: SetValues, num_patients: Int[np.ndarray, " column"]) -> Float[np.ndarray, " column"]:
    """By patient; with one record a patient it is the sample variance over the number of records."""
    variances = np.full(some.values.shape[1], np.nan)
    for i, column in enumerate(some.values.T):
        known = np.isfinite(column)
        if num_patients[i] > 1:
            of_patients = np.bincount(some.patients[known], weights=column[known] - column[known].mean())
            correction = num_patients[i] / (num_patients[i] - 1)
            variances[i] = correction * (of_patients**2).sum() / known.sum() ** 2
    return variances


def _upper_tail(
    difference: Float[np.ndarray, " column"], error: Float[np.ndarray, " column"], degrees: Float[np.ndarray, " column"]
) -> Float[np.ndarray, " column"]:
    """The p-value of a difference above zero; of constants it is 0, 1/2 or 1, by the sign of their difference."""
    constant = np.where(np.isnan(difference), np.nan, 0.5 - 0.5 * np.sign(difference))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(error == 0, constant, scipy.stats.t.sf(difference / error, degrees))


def corrected(p: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """p-values corrected together by Benjamini and Hochberg; NaN stays NaN and is not counted."""
    found = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if known.any():
        found[known] = scipy.stats.false_discovery_control(p[known])
    return found


def _finding(row: Mapping[Hashable, Any], fewest: float) -> str:
    if np.isnan(row["margin"]):
        return ""
    if fewest < FEWEST_PATIENTS:
        return Finding.TOO_FEW.value
    if row["p_equivalence"] < LEVEL:
        return Finding.EQUIVALENT.value
    return (Finding.BEYOND if row["p_beyond_corrected"] < LEVEL else Finding.UNDECIDED).value


def add_null_band(table: pd.DataFrame, sets: list[SetValues], num_splits: int, seed: int) -> None:
    real, generated = (_at_most(some, 2 * MOST_PER_HALF) for some in sets)
    size = min(len(real.patients) // 2, len(generated.patients), MOST_PER_HALF)
    rng = np.random.default_rng((seed, 2))
    first, second = random_halves(real.patients, size, num_splits, rng)
    drawn = rng.random((num_splits, len(generated.patients))).argsort(axis=1) < size
    nowhere = [np.zeros((num_splits, len(some.patients)), bool) for some in (real, generated)]
    both = np.concatenate([real.values, generated.values])
    num_chosen = first.sum(axis=1).mean() if len(real.patients) else 0
    table["null_num_records"] = round(float(num_chosen))
    differences = np.abs(
        weighted_means(first.astype(np.float32), real.values) - weighted_means(second.astype(np.float32), real.values)
    )
    table["null_difference"] = _quantiles(differences, [1 - LEVEL])[0]
    for i, name in enumerate(table.index):
        for prefix, distances in (
            ("null", weighted_distances(real.values[:, i], first, second)),
            (
                "same_size",
                weighted_distances(both[:, i], np.hstack([first, nowhere[1]]), np.hstack([nowhere[0], drawn])),
            ),
        ):
            for kind, of_splits in zip(("ks", "wasserstein"), distances, strict=True):
                known = of_splits[np.isfinite(of_splits)]
                figure = np.nan
                if len(known):
                    figure = np.quantile(known, 1 - LEVEL) if prefix == "null" else known.mean()
                table.loc[name, f"{prefix}_{kind}_distance"] = figure


def _at_most(some: SetValues, most: int) -> SetValues:
    if len(some.patients) <= most:
        return some
    which = evenly_spaced(len(some.patients), most, ends="both")
    return SetValues(some.values[which], pd.factorize(some.patients[which])[0])
