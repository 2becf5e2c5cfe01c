import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.fidelity.fidelity import COLUMNS, FIGURES, compare_clouds, null_figures
from ecggan.evaluation.fidelity.precision_recall import NEIGHBOUR_FIGURES

pytestmark = pytest.mark.slow

DISTANCES = ["kernel_distance", "frechet_distance"]
QUICK = {"num_splits": 60, "num_permutations": 199}


def cloud(num_records: int, seed: int) -> np.ndarray:
    """Ten features, around which half the records lie low and half high."""
    rng = np.random.default_rng(seed)
    centre = np.where(rng.random(num_records) < 0.5, -3, 3)[:, None]
    return centre + rng.normal(size=(num_records, 10))


@pytest.fixture(scope="module")
def real() -> np.ndarray:
    return cloud(240, 0)


@pytest.fixture(scope="module")
def null(real: np.ndarray) -> pd.DataFrame:
    return null_figures(real, 120, QUICK["num_splits"])


def test_another_set_of_the_same_distribution_lies_in_the_null_band(real: np.ndarray) -> None:
    table = compare_clouds(real, cloud(120, 1), **QUICK)
    assert list(table.index) == list(FIGURES)
    assert list(table) == list(COLUMNS)
    inside = (table["null_low"] <= table["value"]) & (table["value"] <= table["null_high"])
    assert inside.all(), table
    assert (table["p_value"] > 0.05).all()
    assert table["num_real"].tolist() == [240, 120, 120, 120, 120, 120, 240]
    assert (table["num_generated"] == 120).all()
    assert (
        table.loc["classifier_auc", "low"] < table.loc["classifier_auc", "value"] < table.loc["classifier_auc", "high"]
    )
    assert table.drop("classifier_auc")[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize("change", ["doubled", "shifted", "shrunk"])
def test_distances_see_another_amplitude_place_and_spread(real: np.ndarray, null: pd.DataFrame, change: str) -> None:
    other = cloud(120, 1)
    other = {"doubled": 2 * other, "shifted": other + 1, "shrunk": 0.6 * other}[change]
    table = compare_clouds(real, other, null=null, **QUICK)
    assert (table.loc[DISTANCES, "value"] > table.loc[DISTANCES, "null_high"]).all()
    assert (table.loc[[*DISTANCES, "classifier_auc"], "p_value"] < 0.05).all()


def test_a_missing_mode_lowers_recall_and_coverage_and_not_precision(real: np.ndarray, null: pd.DataFrame) -> None:
    one_mode = cloud(300, 1)
    table = compare_clouds(real, one_mode[one_mode.mean(axis=1) > 0][:120], null=null, **QUICK)
    assert (table.loc[["recall", "coverage"], "value"] < table.loc[["recall", "coverage"], "null_low"] - 0.2).all()
    assert (table.loc[["recall", "coverage"], "p_value"] == 1 / 61).all()
    assert table.loc["precision", "value"] > table.loc["precision", "null_low"]
    assert table.loc["precision", "p_value"] > 0.05


def test_far_outliers_lower_precision_and_not_recall(real: np.ndarray, null: pd.DataFrame) -> None:
    with_outliers = cloud(120, 1)
    with_outliers[::3] *= 20
    table = compare_clouds(real, with_outliers, null=null, **QUICK)
    assert table.loc["precision", "value"] < table.loc["precision", "null_low"] - 0.2
    assert table.loc["precision", "p_value"] == 1 / 61
    assert table.loc["recall", "value"] >= table.loc["recall", "null_low"]


def test_a_band_found_before_is_the_one_found_again_and_figures_depend_on_the_seed_alone(
    real: np.ndarray, null: pd.DataFrame
) -> None:
    other = cloud(120, 1)
    table = compare_clouds(real, other, **QUICK)
    pd.testing.assert_frame_equal(table, compare_clouds(real, other, null=null, **QUICK))
    assert not table.equals(compare_clouds(real, other, seed=1, null=null, **QUICK))


def test_figures_do_not_depend_on_the_order_of_the_records(real: np.ndarray, null: pd.DataFrame) -> None:
    other = cloud(120, 1)
    value, turned = (compare_clouds(real[::step], other[::step], null=null, **QUICK)["value"] for step in (1, -1))
    assert turned["kernel_distance"] == pytest.approx(value["kernel_distance"], abs=1e-5)
    assert turned["frechet_distance"] == pytest.approx(
        value["frechet_distance"], abs=0.2 * null["frechet_distance"].std() * 4
    )
    for figure in NEIGHBOUR_FIGURES:
        assert turned[figure] == pytest.approx(value[figure], abs=2 * null[figure].std())


def test_too_few_records_get_a_row_and_no_figures(real: np.ndarray) -> None:
    for table in (compare_clouds(real[:29], real), compare_clouds(real, real[:0])):
        assert table.drop(columns=["num_real", "num_generated"]).isna().all(axis=None)
        assert list(table.index) == list(FIGURES)


def test_copies_constants_and_far_sets_have_finite_figures(real: np.ndarray) -> None:
    few = real[:40]
    constant = few[:1].repeat(40, axis=0)
    pairs = {
        "same": (few, few),
        "constants": (constant, constant),
        "constant": (few, constant),
        "of a constant": (constant, few),
        "repeated": (few, few[:4].repeat(10, axis=0)),
        "far": (few, few + 1e6),
        "wide": (few, 1e6 * few),
    }
    figures = {}
    for name, pair in pairs.items():
        table = compare_clouds(*pair, num_splits=10, num_permutations=49)
        assert np.isfinite(table.drop(columns=["low", "high"])).all(axis=None), (name, table)
        figures[name] = table
    assert figures["same"].loc["kernel_distance", "value"] <= 0
    assert figures["same"].loc["frechet_distance", "value"] < figures["same"].loc["frechet_distance", "null_high"]
    assert (figures["same"]["p_value"] > 0.2).all()
    assert (figures["constants"].loc[DISTANCES, "value"].abs() < 1e-9).all()
    assert (figures["far"].loc[DISTANCES, "value"] > 1e5).all()
    assert (figures["far"].loc[list(NEIGHBOUR_FIGURES), "value"] == 0).all()
    assert figures["repeated"].loc["coverage", "p_value"] < 0.2


@pytest.mark.slow
def test_of_large_sets_so_many_records_are_used_as_the_memory_holds() -> None:
    rng = np.random.default_rng(0)
    table = compare_clouds(rng.normal(size=(4100, 2)), rng.normal(size=(2100, 2)), num_splits=2, num_permutations=9)
    assert (table.loc["kernel_distance", "num_real"], table.loc["kernel_distance", "num_generated"]) == (4000, 2000)
    assert (table.loc["recall", "num_real"], table.loc["recall", "num_generated"]) == (1000, 1000)
