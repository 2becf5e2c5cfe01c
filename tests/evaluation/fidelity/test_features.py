import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.fidelity.features import beat_features, measurement_features
from ecggan.measurement.fingerprints import fingerprints
from ecggan.measurement.measure_set import measure


def table_of(millivolts):
    return measure(millivolts, leads=EIGHT_LEADS, sampling_rate=500, num_workers=1, progress=False)


def measurable(table):
    return table[table["is_measurable"]].reset_index(drop=True)


def prints_of(millivolts):
    return fingerprints(ECGSet.from_arrays(millivolts, EIGHT_LEADS, 500), progress=False)


def test_measurements_are_in_sds_of_the_real_set(varied_ecgs):
    table = measurable(table_of(varied_ecgs(40)))
    real, same = measurement_features(table, table)
    np.testing.assert_array_equal(real, same)
    known = real[:, :20]
    assert known.mean(axis=0) == pytest.approx(0, abs=0.2)
    slower = table.assign(heart_rate_bpm=table["heart_rate_bpm"] - 2 * table["heart_rate_bpm"].std(ddof=0))
    moved = measurement_features(table, slower)[1]
    assert (moved[:, 0] - real[:, 0]) == pytest.approx(-2)
    np.testing.assert_array_equal(moved[:, 1:], real[:, 1:])


def test_what_is_missing_lies_apart_from_what_is_there(varied_ecgs):
    table = measurable(table_of(varied_ecgs(20)))
    nothing = table.assign(is_measurable=False)
    real, lost = measurement_features(table, nothing)
    apart = np.linalg.norm(real[:, None] - lost[None], axis=2)
    assert apart.min() > np.linalg.norm(real, axis=1).max()


def test_an_angle_goes_round_the_circle(varied_ecgs):
    table = table_of(varied_ecgs(20))
    turned = table.assign(qrs_axis_deg=(table["qrs_axis_deg"] + 360 + 180) % 360 - 180)
    np.testing.assert_allclose(*measurement_features(table, turned), atol=1e-9)
    upside_down = table.assign(qrs_axis_deg=180.0)
    mixed = table.assign(qrs_axis_deg=np.where(np.arange(20) % 2, 179.0, -179.0))
    real, generated = measurement_features(mixed, upside_down)
    assert np.abs(real - generated).max() < 2


def test_a_wild_measurement_is_held_back(varied_ecgs):
    table = table_of(varied_ecgs(20))
    assert np.abs(measurement_features(table, table.assign(qt_interval_ms=1e6))[1]).max() == 10


def test_beats_are_in_mv_and_a_flat_record_lies_apart(varied_ecgs):
    ecgs = varied_ecgs(12)
    real, doubled = beat_features(prints_of(ecgs), prints_of(2 * ecgs))
    np.testing.assert_allclose(doubled, 2 * real, atol=0.02)
    flat = ecgs.copy()
    flat[0] = 0
    _, generated = beat_features(prints_of(ecgs), prints_of(flat))
    distances = np.linalg.norm(generated[0, : real.shape[1] - 1] - real[:, :-1], axis=1)
    assert generated[0, -1] > distances.min()
    np.testing.assert_allclose(generated[1:], real[1:])


def test_without_any_real_measurement_or_beat_nothing_can_be_compared(varied_ecgs):
    ecgs = varied_ecgs(3)
    flat = np.zeros_like(ecgs)
    with pytest.raises(ValueError, match="none of the 3 real ECGs can be measured"):
        measurement_features(table_of(flat), table_of(ecgs))
    with pytest.raises(ValueError, match="none of the 3 real ECGs has a beat"):
        beat_features(prints_of(flat), prints_of(ecgs))
