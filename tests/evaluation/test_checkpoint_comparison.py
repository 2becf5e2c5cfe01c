import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.checkpoint_comparison import CheckpointComparison, recall_of
from ecggan.measurement.measure_set import measure
from ecggan.run_folder import SCORE


def ecg_set(millivolts, kind="generated"):
    return ECGSet.from_arrays(millivolts, EIGHT_LEADS, 500, kind)


@pytest.fixture(scope="module")
def real(varied_ecgs):
    return ecg_set(varied_ecgs(32, seed=1), "real")


@pytest.fixture(scope="module")
def training(varied_ecgs):
    return ecg_set(varied_ecgs(32, seed=2), "real")


@pytest.fixture(scope="module")
def fresh(varied_ecgs, real, training):
    return CheckpointComparison(num_workers=1)(real, ecg_set(varied_ecgs(32, seed=3)), training)


def test_the_score_is_distance_and_what_is_not_drawn(fresh):
    assert fresh[SCORE] == pytest.approx(fresh["physiological_distance"] + 1 - fresh["recall"])
    assert 0.7 < fresh["recall"] <= 1
    assert fresh["share_copied"] == 0
    assert 0.3 < fresh["membership_area"] < 0.7


def test_copies_of_training_records_cost_more_than_any_distance(real, training, fresh):
    compare = CheckpointComparison(num_workers=1)
    copies = compare(real, ecg_set(training.millivolts()), training)
    assert copies["share_copied"] == 1
    assert copies["membership_area"] > 0.95
    assert copies[SCORE] > fresh[SCORE] + 2
    known = compare(real, ecg_set(training.millivolts()))
    assert "share_copied" not in known
    assert known[SCORE] < 1


def test_a_narrow_set_has_a_low_recall(real):
    narrow = ecg_set(np.repeat(real.millivolts()[:4], 8, axis=0))
    tables = [measure(ecgs, num_workers=1, progress=False) for ecgs in (real, narrow)]
    assert recall_of(*tables) < 0.5 < recall_of(tables[0], tables[0])
    assert np.isnan(recall_of(tables[0][:5], tables[1]))
