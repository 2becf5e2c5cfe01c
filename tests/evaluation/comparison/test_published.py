import json

import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.comparison.published import (
    NUM_NORMAL_12SL,
    PUBLISHED_12SL,
    PUBLISHED_COLUMN,
    PUBLISHED_CORRELATIONS_12SL,
    SHARE_NORMAL_12SL,
    paper_table,
)


def test_table_has_the_published_layout_and_says_how_many_records_stand_behind_it() -> None:
    real = pd.DataFrame({"heart_rate_bpm": [60.0, 70.0, 80.0], "qrs_axis_deg": [-10.0, -20.0, -30.0]})
    table = paper_table({"real": real, "ours": real.iloc[:0]}).set_index("Measurement")
    assert list(table) == ["real", "ours", PUBLISHED_COLUMN]
    assert list(table.loc["Records"]) == ["3", "0", "121,977"]
    assert list(table.loc["Heart rate, bpm"]) == ["70.0 ± 10.0", "–", "69.7 ± 7.5"]
    assert table.loc["QRS axis, °", "real"] == "−20.0 ± 10.0"
    assert table.loc["P duration, ms", PUBLISHED_COLUMN] == "–"
    assert sum(name.startswith("R amplitude") for name in table.index) == 12


def test_published_figures_are_the_references(shared_data) -> None:
    reference = json.loads((shared_data.parent / "reference" / "published_measurements.json").read_text())
    published = reference["deepfake_normals_12sl"]
    assert published["n"] == NUM_NORMAL_12SL
    assert pytest.approx(SHARE_NORMAL_12SL, abs=1e-4) == published["share_normal_of_generated"]
    theirs = {"rr_mean_ms": "rr_interval_ms", "qrs_axis_deg": "r_axis_deg"}
    for column, (mean, sd) in PUBLISHED_12SL.items():
        if column.startswith("r_amplitude"):
            lead = {name.lower(): name for name in published["r_amplitude_uv"]}[column.split("_")[2]]
            figures = np.array([published["r_amplitude_uv"][lead][key] for key in ("mean", "sd")]) / 1000
        else:
            figures = np.array([published[theirs.get(column, column)][key] for key in ("mean", "sd")])
        assert (mean, sd) == pytest.approx(tuple(figures)), column
    correlations = published["correlations"]
    assert PUBLISHED_CORRELATIONS_12SL[("rr_mean_ms", "qt_interval_ms")] == correlations["rr_qt"]
    assert PUBLISHED_CORRELATIONS_12SL[("pr_interval_ms", "qrs_duration_ms")] == correlations["pr_qrs"]
