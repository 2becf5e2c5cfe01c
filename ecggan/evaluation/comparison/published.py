"""Published figures of the same measurements, and the paper's table: real, generated and published side by side."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ecggan.evaluation.formatting import mean_and_sd, sentence_case
from ecggan.measurement.columns import R_AMPLITUDES, display_name

NUM_GENERATED_12SL, NUM_NORMAL_12SL = 150_000, 121_977
SHARE_NORMAL_12SL = NUM_NORMAL_12SL / NUM_GENERATED_12SL
"""Of the published generator's ECGs 12SL called so many "Normal ECG" (Thambawita et al. 2021)."""

PUBLISHED_12SL: Mapping[str, tuple[float, float]] = {
    "heart_rate_bpm": (69.7, 7.5),
    "rr_mean_ms": (869.2, 86.8),
    "pr_interval_ms": (158.1, 16.8),
    "qrs_duration_ms": (92.1, 8.7),
    "qt_interval_ms": (395.2, 20.5),
    "qtc_fridericia_ms": (414.1, 16.7),
    "p_axis_deg": (50.7, 16.4),
    "qrs_axis_deg": (40.4, 22.9),
    "t_axis_deg": (37.9, 15.9),
    "r_amplitude_i_mv": (0.679, 0.238),
    "r_amplitude_ii_mv": (0.863, 0.274),
    "r_amplitude_iii_mv": (0.309, 0.274),
    "r_amplitude_avr_mv": (0.049, 0.044),
    "r_amplitude_avl_mv": (0.315, 0.209),
    "r_amplitude_avf_mv": (0.547, 0.286),
    "r_amplitude_v1_mv": (0.183, 0.093),
    "r_amplitude_v2_mv": (0.492, 0.259),
    "r_amplitude_v3_mv": (0.832, 0.418),
    "r_amplitude_v4_mv": (1.284, 0.457),
    "r_amplitude_v5_mv": (1.276, 0.370),
    "r_amplitude_v6_mv": (1.047, 0.299),
}
"""What 12SL measured on those normal ones, mean and SD.

Source: the authors' analysis of their ground-truth table (vlbthambawita/ECG-k-Fold, deepfake_ecg_analysis.ipynb).
"""
PUBLISHED_CORRELATIONS_12SL: Mapping[tuple[str, str], float] = {
    ("rr_mean_ms", "qt_interval_ms"): 0.627,
    ("pr_interval_ms", "qrs_duration_ms"): -0.089,
    ("qrs_duration_ms", "qt_interval_ms"): 0.149,
    ("heart_rate_bpm", "qtc_fridericia_ms"): 0.038,
}
"""Pearson's, over the same ECGs and from the same source."""

PAPER_ROWS = (
    *("heart_rate_bpm", "rr_mean_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"),
    *("qtc_bazett_ms", "qtc_fridericia_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"),
    *R_AMPLITUDES,
)
PUBLISHED_COLUMN = "published, 12SL"

WHAT_IS_COMPARABLE = (
    "Every column holds mean ± SD over records that are normal: by the open screen for the sets measured here, by GE's "
    "12SL for the published column (121,977 of the 150,000 ECGs that the authors drew from their Pulse2Pulse). The two "
    "do not call the same records normal, and shares normal are not the same measure.",
    "Comparable: rate, RR, PR, QRS, QT, QTc and the axes; on the published generator's own ECGs these measurements "
    "agree with 12SL's means to 1 bpm, 2 ms (PR), 4 ms (QRS), 2 ms (QTc) and 1° (QRS axis). R amplitudes agree within "
    "7 %, in aVR and V1 within 12 %.",
    "Not comparable: P durations and QTc by Bazett, which were not published.",
    "The paper's real ECGs (GESUS and Inter99, 12SL normal) are private: the real column here is another population.",
)


def paper_table(sets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The layout of the published comparison: a row a measurement, a column a set, and 12SL's published figures.

    Args:
        sets: by the column's heading, tables of the records that count.

    Returns:
        `Measurement` (name and unit), and in each column ``mean ± SD`` or an en dash; the first row holds the number of
        records.
    """
    rows = [["Records", *(f"{len(table):,}" for table in sets.values()), f"{NUM_NORMAL_12SL:,}"]]
    for column in PAPER_ROWS:
        words, unit = display_name(column)
        figures = [
            (table[column].mean(), table[column].std()) if column in table else (np.nan, np.nan)
            for table in sets.values()
        ]
        figures.append(PUBLISHED_12SL.get(column, (np.nan, np.nan)))
        rows.append(
            [
                f"{sentence_case(words)}, {unit}",
                *(mean_and_sd(*pair, 2 if unit == "mV" else 1) for pair in figures),
            ]
        )
    return pd.DataFrame(rows, columns=["Measurement", *sets, PUBLISHED_COLUMN])
