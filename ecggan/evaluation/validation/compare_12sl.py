"""Measurements of the published generator's ECGs against those that GE's 12SL made of them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ecggan.evaluation.comparison.published import PUBLISHED_12SL
from ecggan.measurement.columns import R_AMPLITUDES, display_name

# Smallest and largest value of the ECGs that 12SL called normal; they select the ECGs to compare.
RANGES_OF_12SL_NORMALS: Mapping[str, tuple[float, float]] = {
    "heart_rate_bpm": (60, 100),
    "pr_interval_ms": (112, 208),
    "qrs_duration_ms": (60, 116),
    "qt_interval_ms": (318, 476),
    "qtc_fridericia_ms": (349, 478),
    "p_axis_deg": (-29, 119),
    "qrs_axis_deg": (-29, 89),
    "t_axis_deg": (-41, 92),
}


def compare_with_12sl(table: pd.DataFrame) -> pd.DataFrame:
    """Measurements of the published generator's ECGs against 12SL's, over the ECGs within the ranges of its normals.

    Args:
        table: of [measure][ecggan.measurement.measure_set.measure].

    Returns:
        A row a measurement: mean and SD as measured and as published, and the difference of the means.

    Raises:
        ValueError: no ECG lies within the ranges.
    """
    normal = table[table["is_measurable"]]
    for column, (low, high) in RANGES_OF_12SL_NORMALS.items():
        normal = normal[normal[column].between(low, high)]
    if not len(normal):
        raise ValueError(
            f"none of the {len(table)} ECGs is within the ranges of 12SL's normal ones: give ECGs of the published "
            "generator"
        )
    rows = [
        {
            "measurement": display_name(column)[0],
            "unit": display_name(column)[1],
            "mean": normal[column].mean(),
            "sd": normal[column].std(),
            "mean_12sl": mean,
            "sd_12sl": sd,
            "difference": normal[column].mean() - mean,
            "relative": normal[column].mean() / mean - 1 if column in R_AMPLITUDES else np.nan,
        }
        for column, (mean, sd) in PUBLISHED_12SL.items()
        if column in normal
    ]
    compared = pd.DataFrame(rows)
    compared.attrs["num_normal"] = len(normal)
    return compared


def summary_text(table: pd.DataFrame) -> str:
    """How many ECGs are compared, and the comparison, for a terminal."""
    compared = compare_with_12sl(table)
    count = f"{compared.attrs['num_normal']} of {len(table)} ECGs are within the ranges of 12SL's normal ones"
    return f"{count}\n{compared.to_string(index=False, float_format='%.3f', na_rep='')}"
