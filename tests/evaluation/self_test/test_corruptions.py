import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads
from ecggan.evaluation.self_test.corruptions import CORRUPTIONS, FRESH, HELD_OUT, TRAINING, corrupted_sets
from ecggan.measurement.measure_set import measure


@pytest.fixture(scope="module")
def sources(varied_ecgs):
    made = [select_leads(varied_ecgs(12, seed=seed), EIGHT_LEADS, TWELVE_LEADS) for seed in range(3)]
    names = (TRAINING, HELD_OUT, FRESH)
    return {name: ECGSet.from_arrays(ecgs, TWELVE_LEADS, 500) for name, ecgs in zip(names, made, strict=True)}


@pytest.fixture(scope="module")
def spoilt(sources):
    return corrupted_sets(sources)


def test_every_set_is_there_and_none_is_as_it_was(sources, spoilt):
    assert list(spoilt) == list(CORRUPTIONS)
    for name, ecgs in spoilt.items():
        source = sources[CORRUPTIONS[name].source]
        assert ecgs.leads == source.leads
        assert ecgs.num_samples == source.num_samples
        assert ecgs.kind == "generated"
        is_same = len(ecgs) == len(source) and (ecgs.microvolts() == source.microvolts()).all()
        assert is_same == (name == "exact copy")


def test_the_same_seed_spoils_alike(sources, spoilt):
    for name, ecgs in corrupted_sets(sources).items():
        np.testing.assert_array_equal(ecgs.microvolts(), spoilt[name].microvolts())


def test_swapped_arms_do_to_the_limb_leads_what_electrodes_do(sources, spoilt):
    before, after = (
        dict(zip(TWELVE_LEADS, ecgs.millivolts().swapaxes(0, 1), strict=True))
        for ecgs in (sources[FRESH], spoilt["arms swapped"])
    )
    swapped = {"I": -before["I"], "II": before["III"], "III": before["II"], "aVR": before["aVL"], "aVL": before["aVR"]}
    for lead, expected in (before | swapped).items():
        np.testing.assert_allclose(after[lead], expected, atol=2e-3)


def test_chest_leads_are_reversed_and_limb_leads_stay(sources, spoilt):
    before, after = sources[FRESH].microvolts(), spoilt["chest reversed"].microvolts()
    np.testing.assert_array_equal(after[:, :6], before[:, :6])
    np.testing.assert_array_equal(after[:, 6:], before[:, :5:-1])


def test_half_of_the_modes_are_the_slower_fresh_ecgs(sources, spoilt):
    half, fresh = spoilt["half the modes"].microvolts(), sources[FRESH]
    kept = np.array([any((record == one).all() for one in half) for record in fresh.microvolts()])
    assert len(half) == kept.sum() == 6
    rates = measure(fresh, num_workers=1, progress=False)["heart_rate_bpm"]
    assert rates[kept].max() <= rates[~kept].min()


def test_a_stretched_ecg_lasts_a_quarter_longer(sources, spoilt):
    before, after = sources[FRESH].millivolts(), spoilt["slower"].millivolts()
    np.testing.assert_allclose(after[:, :, ::5][:, :, :990], before[:, :, ::4][:, :, :990], atol=0.03)


def test_what_16_bits_cannot_hold_is_cut(spoilt):
    assert np.abs(spoilt["µV for mV"].microvolts().astype(int)).max() == 32767
    assert np.abs(spoilt["mV for µV"].microvolts()).max() <= 3
