import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ecggan.evaluation.comparison.associations import COLUMNS, PAIRS, compare_relations


def hearts(num_records: int, slope: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rr = rng.normal(850, 90, num_records)
    qt = 395 + slope * (rr - 850) + rng.normal(0, 15, num_records)
    return pd.DataFrame({"is_measurable": True, "rr_mean_ms": rr, "qt_interval_ms": qt})


def rr_qt(real: pd.DataFrame, generated: pd.DataFrame) -> pd.Series:
    return compare_relations(real, generated).iloc[0]


def test_correlation_and_slope_are_scipys() -> None:
    real, generated = hearts(200, 0.15, 0), hearts(300, 0.05, 1)
    row = rr_qt(real, generated)
    for name, table in (("real", real), ("generated", generated)):
        expected = scipy.stats.linregress(table["rr_mean_ms"], table["qt_interval_ms"])
        assert row[f"{name}_correlation"] == pytest.approx(expected.rvalue, abs=1e-5)
        assert row[f"{name}_slope"] == pytest.approx(expected.slope, abs=1e-5)
    assert (row["num_real"], row["num_generated"]) == (200, 300)
    assert row["slope_difference"] == pytest.approx(row["generated_slope"] - row["real_slope"])


def test_a_qt_that_follows_the_rate_less_is_seen() -> None:
    other = rr_qt(hearts(500, 0.15, 0), hearts(500, 0.05, 1))
    assert other["slope_high"] < 0
    assert abs(other["slope_difference"]) > other["null_slope_difference"]


@pytest.mark.usefixtures("unchecked")
def test_intervals_of_the_same_law_hold_no_difference_as_often_as_stated() -> None:
    held = []
    for i in range(200):
        tables = (hearts(200, 0.15, 2 * i), hearts(200, 0.15, 2 * i + 1))
        row = compare_relations(*tables, num_resamples=400, num_splits=1).iloc[0]
        held.append(row["slope_low"] < 0 < row["slope_high"])
    assert scipy.stats.binomtest(sum(held), len(held), 0.95, alternative="less").pvalue > 0.001


def test_patients_with_several_records_widen_the_interval() -> None:
    many = pd.concat([hearts(60, 0.15, 0)] * 5, ignore_index=True)
    known = many.assign(patient=[f"p{i % 60}" for i in range(300)])
    widths = [row["slope_high"] - row["slope_low"] for row in (rr_qt(t, hearts(2000, 0.15, 1)) for t in (known, many))]
    assert widths[0] > 1.7 * widths[1]


def test_what_cannot_be_had_is_marked_and_every_pair_has_its_row() -> None:
    constant = hearts(50, 0.15, 0).assign(qt_interval_ms=400.0)
    for generated in (constant, hearts(2, 0.1, 1), hearts(0, 0.1, 1)):
        table = compare_relations(hearts(50, 0.15, 2), generated)
        assert list(table) == list(COLUMNS)
        assert len(table) == len(PAIRS)
        assert np.isnan(table.loc[0, "correlation_difference"])
        assert np.isnan(table.loc[1, "real_correlation"])  # there is no heart rate at all
