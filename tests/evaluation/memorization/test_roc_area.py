import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecggan.evaluation.memorization.roc_area import area_by_patient


@pytest.mark.usefixtures("unchecked")
def test_area_is_that_of_sklearn_and_its_interval_holds():
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
def test_records_of_one_patient_do_not_count_as_independent():
    rng = np.random.default_rng(0)
    num_alarms = {"by patient": 0, "by record": 0}
    for _ in range(200):
        first, second = (np.repeat(rng.normal(size=40), 5) for _ in range(2))
        patients = np.repeat(np.arange(40), 5)
        num_alarms["by patient"] += area_by_patient(first, second, patients, patients).p_value < 0.05
        num_alarms["by record"] += area_by_patient(first, second, np.arange(200), np.arange(200)).p_value < 0.05
    assert num_alarms["by patient"] <= 20
    assert num_alarms["by record"] > 25


def test_interval_is_no_point_if_all_of_one_set_are_above_the_other():
    area = area_by_patient(np.ones(50), np.zeros(100), np.arange(50), np.arange(100))
    assert (area.value, area.high, area.p_value) == (1, 1, 0)
    assert area.low == pytest.approx(1 - 3 / 50)
