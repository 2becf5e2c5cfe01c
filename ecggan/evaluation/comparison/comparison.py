"""Two tables of measurements -> one table of differences, with intervals and tests.

Every figure is in the measurement's unit and over the records that have it; their share is a result of its own, see
[share_measurable][]. Three questions for each measurement:

- is the mean difference smaller than what matters (`finding`; two one-sided t tests against a margin),
- can the two distributions be told apart (`differs`; a t test of the means and a Kolmogorov-Smirnov test, corrected),
- how far apart are two halves of the real set (`null_…`; what "no difference" looks like at that size).

Everything is by patient if the tables have a column `patient`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.stats

from ecggan.evaluation.comparison.margins import check_margins, margin_of
from ecggan.measurement.columns import MAIN_MEASUREMENTS, MEASUREMENTS, display_name
from ecggan.measurement.delineation_choice import check_same_delineation
from ecggan.stats.hypothesis_tests import SetValues, add_intervals, add_null_band, add_tests
from ecggan.stats.margin import Margin
from ecggan.stats.resampling import NUM_RESAMPLES, NUM_SPLITS, patient_numbers

_SET_FIGURES = ("mean", "sd", "median", "q1", "q3")
COLUMNS = (
    *("measurement", "unit", "num_real", "num_generated"),
    *(f"{which}_{figure}" for which in ("real", "generated") for figure in _SET_FIGURES),
    *("difference", "difference_low", "difference_high", "difference_low_90", "difference_high_90", "hedges_g"),
    *("ks_distance", "wasserstein_distance"),
    *("p_difference", "p_distribution", "p_difference_corrected", "p_distribution_corrected", "differs"),
    *("margin", "margin_source", "p_equivalence", "p_beyond", "p_beyond_corrected", "finding"),
    *("null_num_records", "null_difference", "null_ks_distance", "null_wasserstein_distance"),
    *("same_size_ks_distance", "same_size_wasserstein_distance"),
)


def compare(
    real_table: pd.DataFrame,
    generated_table: pd.DataFrame,
    margins: Mapping[str, int | float] | None = None,
    num_resamples: int = NUM_RESAMPLES,
    num_splits: int = NUM_SPLITS,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare two tables of [measure][ecggan.measurement.measure_set.measure], one row a measurement.

    Args:
        real_table: the reference.
        generated_table: the set to compare; `difference` is generated minus real.
        margins: how large a difference of means may be, by measurement, in place of those of
            [margin_of][ecggan.evaluation.comparison.margins.margin_of].
        num_resamples: of the bootstrap.
        num_splits: of the real set into halves.
        seed: of both. The same tables and seed give the same figures.

    Returns:
        See [compare_columns][]. The p-values are corrected over the main measurements and over the others apart.

    Raises:
        ValueError: a table is none of measurements, they rest on different delineations, or a margin is no number above
            0 for a measurement.
    """
    margins = dict(margins or {})
    check_margins(margins)
    check_same_delineation(real_table, generated_table)
    real, generated = _measurable(real_table, "real_table"), _measurable(generated_table, "generated_table")
    names = {name: display_name(name) for name in MEASUREMENTS if name in real_table or name in generated_table}

    def margin(name: str, real_mean: float) -> Margin | None:
        return margin_of(name, real_mean, margins)

    families = [[n for n in names if (n in MAIN_MEASUREMENTS) == is_main] for is_main in (True, False)]
    return compare_columns(real, generated, names, margin, families, num_resamples, num_splits, seed)


