import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import wfdb

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, canonical_lead, select_leads
from ecggan.measurement.columns import MEASUREMENTS
from ecggan.measurement.measure_set import measure

RATE = 500
INTERVALS = ["p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "rr_mean_ms", "rr_sd_ms"]


@pytest.fixture(scope="module")
def ecgs(known_ecg: Callable[..., np.ndarray]) -> np.ndarray:
    return np.round(known_ecg(num_records=3, seed=1), 3)


def measured(ecgs: np.ndarray, leads: tuple[str, ...] = EIGHT_LEADS, num_workers: int = 1) -> pd.DataFrame:
    return measure(ecgs, leads=leads, sampling_rate=RATE, num_workers=num_workers, progress=False)


def test_known_ecgs_measure_as_they_were_made(ecgs: np.ndarray) -> None:
    table = measured(ecgs)
    assert table["is_measurable"].all(), table["reason"].tolist()
    assert table["heart_rate_bpm"].between(68, 72).all()
    assert table["qrs_duration_ms"].between(83, 113).all()
    assert table["pr_interval_ms"].between(142, 192).all()
    assert table["qt_interval_ms"].between(390, 450).all()
    # the R wave of WAVES in tests/conftest.py, less what Q and S take from it
    assert np.allclose(table["r_amplitude_v4_mv"], 1.38, atol=0.05)
    assert np.allclose(table["r_amplitude_ii_mv"], 1.08, atol=0.05)
    assert np.allclose(table["r_amplitude_avr_mv"], 0.08, atol=0.06)


def test_corrected_qt_follows_its_formulas(ecgs: np.ndarray) -> None:
    table = measured(ecgs)
    rr_s = table["rr_mean_ms"] / 1000
    assert np.allclose(table["qtc_bazett_ms"], table["qt_interval_ms"] / np.sqrt(rr_s))
    assert np.allclose(table["qtc_fridericia_ms"], table["qt_interval_ms"] / rr_s ** (1 / 3))
    assert np.allclose(table["qtc_framingham_ms"], table["qt_interval_ms"] + 154 * (1 - rr_s))
    assert np.allclose(table["heart_rate_bpm"], 60 / rr_s)


def test_scaling_scales_amplitudes_and_moves_no_interval(ecgs: np.ndarray) -> None:
    once, twice = measured(ecgs), measured(2 * ecgs)
    amplitudes = [column for column in once if column.startswith("r_amplitude")]
    assert np.allclose(twice[amplitudes], 2 * once[amplitudes], atol=1e-6)
    pd.testing.assert_frame_equal(once[INTERVALS], twice[INTERVALS])
    assert np.allclose(once["qrs_axis_deg"], twice["qrs_axis_deg"], atol=1e-4)


def test_amplitudes_keep_what_lies_between_40_and_150_hz(ecgs: np.ndarray) -> None:
    low_pass = scipy.signal.butter(2, 40, "low", fs=RATE, output="sos")
    smoothed = scipy.signal.sosfiltfilt(low_pass, ecgs, axis=-1)
    sharp, blunt = (measured(signals)["r_amplitude_v4_mv"] for signals in (ecgs, smoothed))
    assert (sharp > 1.02 * blunt).all()


def test_baseline_wander_moves_no_amplitude(ecgs: np.ndarray) -> None:
    wander = 0.3 * np.sin(2 * np.pi * 0.2 * np.arange(ecgs.shape[-1]) / RATE)
    still, wandering = (measured(signals)["r_amplitude_v5_mv"] for signals in (ecgs, ecgs + wander))
    assert np.allclose(still, wandering, atol=0.02)


def test_array_and_set_on_disk_and_in_memory_measure_the_same(
    known_ecg: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    unrounded = known_ecg(num_records=3, seed=2)
    in_memory = ECGSet.from_arrays(unrounded, EIGHT_LEADS, RATE)
    on_disk = in_memory.save(tmp_path / "set")
    table = measured(unrounded)
    pd.testing.assert_frame_equal(table, measure(in_memory, num_workers=1, progress=False))
    pd.testing.assert_frame_equal(table, measure(on_disk, num_workers=1, progress=False))
    part = measure(on_disk.subset([2, 0]), num_workers=1, progress=False)
    pd.testing.assert_frame_equal(table.iloc[[2, 0]].reset_index(drop=True), part)


def test_order_and_redundancy_of_leads_do_not_matter(ecgs: np.ndarray) -> None:
    shuffled = EIGHT_LEADS[::-1]
    twelve = select_leads(ecgs, EIGHT_LEADS, TWELVE_LEADS)
    table = measured(ecgs)
    pd.testing.assert_frame_equal(table, measured(select_leads(ecgs, EIGHT_LEADS, shuffled), shuffled))
    from_twelve = measured(twelve, TWELVE_LEADS)
    pd.testing.assert_frame_equal(table[INTERVALS], from_twelve[INTERVALS])
    assert np.allclose(table["qrs_axis_deg"], from_twelve["qrs_axis_deg"], atol=0.1)  # the augmented leads are rounded
    assert np.allclose(table["r_amplitude_avf_mv"], from_twelve["r_amplitude_avf_mv"], atol=0.001)


@pytest.mark.slow
def test_table_does_not_depend_on_the_number_of_workers(known_ecg: Callable[..., np.ndarray], tmp_path: Path) -> None:
    ecgs = ECGSet.from_arrays(known_ecg(num_records=20, seed=3), EIGHT_LEADS, RATE).save(tmp_path / "set")
    one, two = (measure(ecgs, num_workers=workers, progress=False) for workers in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert one["record"].tolist() == [str(i) for i in range(20)]


@pytest.mark.parametrize("noise_mv", [0, 0.002, 0.005])
def test_a_clipped_ecg_does_not_pass(ecgs: np.ndarray, noise_mv: float) -> None:
    noise = np.random.default_rng(0).normal(0, noise_mv, ecgs.shape)
    assert measured(np.clip(ecgs, -0.5, 0.5) + noise)["reason"].tolist() == ["clipped"] * 3


def test_a_flat_lead_has_no_amplitude_and_spoils_no_other(ecgs: np.ndarray) -> None:
    whole = measured(ecgs)
    ecgs = ecgs.copy()
    ecgs[:, EIGHT_LEADS.index("V3")] = 0
    table = measured(ecgs)
    assert table["is_measurable"].all()
    assert table["r_amplitude_v3_mv"].isna().all()
    assert np.allclose(table["r_amplitude_v5_mv"], whole["r_amplitude_v5_mv"], atol=0.02)


def test_a_lead_full_of_noise_has_no_amplitude_and_spoils_no_other(ecgs: np.ndarray) -> None:
    whole = measured(ecgs)
    ecgs = ecgs.copy()
    ecgs[:, EIGHT_LEADS.index("V3")] += np.random.default_rng(0).normal(0, 1.5, ecgs[:, 0].shape)
    table = measured(ecgs)
    assert table["is_measurable"].all()
    assert table["r_amplitude_v3_mv"].isna().all()
    assert (table["missing"] == "V3: noise").all()
    np.testing.assert_allclose(table[INTERVALS], whole[INTERVALS], atol=6)


def test_without_lead_i_there_is_no_axis_and_no_derived_lead(ecgs: np.ndarray) -> None:
    ecgs = ecgs.copy()
    ecgs[:, 0] = np.nan
    table = measured(ecgs)
    assert table["is_measurable"].all()
    assert table[["qrs_axis_deg", "r_amplitude_avf_mv", "r_amplitude_i_mv"]].isna().all(axis=None)
    assert table["r_amplitude_ii_mv"].notna().all()
    lost = "".join(f"; {lead}: I or II is missing" for lead in ("III", "aVR", "aVL", "aVF", "axes"))
    assert (table["missing"] == f"I: no signal{lost}").all()


def test_every_missing_value_has_a_reason_and_no_other_has(ecgs: np.ndarray) -> None:
    assert (measured(ecgs)["missing"] == "").all()
    assert measured(np.zeros((1, 8, 5000)))["missing"].tolist() == ["everything: flat"]
    two_beats = ecgs[:1].copy()
    two_beats[..., 900:] = two_beats[..., 890:891]
    row = measured(two_beats).iloc[0]
    assert row["num_beats"] == 2
    assert row["reason"] == "too few beats"
    assert "RR SD: fewer than three beats" in row["missing"]


def whole_samples_apart(one: pd.DataFrame, other: pd.DataFrame, rate: int = RATE) -> pd.Series:
    return (one[INTERVALS] - other[INTERVALS]).abs().max() * rate / 1000


@pytest.mark.parametrize("dropped", [1, 2, 7, 50])
def test_where_the_record_begins_does_not_matter(ecgs: np.ndarray, dropped: int) -> None:
    assert (whole_samples_apart(measured(ecgs), measured(ecgs[..., dropped:])) <= 1).all()


def test_resampling_does_not_matter(ecgs: np.ndarray) -> None:
    twice = scipy.signal.resample_poly(ecgs, 2, 1, axis=-1)
    at_1000 = measure(twice, leads=EIGHT_LEADS, sampling_rate=2 * RATE, num_workers=1, progress=False)
    assert (whole_samples_apart(measured(ecgs), at_1000) <= 1).all()


def test_one_bad_record_leaves_the_others_alone(ecgs: np.ndarray) -> None:
    alone = measured(ecgs)
    with_bad = measured(np.concatenate([ecgs[:1], np.full_like(ecgs[:1], np.nan), ecgs[1:]]))
    assert with_bad["reason"].tolist() == ["", "not finite", "", ""]
    assert with_bad.loc[1, list(MEASUREMENTS)].isna().all()
    pd.testing.assert_frame_equal(
        alone.drop(columns="record"), with_bad.drop(index=1).drop(columns="record").reset_index(drop=True)
    )


def test_an_unexpected_error_is_a_reason_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    words = np.full((1, 2, 5000), "not a number", dtype=object)
    with caplog.at_level(logging.ERROR):
        table = measure(words, leads=("I", "II"), sampling_rate=RATE, num_workers=1, progress=False)
    assert table["reason"].str.startswith("error: ").tolist() == [True]
    assert "1 of 1 records not measurable: error: " in caplog.text


def test_an_empty_array_gives_an_empty_table() -> None:
    table = measured(np.empty((0, 8, 5000)))
    assert len(table) == 0
    assert set(MEASUREMENTS) < set(table)


@pytest.mark.parametrize(
    ("shape", "leads", "rate", "message"),
    [
        ((1, 8, 5000), None, RATE, "leads must be given"),
        ((1, 8, 5000), EIGHT_LEADS, None, "sampling_rate must be given"),
        ((8, 5000), EIGHT_LEADS, RATE, r"ecgs must be an array \(record, lead, time\)"),
        ((1, 7, 5000), EIGHT_LEADS, RATE, "with 8 leads"),
        ((1, 1, 5000), ("V7",), RATE, "leads must be distinct names out of I, II"),
        ((1, 8, 5000), EIGHT_LEADS, 50, "sampling_rate must be a whole number of Hz, at least 100, .*; got 50"),
        ((1, 8, 5000), EIGHT_LEADS, 500.7, r"sampling_rate must be a whole number .*; got 500\.7"),
    ],
)
def test_unclear_arrays_are_refused(shape: tuple, leads: tuple | None, rate: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure(np.zeros(shape), leads=leads, sampling_rate=rate)


def test_leads_are_refused_for_a_set_that_knows_its_own(ecgs: np.ndarray) -> None:
    with pytest.raises(ValueError, match="leave them out"):
        measure(ECGSet.from_arrays(ecgs, EIGHT_LEADS, RATE), leads=EIGHT_LEADS)


@pytest.mark.slow
def test_real_normal_ecgs_pass_and_measure_as_normal_ones(shared_data: Path) -> None:
    records = pd.read_csv(shared_data / "ptbxl" / "ptbxl_database.csv")
    normal = records[records["scp_codes"].str.contains("'NORM'")]["filename_hr"].iloc[::8]
    signals, leads = [], ()
    for name in normal:
        record = wfdb.rdrecord(str(shared_data / "ptbxl" / name))
        leads = tuple(canonical_lead(lead) for lead in record.sig_name)
        signals.append(record.p_signal.T)
    table = measured(np.stack(signals), leads)
    assert table["is_measurable"].mean() >= 0.98
    # 12SL on normal ECGs: PR 158, QRS 92, QT 395, QTc (Fridericia) 414 ms (shared/reference)
    means = table[["pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_fridericia_ms"]].mean()
    assert np.allclose(means, [158, 92, 395, 414], atol=15)


def test_microvolts_are_not_taken_for_millivolts(known_ecg):
    millivolts = known_ecg(num_records=1)
    with pytest.raises(ValueError, match="ecgs must be in mV, as floating-point numbers; got int16"):
        measure((1000 * millivolts).astype(np.int16), leads=EIGHT_LEADS, sampling_rate=500)
    table = measure(1000 * millivolts, leads=EIGHT_LEADS, sampling_rate=500)
    assert list(table["reason"]) == ["beyond 32.767 mV; is it in mV?"]


def test_stored_leads_take_the_place_of_a_dead_lead_i(ecgs: np.ndarray) -> None:
    twelve = select_leads(ecgs, EIGHT_LEADS, TWELVE_LEADS)
    whole = measured(twelve, TWELVE_LEADS)
    twelve[:, 0] = 0
    table = measured(twelve, TWELVE_LEADS)
    assert table["is_measurable"].all()
    assert table["r_amplitude_avf_mv"].notna().all()
    assert table["missing"].eq("I: no signal; axes: I or II is missing").all()
    np.testing.assert_allclose(table[INTERVALS], whole[INTERVALS], atol=6)
