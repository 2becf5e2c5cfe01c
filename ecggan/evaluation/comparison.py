"""Two tables of measurements -> one table of differences: how far the generated ECGs lie from the real ones.

Every figure is in the measurement's own unit and over measurable records only; how many those were is a finding of its
own, see [share_measurable][].
"""

import numpy as np
import pandas as pd
import scipy.stats

from ecggan.evaluation.columns import MEASUREMENTS, display_name

COLUMNS = (
    "measurement",
    "unit",
    "num_real",
    "num_generated",
    "real_mean",
    "real_sd",
    "generated_mean",
    "generated_sd",
    "difference",
    "wasserstein_distance",
)


def compare(real_table: pd.DataFrame, generated_table: pd.DataFrame) -> pd.DataFrame:
    """Compare two tables of [measure][ecggan.evaluation.measurements.measure], one row a measurement.

    Args:
        real_table: the reference.
        generated_table: what is judged; `difference` is generated minus real.

    Returns:
        `measurement`, `unit`, `num_real` and `num_generated` (records that have the value), means and SDs, `difference`
        of the means, and `wasserstein_distance`: by how much, on average, a value must move to turn one distribution
        into the other, so that it also sees a spread too narrow where the means agree. NaN where a set has no value
        (SD: fewer than two). Angles are compared on the circle: each is taken on the turn nearest to the mean direction
        of both sets, so 179° and -179° are 2° apart.

    Raises:
        ValueError: a table is none of measurements.
    """
    tables = {"real_table": real_table, "generated_table": generated_table}
    measurable = {argument: _measurable(table, argument) for argument, table in tables.items()}
    rows = []
    for measurement in MEASUREMENTS:
        if measurement not in real_table and measurement not in generated_table:
            continue
        real, generated = (_values(table, measurement) for table in measurable.values())
        unit = display_name(measurement)[1]
        if unit == "°":
            real, generated = _same_turn(real, generated)
        rows.append((measurement, unit, len(real), len(generated), *_figures(real, generated)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


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


def _values(table: pd.DataFrame, measurement: str) -> np.ndarray:
    values = table[measurement].to_numpy(float) if measurement in table else np.empty(0)
    return values[np.isfinite(values)]


def _figures(real: np.ndarray, generated: np.ndarray) -> tuple[float, ...]:
    means = [float(values.mean()) if len(values) else np.nan for values in (real, generated)]
    sds = [float(values.std(ddof=1)) if len(values) > 1 else np.nan for values in (real, generated)]
    both = len(real) > 0 and len(generated) > 0
    distance = float(scipy.stats.wasserstein_distance(real, generated)) if both else np.nan
    return means[0], sds[0], means[1], sds[1], means[1] - means[0], distance


def _same_turn(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take every angle (degrees) within half a turn of the mean direction of both sets, each set weighing the same."""
    directions = [np.exp(1j * np.radians(angles)).mean() for angles in (real, generated) if len(angles)]
    centre = float(np.degrees(np.angle(sum(directions)))) if directions else 0.0
    return tuple(centre + (angles - centre + 180) % 360 - 180 for angles in (real, generated))  # type: ignore[return-value]
