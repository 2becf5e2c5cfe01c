import warnings

import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads
from ecggan.measurement.columns import display_name
from ecggan.measurement.signal_description import describe_signals, signal_columns
from ecggan.stats.resampling import evenly_spaced

POWERS = [column for column in signal_columns(["I"]) if column.startswith("power")]
BANDS_HZ = dict(zip(POWERS, [(0.5, 5), (5, 15), (15, 40), (40, 100), (100, 250)], strict=True))


def _describe(millivolts, leads=EIGHT_LEADS, sampling_rate=500, **settings):
    ecgs = ECGSet.from_arrays(np.asarray(millivolts, dtype=float), leads, sampling_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return describe_signals(ecgs, **{"num_workers": 1, "progress": False} | settings)


def _noise(num_records=1, num_leads=8, sampling_rate=500, seed=0):
    return np.random.default_rng(seed).normal(0, 0.3, (num_records, num_leads, 10 * sampling_rate))


def _sine(frequency_hz, amplitude_mv, sampling_rate=500):
    return amplitude_mv * np.sin(2 * np.pi * frequency_hz * np.arange(10 * sampling_rate) / sampling_rate)[None, None]


@pytest.mark.parametrize(("column", "frequency_hz"), list(zip(POWERS, [3, 10, 25, 60, 150], strict=True)))
def test_power_of_a_sine_is_half_its_amplitude_squared_and_in_its_band(column, frequency_hz):
    row = _describe(_sine(frequency_hz, 0.8), ["II"]).table.loc[0, POWERS]
    assert row[column] == pytest.approx(10 * np.log10(0.8**2 / 2), abs=0.05)
    assert (row.drop(column) < row[column] - 15).all()  # the baseline filter's swing at the ends is in the first band
    assert (row.drop([column, POWERS[0]], errors="ignore") < row[column] - 30).all()


def test_power_of_white_noise_is_the_width_of_its_band():
    row = _describe(_noise(20)).table[POWERS].mean()
    for column, (low, high) in list(BANDS_HZ.items())[1:]:  # the first is at the edge of the baseline filter
        assert row[column] == pytest.approx(10 * np.log10(0.3**2 * (high - low) / 250), abs=0.1)


def test_density_adds_up_to_the_power_and_its_median_lies_between_the_quartiles():
    found = _describe(_noise(30))
    assert found.power.shape == (8, 500)
    assert found.frequencies_hz[[0, -1]].tolist() == [0.5, 250]
    np.testing.assert_allclose(found.power.sum(axis=1) * 0.5, 0.3**2, rtol=0.02)
    assert (np.diff(found.power_quartiles_db, axis=0) > 0).all()
    assert found.power_quartiles_db[1].mean() == pytest.approx(10 * np.log10(0.3**2 / 250), abs=0.3)


def test_twice_the_amplitude_is_6_db_more_and_the_same_correlation():
    noise = _noise(3)
    once, twice = _describe(noise).table, _describe(2 * noise).table
    correlations = [column for column in once if column.startswith("correlation")]
    assert len(correlations) == 28
    np.testing.assert_allclose(twice[POWERS] - once[POWERS], 20 * np.log10(2), atol=0.01)
    np.testing.assert_allclose(twice[correlations], once[correlations], atol=1e-3)


def test_copied_leads_correlate_by_one_and_inverted_ones_by_minus_one_whatever_the_baseline():
    ecg = _noise(1, 3)
    ecg[:, 1], ecg[:, 2] = 0.5 * ecg[:, 0] + np.linspace(-3, 3, 5000), 1 - 2 * ecg[:, 0]
    found = _describe(ecg, ["V1", "V2", "V3"])
    expected = {"correlation_v1_v2": 1, "correlation_v1_v3": -1, "correlation_v2_v3": -1}
    assert found.table.iloc[0][list(expected)].to_dict() == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(found.mean_correlations(), [[1, 1, -1], [1, 1, -1], [-1, -1, 1]], atol=1e-3)


def test_eight_leads_and_the_twelve_that_follow_in_any_order_are_described_alike():
    eight = _noise(2)
    order = TWELVE_LEADS[::-1]
    of_eight, of_twelve = _describe(eight), _describe(select_leads(eight, EIGHT_LEADS, order), order)
    assert of_twelve.leads == of_eight.leads == EIGHT_LEADS
    np.testing.assert_array_equal(of_twelve.table[list(of_eight.table)], of_eight.table)
    np.testing.assert_array_equal(of_twelve.power, of_eight.power)


def test_derived_leads_contradict_i_and_ii_by_no_more_than_rounding_and_a_planted_error_shows_its_size():
    twelve = select_leads(_noise(2), EIGHT_LEADS, TWELVE_LEADS)
    twelve[1, TWELVE_LEADS.index("aVL"), 1234] += 0.25
    table = _describe(twelve, TWELVE_LEADS).table
    columns = [f"einthoven_{lead}_uv" for lead in ("iii", "avr", "avl", "avf")]
    assert (table.loc[0, columns] <= 1.5).all()
    assert table.loc[1, "einthoven_avl_uv"] == pytest.approx(250, abs=1.5)
    assert (table.loc[1, columns].drop("einthoven_avl_uv") <= 1.5).all()


def test_integer_derived_leads_have_at_most_half_a_microvolt():
    eight = ECGSet.from_arrays(_noise(), EIGHT_LEADS, 500)
    twelve = select_leads(eight.microvolts(), EIGHT_LEADS, TWELVE_LEADS)
    table = _describe(twelve / 1000, TWELVE_LEADS).table
    assert table.loc[0, "einthoven_iii_uv"] == 0
    assert table.loc[0, "einthoven_avf_uv"] == 0.5


def test_description_does_not_depend_on_the_number_of_workers_or_where_the_set_lies(tmp_path):
    ecgs = ECGSet.from_arrays(_noise(40), EIGHT_LEADS, 500)
    opened = ecgs.save(tmp_path / "set").subset(np.arange(3, 40))
    one, two, disk = (
        describe_signals(some, num_workers=workers, progress=False)
        for some, workers in ((ecgs.subset(np.arange(3, 40)), 1), (ecgs.subset(np.arange(3, 40)), 2), (opened, 2))
    )
    for other in (two, disk):
        assert one.table.equals(other.table)
        np.testing.assert_array_equal(one.power, other.power)
        np.testing.assert_array_equal(one.power_quartiles_db, other.power_quartiles_db)


def test_records_looked_at_are_spread_evenly_and_none_twice():
    assert evenly_spaced(100, 5).tolist() == [0, 20, 40, 60, 80]
    for num_records, max_records in ((5000, 5000), (5001, 5000), (150_000, 5000), (9, 7), (1, 5), (0, 5)):
        positions = evenly_spaced(num_records, max_records)
        assert len(positions) == min(num_records, max_records)
        assert len(np.unique(positions)) == len(positions)
        assert len(np.unique(np.diff(positions))) <= 2
    noise = _noise(9, 1)
    some, every = _describe(noise, ["I"], max_records=3), _describe(noise, ["I"])
    assert some.table["position"].tolist() == [0, 3, 6]
    assert some.table["record"].tolist() == ["0", "3", "6"]
    np.testing.assert_array_equal(some.table[POWERS], every.table.loc[[0, 3, 6], POWERS])


def test_lead_without_signal_is_nan_and_left_out_of_the_means():
    noise = _noise(2)
    noise[0, 2] = 0.7
    found, whole = _describe(noise), _describe(noise[:, [0, 1, 3, 4, 5, 6, 7]], [*EIGHT_LEADS[:2], *EIGHT_LEADS[3:]])
    row = found.table.iloc[0]
    assert row[[column for column in found.table if column.endswith("_v1") or "_v1_" in column]].isna().all()
    assert row[POWERS].tolist() == whole.table.loc[0, POWERS].tolist()
    np.testing.assert_array_equal(found.power[2], _describe(noise[1:]).power[2])
    assert found.table.iloc[1].notna().all()


def test_records_that_show_nothing_have_no_numbers_and_cost_no_warning():
    found = _describe(np.zeros((2, 8, 5000)))
    assert found.table.drop(columns=["record", "position"]).isna().all(axis=None)
    assert np.isnan(found.power).all()
    assert np.isnan(found.power_quartiles_db).all()
    assert np.isnan(found.mean_correlations()[0, 1])


def test_power_stops_at_what_rounding_to_microvolts_adds():
    ecg = np.linspace(0, 0.03, 5000)[None, None]  # 30 steps of 1 µV, and digital silence between them
    floor = {c: 10 * np.log10(1e-6 / 12 * (high - low) / 250) for c, (low, high) in BANDS_HZ.items()}
    row = _describe(ecg, ["I"]).table.loc[0, POWERS]
    assert all(row[column] >= floor[column] - 1e-4 for column in POWERS)
    assert row["power_above_100hz_db"] == pytest.approx(floor["power_above_100hz_db"])


@pytest.mark.parametrize(
    ("sampling_rate", "num_bands"), [(1000, 5), (360, 5), (250, 5), (200, 4), (125, 3), (100, 3), (10, 1), (4, 0)]
)
def test_bands_that_a_sampling_rate_does_not_hold_are_nan(sampling_rate, num_bands):
    found = _describe(_noise(2, 1, sampling_rate), ["V1"], sampling_rate)
    assert (found.table[POWERS].notna().sum(axis=1) == num_bands).all()
    assert found.frequencies_hz[-1] <= min(250, sampling_rate / 2)
    assert found.power.shape == (1, len(found.frequencies_hz))


@pytest.mark.parametrize("num_samples", [1, 20, 999, 1000])
def test_short_records_are_described_or_nan(num_samples):
    table = _describe(_noise(1, 2)[..., :num_samples], ["I", "V1"]).table
    assert table[POWERS].notna().all(axis=None) == (num_samples >= 1000)


def test_empty_set_has_a_table_without_rows():
    found = _describe(np.zeros((0, 12, 5000)), TWELVE_LEADS)
    assert list(found.table) == ["record", "position", *signal_columns(TWELVE_LEADS)]
    assert len(found.table) == 0
    assert found.power.shape == (8, 500)
    assert np.isnan(found.power).all()


def test_every_column_has_a_name_for_people():
    for column in signal_columns(TWELVE_LEADS) + signal_columns(["III", "aVR"]):
        assert display_name(column)[0]
    assert display_name("einthoven_iii_uv") == ("III against I and II, largest", "µV")
    with pytest.raises(ValueError, match="'loudness' is not a measurement"):
        display_name("loudness")


@pytest.mark.parametrize("settings", [{"num_workers": 0}, {"max_records": 0}])
def test_no_workers_and_no_records_are_refused(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} must be a whole number, at least 1.*; got 0"):
        _describe(_noise(), **settings)
