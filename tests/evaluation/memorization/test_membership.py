import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.memorization.membership import Prints, area_by_patient, assess_novelty, assess_repeats
from ecggan.measurement.fingerprints import fingerprints


def prints_of(millivolts, patients=None):
    ecgs = ECGSet.from_arrays(millivolts, EIGHT_LEADS, 500)
    if patients is not None:
        ecgs.records["patient"] = patients
    return Prints(ecgs, fingerprints(ecgs, progress=False))


@pytest.fixture(scope="module")
def training(varied_ecgs):
    return prints_of(varied_ecgs(60, seed=1))


@pytest.fixture(scope="module")
def held_out(varied_ecgs):
    return prints_of(varied_ecgs(60, seed=2))


def test_fresh_ecgs_are_new(varied_ecgs, training, held_out):
    found = assess_novelty(prints_of(varied_ecgs(60, seed=3)), training, held_out, num_workers=1)
    assert found.copies.num_records == 0
    for area in (found.membership, found.beat_membership):
        assert area.low < 0.5 < area.high


def test_disguised_copies_are_found_from_both_sides(training, held_out):
    copies = 1.2 * np.roll(training.ecgs.millivolts().astype(float), 50, axis=2)
    copies += np.random.default_rng(0).normal(0, 0.03, copies.shape)
    found = assess_novelty(prints_of(copies), training, held_out, num_workers=1)
    assert found.copies.value == 1
    assert found.held_out_copies.value == 0
    assert found.membership.value >= 0.99
    assert found.beat_membership.value >= 0.99
    assert (found.nearest["training"] == np.arange(60)).all()
    assert (found.nearest["correlation_training"] > found.nearest["correlation_held_out"]).all()
    assert found.pairs["shift_ms"].median() == 100


def test_copies_of_held_out_ecgs_are_no_leak(training, held_out):
    found = assess_novelty(held_out, training, held_out, num_workers=1)
    assert found.copies.num_records == 0
    assert found.copies_of_held_out.value == 1
    assert found.membership.value < 0.05


def test_held_out_ecgs_that_are_copies_of_training_ecgs_are_no_yardstick(varied_ecgs, training, held_out):
    doubled = held_out.ecgs.millivolts().astype(float)
    doubled[:5] = 1.1 * training.ecgs.millivolts()[:5]
    found = assess_novelty(prints_of(varied_ecgs(20, seed=3)), training, prints_of(doubled), num_workers=1)
    assert found.held_out_copies.num_records == 5
    assert found.num_held_out == 55


def test_a_few_copies_stretched_by_a_hundredth_are_known_by_their_beats(varied_ecgs, training, held_out):
    ecgs = varied_ecgs(20, seed=3)
    times = np.arange(5000) / 1.01
    ecgs[:5] = [[np.interp(times, np.arange(5000), lead) for lead in one] for one in training.ecgs.millivolts()[:5]]
    found = assess_novelty(prints_of(ecgs), training, held_out, num_workers=1)
    assert found.copies.num_records == 0
    assert found.same_beat.num_records >= 3  # of five
    assert found.held_out_same_beat.num_records == 0


def test_flat_records_are_not_recognised(training, held_out):
    found = assess_novelty(prints_of(np.zeros((4, 8, 5000))), training, held_out, num_workers=1)
    assert found.num_recognisable == 0
    assert found.same_beat.num_records == 0


def test_the_same_beats_at_another_rhythm_are_found_by_the_beat_alone(varied_ecgs, training, held_out):
    """The rhythm is stretched around each beat: the second half of every record before the first."""
    ecgs = training.ecgs.millivolts().astype(float)
    moved = np.concatenate([ecgs[:, :, 2500:], ecgs[:, :, :2500]], axis=2)
    found = assess_novelty(prints_of(moved), training, held_out, num_workers=1)
    assert found.beat_membership.value > 0.95
    assert found.copies.num_records < 10


def test_without_held_out_ecgs_there_is_no_area(varied_ecgs, training):
    found = assess_novelty(prints_of(varied_ecgs(5, seed=3)), training, None, num_workers=1)
    assert not found.has_held_out
    assert found.membership is None
    assert len(found.nearest) == 5
    assert "held_out" not in found.nearest


def test_repeats_are_counted_but_not_between_records_of_a_patient(varied_ecgs):
    ecgs = varied_ecgs(20)
    ecgs[10:15] = 0.8 * ecgs[:5]
    found = assess_repeats(prints_of(ecgs), 20, num_workers=1)
    assert found.share.num_records == 10
    assert found.share.num_all == 20
    patients = [str(i % 10) for i in range(20)]
    assert assess_repeats(prints_of(ecgs, patients), 20, num_workers=1).share.num_records == 0
    fewer = assess_repeats(prints_of(ecgs), 6, num_workers=1)
    assert fewer.share.num_all == 6
    assert (np.diff(fewer.positions) > 0).all()


@pytest.mark.usefixtures("unchecked")
def test_area_is_that_of_sklearn_and_its_interval_holds(varied_ecgs):
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.5, 1, 90).round(1), rng.normal(0, 1, 50).round(1)  # with ties
    area = area_by_patient(first, second, np.arange(90), np.arange(50))
    labels = np.r_[np.ones(90), np.zeros(50)]
    assert area.value == pytest.approx(roc_auc_score(labels, np.r_[first, second]))
    assert area.low < area.value < area.high
    num_missed = 0
    for _ in range(400):
        drawn = area_by_patient(rng.normal(size=80), rng.normal(size=60), np.arange(80), np.arange(60))
        num_missed += not drawn.low <= 0.5 <= drawn.high
    assert 8 <= num_missed <= 34  # 20 in expectation


@pytest.mark.usefixtures("unchecked")
def test_records_of_one_patient_are_no_more_witnesses_than_one():
    rng = np.random.default_rng(0)
    num_alarms = {"by patient": 0, "by record": 0}
    for _ in range(200):
        first, second = (np.repeat(rng.normal(size=40), 5) for _ in range(2))
        patients = np.repeat(np.arange(40), 5)
        num_alarms["by patient"] += area_by_patient(first, second, patients, patients).p_value < 0.05
        num_alarms["by record"] += area_by_patient(first, second, np.arange(200), np.arange(200)).p_value < 0.05
    assert num_alarms["by patient"] <= 20
    assert num_alarms["by record"] > 25


def test_where_all_of_one_set_lie_above_the_interval_is_no_point():
    area = area_by_patient(np.ones(50), np.zeros(100), np.arange(50), np.arange(100))
    assert (area.value, area.high, area.p_value) == (1, 1, 0)
    assert area.low == pytest.approx(1 - 3 / 50)


def test_too_few_patients_give_no_area():
    area = area_by_patient(np.ones(29), np.zeros(100), np.arange(29), np.arange(100))
    assert np.isnan([area.value, area.low, area.high, area.p_value]).all()