def compare_columns(
    real: pd.DataFrame,
    generated: pd.DataFrame,
    names: Mapping[str, tuple[str, str]],
    margin: Callable[[str, float], Margin | None] = lambda name, real_mean: None,
    families: list[list[str]] | None = None,
    num_resamples: int = NUM_RESAMPLES,
    num_splits: int = NUM_SPLITS,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the columns of two tables that have one row a record; for the arguments see [compare][].

    Args:
        real: the reference.
        generated: the set to compare.
        names: the columns, each with its words and unit; one that a table lacks counts as never measured.
        margin: of a column and its mean in the real set.
        families: the columns whose p-values are corrected together; None for all.
        num_resamples: of the bootstrap.
        num_splits: of the real set into halves.
        seed: of both.

    Returns:
        A row a column, [COLUMNS][], NaN where a set has too few values for a figure:

        - means, SDs, medians and quartiles of both;
        - `difference` of the means with its 95 % and 90 % bootstrap intervals (percentiles; patients drawn anew), and
          Hedges' g, the difference in pooled SDs without its bias of small samples;
        - `ks_distance`, the largest gap of the cumulative distributions, 0 to 1, and `wasserstein_distance`: how far a
          value must move on average to turn one distribution into the other, which also sees a spread too narrow;
        - `p_difference` (Welch's t test, its variance by patient) and `p_distribution` (Kolmogorov and Smirnov), both
          with as many records as [effective_sample_size][ecggan.stats.resampling.effective_sample_size] counts,
          `…_corrected` together over the family by Benjamini and Hochberg, and whether the sets `differs`: one of
          them below 0.05.
          Where nothing differs, at most one comparison in twenty says of any measurement that it does;
        - the `margin`; `p_equivalence` of two one-sided t tests against it, `p_beyond` of the t test that the
          difference is larger, corrected like the others; and the `finding`: ``equivalent`` or ``beyond the margin``
          (below 0.05), ``undecided``, ``too few records`` (of fewer than 30 patients nothing is said to differ, and
          there are no intervals), or empty without a margin;
        - `null_…`: what the difference (either way), `ks_distance` and `wasserstein_distance` of two random halves of
          the real set stay below in 95 of 100 splits, the halves holding `null_num_records`; and the mean distance of
          the generated set to such a half at the same size, as a distance shrinks with the number of records.

        Angles are compared on the circle: each is taken on the turn nearest to the mean direction of both sets, so 179°
        and −179° are 2° apart.

    Source: Hedges 1981; Cameron and Miller 2015, A practitioner's guide to cluster-robust inference (the variance by
    patient); Schuirmann 1987 (two one-sided tests); Murphy and Myors 1999 (minimum effects); Benjamini and Hochberg
    1995.
    """
    sets = _both(real, generated, names)
    table = _set_figures(sets, list(names))
    table.insert(0, "unit", [unit for _, unit in names.values()])
    add_intervals(table, sets, num_resamples, seed)
    add_tests(table, sets, margin, families or [list(names)])
    add_null_band(table, sets, num_splits, seed)
    return table.reset_index()[list(COLUMNS)]


def set_figures(real: pd.DataFrame, generated: pd.DataFrame, measurements: Sequence[str]) -> pd.DataFrame:
    """The figures of [compare_columns][] without resampling and tests, by measurement: a hundredth of its time."""
    sets = _both(real, generated, {name: display_name(name) for name in measurements})
    return _set_figures(sets, list(measurements))


def share_measurable(table: pd.DataFrame) -> float:
    """Measurable records as a share of all, 0 to 1; NaN for an empty table.

    Raises:
        ValueError: the table is none of measurements.
    """
    return len(_measurable(table, "table")) / len(table) if len(table) else float("nan")


def _measurable(table: pd.DataFrame, argument: str) -> pd.DataFrame:
    if "is_measurable" not in table:
        raise ValueError(
            f"{argument} must be a table made by ecggan.measure, with the column 'is_measurable'; "
            f"its columns are {list(table.columns)}"
        )
    return table[table["is_measurable"].astype(bool)]


def _values(table: pd.DataFrame, names: Mapping[str, tuple[str, str]]) -> SetValues:
    values = np.full((len(table), len(names)), np.nan)
    for i, name in enumerate(names):
        if name in table:
            values[:, i] = table[name].to_numpy(float)
    values[~np.isfinite(values)] = np.nan
    return SetValues(values, patient_numbers(table.get("patient"), len(table)))


def _both(real: pd.DataFrame, generated: pd.DataFrame, names: Mapping[str, tuple[str, str]]) -> list[SetValues]:
    """The columns of both tables, angles on one turn."""
    sets = [_values(table, names) for table in (real, generated)]
    for i, (_, unit) in enumerate(names.values()):
        if unit == "°":
            _to_same_turn(*(some.values[:, i] for some in sets))
    return sets


def _to_same_turn(real: np.ndarray, generated: np.ndarray) -> None:
    """Take every angle (degrees) within half a turn of the mean direction of both sets, each set weighing the same."""
    known = [angles[np.isfinite(angles)] for angles in (real, generated)]
    directions = [np.exp(1j * np.radians(angles)).mean() for angles in known if len(angles)]
    centre = float(np.degrees(np.angle(sum(directions)))) if directions else 0.0
    for angles in (real, generated):
        angles[:] = centre + (angles - centre + 180) % 360 - 180


def _figure_names() -> list[str]:
    of_sets = [f"{which}_{figure}" for which in ("real", "generated") for figure in _SET_FIGURES]
    return ["num_real", "num_generated", *of_sets, "difference", "hedges_g", "ks_distance", "wasserstein_distance"]


def _set_figures(sets: Sequence[SetValues], names: Sequence[str]) -> pd.DataFrame:
    rows = [_figures(*(some.values[:, i][np.isfinite(some.values[:, i])] for some in sets)) for i in range(len(names))]
    return pd.DataFrame(rows, index=pd.Index(names, name="measurement"), columns=_figure_names())


def _figures(real: np.ndarray, generated: np.ndarray) -> list[int | float]:
    """The figures without resampling, in the order of [_figure_names][]."""
    figures: list[int | float] = [len(real), len(generated)]
    for values in (real, generated):
        quartiles = np.percentile(values, [50, 25, 75]) if len(values) else np.full(3, np.nan)
        mean = values.mean() if len(values) else np.nan
        figures += [mean, values.std(ddof=1) if len(values) > 1 else np.nan, *quartiles]
    difference = figures[2 + len(_SET_FIGURES)] - figures[2]
    ks = wasserstein = np.nan
    if len(real) and len(generated):
        ks = float(scipy.stats.ks_2samp(real, generated, method="asymp").statistic)
        wasserstein = float(scipy.stats.wasserstein_distance(real, generated))
    return [*figures, difference, _hedges_g(real, generated), ks, wasserstein]


def _hedges_g(real: np.ndarray, generated: np.ndarray) -> float:
    degrees = len(real) + len(generated) - 2
    if min(len(real), len(generated)) < 2:
        return np.nan
    squares = sum(((values - values.mean()) ** 2).sum() for values in (real, generated))
    if squares == 0:
        return np.nan
    return float((generated.mean() - real.mean()) / np.sqrt(squares / degrees) * (1 - 3 / (4 * degrees - 1)))
