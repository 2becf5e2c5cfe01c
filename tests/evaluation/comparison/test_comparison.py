import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ecggan.evaluation.comparison.comparison import COLUMNS, compare, share_measurable
from ecggan.stats.hypothesis_tests import LEVEL


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


def normals(num_records: int, seed: int, mean: float = 92.0, patients: int | None = None) -> pd.DataFrame:
    """Tables of six measurements, four of them amplitudes that go together."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.2, num_records)
    columns = {
        f"r_amplitude_{lead}_mv": 1 + common + rng.normal(0, 0.1, num_records) for lead in ("i", "v4", "v5", "v6")
    }
    table = table_of(
        qrs_duration_ms=rng.normal(mean, 9, num_records), pr_interval_ms=rng.gamma(60, 2.6, num_records), **columns
    )
    return table if patients is None else table.assign(patient=np.arange(num_records) % patients)


QUICK = {"num_resamples": 200, "num_splits": 2}


@pytest.mark.usefixtures("unchecked")
def test_sets_of_one_distribution_are_told_apart_no_more_often_than_stated() -> None:
    alarms = [bool(compare(normals(150, 2 * i), normals(150, 2 * i + 1), **QUICK)["differs"].any()) for i in range(120)]
    assert scipy.stats.binomtest(sum(alarms), len(alarms), LEVEL, alternative="greater").pvalue > 0.001
    assert sum(alarms) > 0  # else it could not see anything at all


@pytest.mark.usefixtures("unchecked")
def test_equivalence_is_refused_at_the_margin_and_granted_well_inside_it() -> None:
    def share_equivalent(shift: float, num_records: int, repeats: int) -> float:
        tables = [(normals(num_records, 2 * i), normals(num_records, 2 * i + 1, 92 + shift)) for i in range(repeats)]
        return float(np.mean([figures_of(compare(*pair, **QUICK))["finding"] == "equivalent" for pair in tables]))

    def figures_of(table: pd.DataFrame) -> pd.Series:
        return table.set_index("measurement").loc["qrs_duration_ms"]

    at_margin = round(share_equivalent(10.0, 60, 120) * 120)
    assert scipy.stats.binomtest(at_margin, 120, LEVEL, alternative="greater").pvalue > 0.001
    assert share_equivalent(11.5, 1000, 10) == 0
    assert share_equivalent(8.0, 1000, 10) == 1


@pytest.mark.usefixtures("unchecked")
def test_small_sets_of_one_distribution_are_said_to_lie_beyond_a_margin_no_more_often_than_stated() -> None:
    """Amplitudes, whose margins are a fraction of what means of 35 records wander by."""
    findings = [compare(normals(35, 2 * i), normals(35, 2 * i + 1), **QUICK)["finding"] for i in range(120)]
    alarms = sum((finding == "beyond the margin").any() for finding in findings)
    assert scipy.stats.binomtest(alarms, len(findings), LEVEL, alternative="greater").pvalue > 0.001


def test_a_difference_beyond_the_margin_is_said_to_be() -> None:
    row = figures(normals(500, 0), normals(500, 1, mean=105))
    assert row["finding"] == "beyond the margin"
    assert row["margin"] == 10
    assert "IEC 60601-2-25" in row["margin_source"]
    assert row["differs"]
    assert figures(normals(100, 0), normals(100, 1, mean=102))["finding"] == "undecided"


def test_margins_can_be_given_and_a_wrong_one_is_refused() -> None:
    tables = normals(500, 0), normals(500, 1, mean=97)
    assert figures(*tables)["finding"] == "equivalent"
    strict = compare(*tables, margins={"qrs_duration_ms": 2}).set_index("measurement").loc["qrs_duration_ms"]
    assert strict["finding"] == "beyond the margin"
    with pytest.raises(ValueError, match=r"margins\.qrs is no measurement"):
        compare(*tables, margins={"qrs": 2})
    with pytest.raises(ValueError, match=r"margins\.qrs_duration_ms must be a number above 0, in ms; got 0"):
        compare(*tables, margins={"qrs_duration_ms": 0})


def test_an_amplitudes_margin_follows_from_the_real_mean() -> None:
    assert figures(normals(50, 0), normals(50, 1), "r_amplitude_v5_mv")["margin"] == pytest.approx(0.05, rel=0.1)
    small = table_of(r_amplitude_v1_mv=np.random.default_rng(0).normal(0.2, 0.05, 50))
    assert figures(small, small, "r_amplitude_v1_mv")["margin"] == 0.025
    assert np.isnan(
        figures(table_of(rr_sd_ms=np.arange(40.0)), table_of(rr_sd_ms=np.arange(40.0)), "rr_sd_ms")["margin"]
    )


def test_figures_are_scipys_where_every_patient_has_one_record() -> None:
    real, generated = normals(80, 0), normals(120, 1, mean=95)
    row, values = figures(real, generated), [table["qrs_duration_ms"] for table in (generated, real)]
    welch = scipy.stats.ttest_ind(*values, equal_var=False)
    assert row["p_difference"] == pytest.approx(welch.pvalue)
    assert row["p_equivalence"] == pytest.approx(
        max(
            scipy.stats.ttest_ind(values[0] - 10, values[1], equal_var=False, alternative="less").pvalue,
            scipy.stats.ttest_ind(values[0] + 10, values[1], equal_var=False, alternative="greater").pvalue,
        )
    )
    sides = [scipy.stats.ttest_ind(values[0] - shift, values[1], equal_var=False).statistic for shift in (10, -10)]
    assert row["difference"] > 0
    assert row["p_beyond"] == pytest.approx(sum(scipy.stats.t.sf(t, welch.df) for t in sides))
    assert row["p_distribution"] == pytest.approx(scipy.stats.ks_2samp(*values, method="asymp").pvalue)
    interval = welch.confidence_interval(0.95)
    assert [row["difference_low"], row["difference_high"]] == pytest.approx([interval.low, interval.high], abs=0.4)
    assert row["difference_low"] < row["difference_low_90"] < row["difference_high_90"] < row["difference_high"]
    assert row["real_median"] == pytest.approx(real["qrs_duration_ms"].median())
    pooled = np.sqrt((79 * values[1].var() + 119 * values[0].var()) / 198)
    assert row["hedges_g"] == pytest.approx(row["difference"] / pooled, rel=0.005)


def test_several_records_of_a_patient_are_not_as_many_witnesses() -> None:
    once = normals(50, 0)
    often = pd.concat([once] * 8, ignore_index=True)
    generated = normals(2000, 1)
    alone = figures(once, generated)
    by_patient = figures(often.assign(patient=[f"p{i % 50}" for i in range(400)]), generated)
    by_record = figures(often, generated)
    assert by_patient["p_difference"] == pytest.approx(alone["p_difference"], rel=0.05)
    assert by_patient["p_distribution"] == pytest.approx(alone["p_distribution"], rel=0.05)
    widths = [row["difference_high"] - row["difference_low"] for row in (alone, by_patient, by_record)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)
    assert widths[2] < 0.6 * widths[1]


@pytest.mark.usefixtures("unchecked")
def test_patients_of_very_unequal_numbers_of_records_raise_no_more_alarms_than_stated() -> None:
    """60 patients, of whom the first has 60 records, the second 30, the third 20 … nearly alike among themselves."""
    counts = np.maximum(60 // np.arange(1, 61), 1)
    patients = np.repeat(np.arange(60), counts)

    def hearts(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        of_patient = rng.normal(0, 9, 60)[patients] + rng.normal(0, 3, len(patients))
        return table_of(qrs_duration_ms=92 + of_patient).assign(patient=patients)

    def generated(seed: int) -> pd.DataFrame:
        return table_of(qrs_duration_ms=np.random.default_rng(seed).normal(92, np.hypot(9, 3), 300))

    rows = [compare(hearts(2 * i), generated(2 * i + 1), **QUICK).iloc[0] for i in range(100)]
    false_alarms = sum((row["p_difference"] < LEVEL) or (row["p_distribution"] < LEVEL / 2) for row in rows)
    assert scipy.stats.binomtest(false_alarms, len(rows), 2 * LEVEL, alternative="greater").pvalue > 0.001
    assert {row["finding"] for row in rows} == {"too few records"}  # worth 20 patients


def test_null_band_shows_what_no_difference_looks_like_at_the_same_size() -> None:
    same, other = figures(normals(400, 0), normals(100, 1)), figures(normals(400, 0), normals(100, 1, mean=105))
    assert same["null_num_records"] == other["null_num_records"] == 100
    assert same["same_size_wasserstein_distance"] < 1.3 * same["null_wasserstein_distance"]
    assert other["same_size_wasserstein_distance"] > 3 * other["null_wasserstein_distance"]
    assert other["same_size_ks_distance"] > 2 * other["null_ks_distance"]
    assert abs(other["difference"]) > 3 * other["null_difference"]


def test_too_few_records_and_constant_columns_get_a_mark_and_no_verdict() -> None:
    few = figures(normals(20, 0), normals(500, 1))
    assert few["finding"] == "too few records"
    assert few["p_distribution"] > 0
    one = figures(normals(1, 0), normals(500, 1))
    assert np.isnan(one[["p_difference", "p_distribution", "difference_low", "null_difference"]].astype(float)).all()
    constant = table_of(qrs_duration_ms=np.full(40, 90.0))
    same, higher = figures(constant, constant), figures(constant, table_of(qrs_duration_ms=np.full(40, 120.0)))
    assert (same["finding"], same["differs"]) == ("equivalent", False)
    assert (higher["finding"], higher["differs"]) == ("beyond the margin", True)


def test_the_same_seed_gives_the_same_figures() -> None:
    tables = normals(100, 0, patients=60), normals(100, 1)
    pd.testing.assert_frame_equal(compare(*tables), compare(*tables))
    other = compare(*tables, seed=1)
    assert not compare(*tables)["difference_low"].equals(other["difference_low"])
