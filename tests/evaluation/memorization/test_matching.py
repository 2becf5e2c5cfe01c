import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.memorization import matching
from ecggan.evaluation.memorization.matching import (
    COPY_CORRELATION,
    align,
    align_nearest,
    nearest_by_segment,
    nearest_within,
)
from ecggan.measurement.fingerprints import fingerprints


def a_set(millivolts):
    return ECGSet.from_arrays(millivolts, EIGHT_LEADS, 500)


def prints_of(millivolts, **options):
    return fingerprints(a_set(millivolts), progress=False, **options)


def test_the_search_is_that_of_a_loop_over_all_pairs_whatever_the_blocks(varied_ecgs, monkeypatch):
    some, others = prints_of(varied_ecgs(9)), prints_of(varied_ecgs(7, seed=1))
    best = np.array(
        [
            [
                max(float(some.segments[m].astype(float) @ p.astype(float)) for p in others.segments[others.owner == j])
                for j in range(7)
            ]
            for m in some.middle
        ]
    )
    for block_bytes in (2**27, 1):
        monkeypatch.setattr(matching, "_BLOCK_BYTES", block_bytes)
        found, back = nearest_by_segment(some, others)
        np.testing.assert_allclose(found.correlation, best.max(axis=1), atol=1e-3)
        np.testing.assert_array_equal(found.position, best.argmax(axis=1))
        np.testing.assert_allclose(back.correlation, best.max(axis=0), atol=1e-3)
        np.testing.assert_array_equal(back.position, best.argmax(axis=0))


def test_within_a_set_neither_itself_nor_the_same_patient_counts(varied_ecgs):
    ecgs = np.repeat(varied_ecgs(4), 2, axis=0)
    prints = prints_of(ecgs)
    twins = nearest_within(prints, np.arange(8))
    assert twins.position.tolist() == [1, 0, 3, 2, 5, 4, 7, 6]
    assert twins.correlation == pytest.approx(1, abs=1e-2)
    strangers = nearest_within(prints, np.repeat(np.arange(4), 2))
    assert (strangers.position // 2 != np.arange(8) // 2).all()
    alone = nearest_within(prints.subset(np.array([0, 1])), np.zeros(2, int))
    assert alone.position.tolist() == [-1, -1]


def test_laid_over_each_other_a_copy_shows_its_shift_gain_and_noise(varied_ecgs):
    original = varied_ecgs(1, noise_mv=0)[0]
    noise = np.random.default_rng(0).normal(0, 0.03, original.shape)
    copy = 1.5 * np.roll(original, 50, axis=1) + noise
    correlation, shift_ms, gain, rest_mv = align(copy, original, 500, 500)
    assert correlation > COPY_CORRELATION
    assert shift_ms == 100
    assert gain == pytest.approx(1.5, rel=0.01)
    in_band = 0.03 / 1.5 * np.sqrt(39 / 250)  # of white noise up to 250 Hz, what lies between 1 and 40 Hz
    assert rest_mv == pytest.approx(in_band, rel=0.25)


def test_a_part_of_a_record_is_found_wherever_it_lies_in_it(varied_ecgs):
    original = varied_ecgs(1, noise_mv=0)[0]
    correlation, shift_ms, gain, _ = align(original[:, 2000:], original, 500, 500)
    assert (round(correlation, 2), shift_ms, round(gain, 1)) == (1, -4000, 1)


def test_laying_over_is_exact_for_itself_and_symmetric(varied_ecgs):
    first, second = varied_ecgs(2)
    correlation, shift_ms, gain, rest_mv = align(first, first, 500, 500)
    assert (correlation, shift_ms, gain, rest_mv) == pytest.approx((1, 0, 1, 0), abs=1e-6)
    there, back = align(first, second, 500, 500), align(second, first, 500, 500)
    assert there[0] == pytest.approx(back[0])
    assert there[1] == -back[1]
    assert there[0] < 0.9


def test_nothing_is_like_a_flat_record(varied_ecgs):
    flat = np.zeros((8, 5000))
    assert align(flat, flat, 500, 500)[0] == 0
    assert align(flat, varied_ecgs(1)[0], 500, 500)[0] == 0


def test_copies_are_told_and_the_nearest_are_shown_in_any_case(varied_ecgs):
    ecgs, others = varied_ecgs(30), varied_ecgs(30, seed=1)
    queries = np.concatenate([ecgs[:5] * 0.8, others])
    found, _ = nearest_by_segment(prints_of(queries), prints_of(ecgs))
    pairs = align_nearest(a_set(queries), a_set(ecgs), found, EIGHT_LEADS, num_workers=1)
    assert sorted(pairs.loc[pairs["is_copy"], "position"]) == [0, 1, 2, 3, 4]
    assert (pairs["position"] == pairs["of_position"])[pairs["is_copy"]].all()
    assert len(pairs) >= 10
    assert pairs["correlation"].is_monotonic_decreasing


def test_an_index_without_its_pieces_and_other_leads_are_refused(varied_ecgs):
    ecgs = varied_ecgs(4)
    whole = prints_of(ecgs)
    with pytest.raises(ValueError, match="every piece of its records"):
        nearest_by_segment(whole, prints_of(ecgs, most_indexed=2))
    with pytest.raises(ValueError, match="cannot be laid over"):
        nearest_by_segment(whole, prints_of(ecgs, leads=["I", "II"]))
