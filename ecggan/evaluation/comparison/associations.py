"""Associations of measurements: correlation and slope of pairs, in the real set and in a generated one.

Each measurement may be right by itself and the ECGs wrong, e.g. if the QT interval does not follow the RR interval.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Float

from ecggan.measurement.columns import display_name
from ecggan.measurement.delineation_choice import check_same_delineation
from ecggan.stats.hypothesis_tests import FEWEST_PATIENTS, LEVEL, MOST_PER_HALF, corrected
from ecggan.stats.resampling import (
    NUM_RESAMPLES,
    NUM_SPLITS,
    bootstrap_weights,
    effective_sample_size,
    patient_numbers,
    random_halves,
)

PAIRS = (
    ("rr_mean_ms", "qt_interval_ms"),
    ("heart_rate_bpm", "qtc_bazett_ms"),
    ("heart_rate_bpm", "qtc_fridericia_ms"),
    ("rr_mean_ms", "pr_interval_ms"),
    ("pr_interval_ms", "qrs_duration_ms"),
    ("p_duration_ms", "pr_interval_ms"),
    ("qrs_duration_ms", "qt_interval_ms"),
    ("r_amplitude_v5_mv", "t_amplitude_v5_mv"),
    ("s_amplitude_v1_mv", "r_amplitude_v5_mv"),
    ("r_amplitude_i_mv", "r_amplitude_iii_mv"),
)
"""(x, y): the slope is that of y on x."""
COLUMNS = (
    *("x", "y", "slope_unit", "num_real", "num_generated"),
    *("real_correlation", "generated_correlation"),
    *("correlation_difference", "correlation_low", "correlation_high", "null_correlation_difference"),
    *("real_slope", "generated_slope", "slope_difference", "slope_low", "slope_high", "null_slope_difference"),
    *("correlation_differs", "slope_differs"),
)
_FEWEST_RECORDS = 3


def compare_relations(
    real: pd.DataFrame,
    generated: pd.DataFrame,
    num_resamples: int = NUM_RESAMPLES,
    num_splits: int = NUM_SPLITS,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare Pearson's correlation and the least-squares slope of [PAIRS][], over measurable records.

    Args:
        real: a table of measurements, the reference; with a column `patient` intervals are by patient.
        generated: the set to compare.
        num_resamples: of the bootstrap.
        num_splits: of the real set into halves.
        seed: of both.

    Returns:
        A row a pair, [COLUMNS][]: both sets' correlation and slope, generated minus real with its 95 % bootstrap
        interval, the 95th percentile of the difference of two random halves of the real set, and whether
        they differ (by the bootstrap's standard error, corrected over the pairs by Benjamini and Hochberg). NaN where a
        set has fewer than 3 records with both measurements or one of them never varies; no interval, and nothing that
        differs, below 30 patients.

    Raises:
        ValueError: the tables rest on different delineations.
    """
    check_same_delineation(real, generated)
    tables = [table[table["is_measurable"].astype(bool)] for table in (real, generated)]
    rows, p_values = [], []
    for x, y in PAIRS:
        pairs = [_pairs(table, x, y) for table in tables]
        # of each set: (correlation, slope), and those of each draw
        figures = [_correlation_and_slope(np.ones((1, len(values)), np.float32), values)[:, 0] for values, _ in pairs]
        draws = [
            _of_draws(bootstrap_weights(patients, num_resamples, np.random.default_rng((seed, i))), values)
            for i, (values, patients) in enumerate(pairs)
        ]
        differences = draws[1] - draws[0]
        if min(effective_sample_size(patients) for _, patients in pairs) < FEWEST_PATIENTS:
            differences = np.full_like(differences, np.nan)
        low, high = _interval(differences)
        p_values.append([_p(figures[1][i] - figures[0][i], differences[i]) for i in range(2)])
        null = _null(*pairs[0], num_splits, np.random.default_rng((seed, 2)))
        row: list[object] = [x, y, _slope_unit(x, y), len(pairs[0][0]), len(pairs[1][0])]
        for i in range(2):
            row += [figures[0][i], figures[1][i], figures[1][i] - figures[0][i], low[i], high[i], null[i]]
        rows.append(row)
    differs = np.column_stack([corrected(p) < LEVEL for p in np.array(p_values).T])
    return pd.DataFrame(
        [[*row, *found] for row, found in zip(rows, differs.tolist(), strict=True)], columns=list(COLUMNS)
    )


def _pairs(table: pd.DataFrame, x: str, y: str) -> tuple[Float[np.ndarray, "record 2"], np.ndarray]:
    missing = [name for name in (x, y) if name not in table]
    if missing:
        return np.empty((0, 2)), np.empty(0, int)
    both = table[table[[x, y]].notna().all(axis=1)]
    return both[[x, y]].to_numpy(float), patient_numbers(both.get("patient"), len(both))


def _correlation_and_slope(
    weights: Float[np.ndarray, "draw record"], values: Float[np.ndarray, "record 2"]
) -> Float[np.ndarray, "2 draw"]:
    if len(values) < _FEWEST_RECORDS:
        return np.full((2, len(weights)), np.nan)
    scale = values.std(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = ((values - values.mean(axis=0)) / scale).T  # standardised, so that 32 bits lose nothing
        products = np.column_stack([np.ones(len(x)), x, y, x * x, y * y, x * y]).astype(np.float32)
        count, *sums = (weights @ products).T.astype(float)
        mean_x, mean_y, xx, yy, xy = (total / count for total in sums)
        covariance, spread_x, spread_y = xy - mean_x * mean_y, xx - mean_x**2, yy - mean_y**2
        correlation = covariance / np.sqrt(np.maximum(spread_x, 0) * np.maximum(spread_y, 0))
        slope = covariance / np.maximum(spread_x, 0) * scale[1] / scale[0]
    return np.where(np.isfinite([correlation, slope]), [correlation, slope], np.nan)


def _of_draws(draws: Iterator[np.ndarray], values: Float[np.ndarray, "record 2"]) -> Float[np.ndarray, "2 draw"]:
    return np.concatenate([_correlation_and_slope(weights, values) for weights in draws], axis=1)


def _interval(differences: Float[np.ndarray, "2 draw"]) -> tuple[list[float], list[float]]:
    ends = [
        np.nanquantile(draws, [LEVEL / 2, 1 - LEVEL / 2]) if np.isfinite(draws).any() else [np.nan, np.nan]
        for draws in differences
    ]
    return [float(low) for low, _ in ends], [float(high) for _, high in ends]


def _p(difference: float, draws: Float[np.ndarray, " draw"]) -> float:
    """Of no difference, after the spread of the draws."""
    known = draws[np.isfinite(draws)]
    if len(known) < 2 or not np.isfinite(difference):
        return np.nan
    return float(2 * scipy.stats.norm.sf(abs(difference) / known.std(ddof=1)))


def _null(
    values: Float[np.ndarray, "record 2"], patients: np.ndarray, num_splits: int, rng: np.random.Generator
) -> list[float]:
    halves = random_halves(patients, MOST_PER_HALF, num_splits, rng)
    first, second = (_correlation_and_slope(half.astype(np.float32), values) for half in halves)
    apart = np.abs(first - second)
    return [float(np.nanquantile(some, 1 - LEVEL)) if np.isfinite(some).any() else np.nan for some in apart]


def _slope_unit(x: str, y: str) -> str:
    """``ms per bpm``; empty for two of one unit."""
    units = [display_name(name)[1] for name in (x, y)]
    return "" if units[0] == units[1] else f"{units[1]} per {units[0]}"
