import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.comparison import COLUMNS, compare, share_measurable


def table_of(measurable: np.ndarray | None = None, **columns: np.ndarray) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"is_measurable": np.ones(count, bool) if measurable is None else measurable, **columns})


@pytest.fixture(scope="module")
def qrs_ms() -> np.ndarray:
    return np.random.default_rng(0).normal(92, 9, 200)


def figures(real: pd.DataFrame, generated: pd.DataFrame, measurement: str = "qrs_duration_ms") -> pd.Series:
    return compare(real, generated).set_index("measurement").loc[measurement]


def test_a_table_is_at_no_distance_from_itself(qrs_ms: np.ndarray) -> None:
    table = table_of(qrs_duration_ms=qrs_ms, qrs_axis_deg=qrs_ms + 90)
    same = compare(table, table)
    assert (same["difference"] == 0).all()
    assert (same["wasserstein_distance"] == 0).all()


def test_a_shift_is_its_difference_and_its_distance_and_belongs_to_the_generated(qrs_ms: np.ndarray) -> None:
    row = figures(table_of(qrs_duration_ms=qrs_ms), table_of(qrs_duration_ms=qrs_ms + 7))
    assert row["difference"] == pytest.approx(7)
    assert row["wasserstein_distance"] == pytest.approx(7)
    assert row["generated_mean"] == pytest.approx(row["real_mean"] + 7)
    assert row["unit"] == "ms"


def test_distance_is_symmetric_and_difference_turns_its_sign(qrs_ms: np.ndarray) -> None:
    real = table_of(qrs_duration_ms=qrs_ms, qrs_axis_deg=qrs_ms)
    generated = table_of(qrs_duration_ms=qrs_ms[:50] * 1.2, qrs_axis_deg=qrs_ms[:50] * 2)
    there, back = compare(real, generated), compare(generated, real)
    assert np.allclose(there["wasserstein_distance"], back["wasserstein_distance"])
    assert np.allclose(there["difference"], -back["difference"])


def test_distance_sees_a_spread_too_narrow_where_means_agree(qrs_ms: np.ndarray) -> None:
    narrow = qrs_ms.mean() + (qrs_ms - qrs_ms.mean()) / 3
    row = figures(table_of(qrs_duration_ms=qrs_ms), table_of(qrs_duration_ms=narrow))
    assert row["difference"] == pytest.approx(0, abs=1e-9)
    assert row["wasserstein_distance"] > 4


def test_only_measurable_records_and_finite_values_count(qrs_ms: np.ndarray) -> None:
    spoilt = np.concatenate([qrs_ms, [9999.0, np.nan]])
    measurable = np.array([True] * len(qrs_ms) + [False, True])
    row = figures(table_of(qrs_duration_ms=qrs_ms), table_of(measurable, qrs_duration_ms=spoilt))
    assert (row["num_real"], row["num_generated"]) == (200, 200)
    assert row["difference"] == 0


def test_angles_are_compared_on_the_circle() -> None:
    real, generated = np.array([178.0, 179.0, -179.0]), np.array([-178.0, -177.0, -175.0])
    row = figures(table_of(qrs_axis_deg=real), table_of(qrs_axis_deg=generated), "qrs_axis_deg")
    assert row["difference"] == pytest.approx(4)
    assert row["real_sd"] == pytest.approx(np.std([178, 179, 181], ddof=1))


def test_a_measurement_that_one_table_lacks_is_marked_and_not_dropped(qrs_ms: np.ndarray) -> None:
    table = compare(
        table_of(qrs_duration_ms=qrs_ms, r_amplitude_avl_mv=qrs_ms), table_of(qrs_duration_ms=qrs_ms)
    ).set_index("measurement")
    assert table.loc["r_amplitude_avl_mv", "num_generated"] == 0
    assert np.isnan(table.loc["r_amplitude_avl_mv", "wasserstein_distance"])
    assert table.loc["qrs_duration_ms", "wasserstein_distance"] == 0


def test_an_empty_table_compares_to_nan(qrs_ms: np.ndarray) -> None:
    row = figures(table_of(qrs_duration_ms=qrs_ms), table_of(qrs_duration_ms=np.empty(0)))
    assert row["num_generated"] == 0
    assert np.isnan(row["difference"])
    assert list(compare(table_of(qrs_duration_ms=qrs_ms), table_of(qrs_duration_ms=qrs_ms))) == list(COLUMNS)


def test_share_measurable_counts_all_records() -> None:
    assert share_measurable(table_of(np.array([True, False, True, True]), qrs_duration_ms=np.ones(4))) == 0.75
    assert np.isnan(share_measurable(table_of(qrs_duration_ms=np.empty(0))))


def test_a_table_without_measurements_is_refused(qrs_ms: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"generated_table must be a table made by ecggan\.measure"):
        compare(table_of(qrs_duration_ms=qrs_ms), pd.DataFrame({"a": [1]}))
