from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ecggan.ecg import EIGHT_LEADS
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.score import (
    NormalityScore,
    Term,
    normality_score,
    score_measurements,
    score_name,
    units_beyond,
)
from ecggan.measurement.normality.screen import screen

TERMS = (Term("qrs_duration_ms", "above", 100.0, 10.0, 1.0), Term("t_amplitude_v5_mv", "below", 0.2, 0.1, 0.5))


@pytest.fixture(scope="module")
def table(known_ecg: Callable[..., np.ndarray]) -> pd.DataFrame:
    return measure(known_ecg(num_records=4), leads=EIGHT_LEADS, sampling_rate=500, num_workers=1, progress=False)


def test_the_log_odds_lose_weight_for_each_unit_beyond_a_limit_and_for_four_at_most(table: pd.DataFrame) -> None:
    score = NormalityScore(2.0, 0.5, TERMS, {})
    changed = table.assign(qrs_duration_ms=[100.0, 115.0, 300.0, np.nan], t_amplitude_v5_mv=[0.3, 0.1, 0.2, 0.3])
    log_odds = np.array([2.0, 2.0 - 1.5 - 0.5, 2.0 - 4.0, 2.0])
    np.testing.assert_allclose(score.probability(changed), 1 / (1 + np.exp(-log_odds)))


def test_a_record_below_the_operating_point_names_its_probability_and_what_costs_most(table: pd.DataFrame) -> None:
    score = NormalityScore(2.0, 0.5, TERMS, {})
    changed = table.assign(qrs_duration_ms=[100.0, 115.0, 300.0, 90.0], t_amplitude_v5_mv=[0.3, 0.1, 0.1, 0.3])
    texts = score.why_unlikely(changed)
    assert list(texts != "") == [False, False, True, False]
    assert texts[2] == "probably not normal (0.08): QRS duration, T amplitude in V5"


def test_what_is_not_measurable_and_a_set_that_lacks_a_lead_have_no_probability(table: pd.DataFrame) -> None:
    bad = table.assign(is_measurable=[True, False, True, True])
    assert np.isnan(normality_score().probability(bad)).tolist() == [False, True, False, False]
    lacking = table.drop(columns=[column for column in table if "_v3_" in column])
    screened = screen(lacking)
    assert screened["probability_normal"].isna().all()
    assert not screened["is_normal_by_score"].any()


def test_a_record_is_scored_by_its_own_row(table: pd.DataFrame) -> None:
    together = normality_score().probability(table)
    alone = [normality_score().probability(table.iloc[[i]])[0] for i in range(len(table))]
    np.testing.assert_array_equal(together, alone)


def test_the_table_that_comes_with_the_package_says_what_it_was_fitted_on() -> None:
    score = normality_score()
    assert {"source", "licence", "num_records", "num_normal", "num_patients", "date"} == set(score.fitted_on)
    assert 0 < score.operating_point < 1
    assert all(term.weight > 0 and term.per > 0 for term in score.terms)


def test_every_term_is_a_known_measurement_with_a_name(table: pd.DataFrame) -> None:
    known = score_measurements(table)
    for term in normality_score().terms:
        assert term.measurement in known
        assert score_name(term.measurement)


def test_rate_and_rhythm_do_not_change_the_score(table: pd.DataFrame) -> None:
    changed = table.assign(heart_rate_bpm=40.0, rr_mean_ms=1500.0, rr_sd_ms=500.0)
    np.testing.assert_array_equal(normality_score().probability(changed), normality_score().probability(table))


def test_a_missing_measurement_is_within_its_limit() -> None:
    assert units_beyond(np.array([np.nan, 3.0, 100.0]), "above", 1.0, 1.0).tolist() == [0, 2, 4]
    assert units_beyond(np.array([np.nan, 0.5, 2.0]), "below", 1.0, 1.0).tolist() == [0, 0.5, 0]
