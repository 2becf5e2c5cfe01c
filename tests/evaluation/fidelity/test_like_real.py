from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import ecggan
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import training_hashes
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.fidelity.like_real import LikeReal
from ecggan.measurement.measure_set import measure

pytestmark = pytest.mark.slow


def ecg_set(ecg_of_known_intervals, count, rate_sd, seed, kind="generated"):
    rng = np.random.default_rng(seed)
    records = [
        ecg_of_known_intervals(rng.normal(72, rate_sd), qt_ms=rng.normal(380, 15), seed=seed + i) for i in range(count)
    ]
    return ECGSet.from_arrays(np.stack(records), EIGHT_LEADS, 500, kind)


@pytest.fixture(scope="module")
def sets(ecg_of_known_intervals):
    """Real hearts of 72 ± 3 a minute; generated ones of ± 8."""
    real = ecg_set(ecg_of_known_intervals, 40, 3.0, 1000, "real")
    return real, ecg_set(ecg_of_known_intervals, 40, 8.0, 2000), ecg_set(ecg_of_known_intervals, 50, 8.0, 3000)


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    return partial(LikeReal.fit, num_workers=1, cache=str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def like_real(sets, fit):
    return fit(*sets[:2], share=0.3)


def test_the_selected_hearts_vary_as_real_ones_do(sets, like_real):
    reasons = like_real(sets[2])
    rates = measure(sets[2], num_workers=1, progress=False)["heart_rate_bpm"]
    is_kept = np.array([reason is None for reason in reasons])
    assert 0 < is_kept.mean() < 1
    assert rates[is_kept].std() < rates.std()
    left_out = [reason for reason in reasons if reason is not None]
    assert {rule for rule, _ in left_out} == {"not_selected"}
    assert left_out[0][1].startswith("real by generated density ")


def test_the_choice_depends_on_a_record_and_its_name_alone(sets, fit, like_real):
    reasons = like_real(sets[2])
    assert like_real(sets[2].subset([5, 3])) == [reasons[5], reasons[3]]
    again = fit(*sets[:2], share=0.3)
    assert again.description == like_real.description
    assert again.with_workers(2).description == like_real.description
    assert fit(*sets[:2], share=0.2).description != like_real.description


def test_what_cannot_be_measured_is_never_selected(like_real):
    flat = ECGSet.from_arrays(np.zeros((2, 8, 5000)), EIGHT_LEADS, 500, "generated")
    assert [rule for rule, _ in like_real(flat)] == ["not_measurable"] * 2


def test_the_training_split_is_what_it_learns_from(sets, fit):
    real = sets[0].subset(np.arange(40))
    real.records["split"] = ["train"] * 32 + ["test"] * 8
    fitted = fit(real, sets[1])
    assert fitted.facts["num_real"] == 32
    assert set(fitted.learned_from) == set(real.hashes()[:32])


def test_too_few_and_a_share_of_nothing_are_refused(sets, fit):
    with pytest.raises(ValueError, match=r"at least 30 real ECGs that can be measured; of 10 it found 10"):
        fit(sets[0].subset(np.arange(10)), sets[1])
    with pytest.raises(ValueError, match=r"like_share must be a number, from 0\.001 to 1; got 0"):
        fit(*sets[:2], share=0)


@pytest.mark.slow
def test_a_set_says_that_it_was_selected_and_by_what(sets, like_real):
    ecgs = ecggan.generate("published", 3, seed=1, keep=replace(like_real, threshold=-1e6), progress=False)
    assert ecgs.manifest["made_by"]["keep"]["what"] == "like_real"
    assert "selected" in ecgs.manifest["made_by"]["keep"]
    assert training_hashes(ecgs.manifest["made_by"]) == set(sets[0].hashes())
    assert ecgs.manifest["account"]["kept"] == 3
