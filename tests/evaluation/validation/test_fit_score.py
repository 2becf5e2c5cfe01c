import json

import numpy as np
import pandas as pd
import pytest

from ecggan.evaluation.validation.fit_score import design, fit, limits_of, out_of_fold, score_text
from ecggan.evaluation.validation.validate_ptbxl import roc_area
from ecggan.measurement.normality.score import NormalityScore, Term


@pytest.fixture(scope="module")
def measured() -> tuple[pd.DataFrame, np.ndarray]:
    """400 records: what is abnormal has a large `a`, and `b` says nothing."""
    rng = np.random.default_rng(0)
    is_normal = np.arange(400) % 2 == 0
    a = rng.normal(np.where(is_normal, 0.0, 2.0), 1.0)
    return pd.DataFrame({"a": a, "b": rng.normal(size=400), "constant": 1.0}), is_normal


def test_the_fit_finds_the_measurement_and_the_side_that_tell(measured: tuple[pd.DataFrame, np.ndarray]) -> None:
    table, is_normal = measured
    limits = limits_of(table, is_normal)
    assert {name for name, *_ in limits} == {"a", "b"}
    intercept, weights = fit(design(table, limits), is_normal)
    assert (weights >= 0).all()
    costs = (
        pd.Series(weights, index=pd.MultiIndex.from_tuples([limit[:2] for limit in limits])).groupby(level=[0, 1]).sum()
    )
    assert costs["a", "above"] > 0.5
    assert costs.drop(("a", "above")).max() < 0.3
    assert roc_area(is_normal, intercept - design(table, limits) @ weights) > 0.88


def test_a_record_is_predicted_without_its_patient(measured: tuple[pd.DataFrame, np.ndarray]) -> None:
    table, is_normal = measured
    patients = np.repeat(np.arange(40), 10)
    own = patients == 7
    before, after = (out_of_fold(table, labels, patients) for labels in (is_normal, is_normal ^ own))
    np.testing.assert_array_equal(before[own], after[own])
    assert (before[~own] != after[~own]).any()


def test_the_written_table_is_read_back_a_term_a_line() -> None:
    terms = [{"measurement": "qrs_duration_ms", "side": "above", "limit": 107.0, "per": 8.0, "weight": 0.3}] * 2
    text = score_text({"fitted_on": {"date": "2026-11-29"}, "intercept": 3.0, "operating_point": 0.2, "terms": terms})
    read = json.loads(text)
    assert sum("qrs_duration_ms" in line for line in text.splitlines()) == 2
    score = NormalityScore(terms=[Term(**term) for term in read.pop("terms")], **read)
    assert score.terms[0] == Term("qrs_duration_ms", "above", 107.0, 8.0, 0.3)


def test_the_area_counts_pairs_and_half_of_ties() -> None:
    is_normal = np.array([True, True, False, False])
    assert roc_area(is_normal, np.array([0.9, 0.5, 0.5, 0.1])) == 0.875
    assert np.isnan(roc_area(is_normal[:2], np.array([0.9, 0.5])))
