import numpy as np
import pandas as pd
import pytest
import scipy.stats

from ecggan.stats.resampling import (
    bootstrap_weights,
    evenly_spaced,
    patient_numbers,
    random_halves,
    weighted_distances,
    weighted_means,
)


def test_records_of_a_patient_share_a_number_and_unknown_patients_have_their_own() -> None:
    numbers = patient_numbers(pd.Series(["b", "a", None, "b", None]), 5)
    assert numbers[0] == numbers[3]
    assert len(set(numbers)) == 4
    assert sorted(set(numbers)) == [0, 1, 2, 3]
    assert list(patient_numbers(None, 3)) == [0, 1, 2]
    assert list(patient_numbers(pd.Series([], dtype=object), 0)) == []


def test_a_bootstrap_draws_whole_patients_as_many_as_there_are() -> None:
    patients = np.array([0, 0, 1, 2, 2, 2])
    weights = np.concatenate(list(bootstrap_weights(patients, 500, np.random.default_rng(0))))
    assert weights.shape == (500, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(6), abs=0.15)


def test_weighted_means_are_those_of_the_drawn_records_that_have_a_value() -> None:
    values = np.array([[1e6, 1.0], [1e6 + 1, np.nan], [1e6 + 5, np.nan]])
    means = weighted_means(np.array([[1, 1, 0], [0, 2, 1]], np.float32), values)
    assert means[0] == pytest.approx([1e6 + 0.5, 1.0], abs=1e-6)
    assert means[1, 0] == pytest.approx(1e6 + 7 / 3, abs=1e-6)
    assert np.isnan(means[1, 1])


def test_bootstrap_interval_agrees_with_scipys() -> None:
    values = np.random.default_rng(0).gamma(2, 10, 300)
    weights = np.concatenate(list(bootstrap_weights(np.arange(300), 4000, np.random.default_rng(1))))
    ours = np.quantile(weighted_means(weights, values[:, None])[:, 0], [0.025, 0.975])
    rng = np.random.default_rng(2)
    theirs = scipy.stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=rng)
    assert ours == pytest.approx(list(theirs.confidence_interval), abs=0.1)


def test_halves_share_no_patient_and_hold_about_as_many_records_as_asked_for() -> None:
    patients = np.repeat(np.arange(100), 3)
    first, second = random_halves(patients, 60, 50, np.random.default_rng(0))
    for a, b in zip(first, second, strict=True):
        assert not set(patients[a]) & set(patients[b])
    assert (first.sum(axis=1) == 60).all()
    assert (second.sum(axis=1) == 60).all()
    whole = random_halves(patients, 10**6, 5, np.random.default_rng(0))
    assert all((half.sum(axis=1) == 150).all() for half in whole)


@pytest.mark.parametrize("decimals", [0, 6])
def test_distances_are_scipys(decimals: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 3, 80).round(decimals)  # rounded to whole numbers, most are equal to others
    values[::9] = np.nan
    first, second = rng.random((2, 6, 80)) < 0.4
    ks, wasserstein = weighted_distances(values, first, second)
    for i in range(6):
        a, b = (values[which & np.isfinite(values)] for which in (first[i], second[i]))
        assert ks[i] == pytest.approx(scipy.stats.ks_2samp(a, b).statistic)
        assert wasserstein[i] == pytest.approx(scipy.stats.wasserstein_distance(a, b))


def test_distance_to_nothing_is_not_a_number() -> None:
    nobody, somebody = np.zeros((1, 4), bool), np.ones((1, 4), bool)
    for values in (np.arange(4.0), np.full(4, np.nan)):
        assert np.isnan(weighted_distances(values, somebody, nobody)).all()


@pytest.mark.parametrize("ends", ["first", "both", "neither"])
@pytest.mark.parametrize(
    ("num_records", "max_records"), [(0, 3), (1, 1), (1, 3), (3, 3), (2, 2), (17, 5), (2001, 1500)]
)
def test_evenly_spaced_positions_are_distinct_in_range_and_about_equally_far_apart(
    ends: str, num_records: int, max_records: int
) -> None:
    chosen = evenly_spaced(num_records, max_records, ends)
    assert len(set(chosen)) == len(chosen) == min(num_records, max_records)
    assert ((chosen >= 0) & (chosen < num_records)).all()
    if len(chosen) > 1:
        assert np.diff(chosen).min() >= 1
        assert np.ptp(np.diff(chosen)) <= 1


def test_evenly_spaced_positions_keep_the_ends_that_are_asked_for() -> None:
    assert evenly_spaced(100, 7)[0] == 0
    assert evenly_spaced(100, 7, "both")[[0, -1]].tolist() == [0, 99]
    assert evenly_spaced(101, 1, "neither").tolist() == [50]
