import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.memorization.matching import nearest_by_beat, nearest_by_segment
from ecggan.measurement.fingerprints import fingerprints

pytestmark = pytest.mark.slow


def a_set(millivolts, sampling_rate=500):
    return ECGSet.from_arrays(millivolts, EIGHT_LEADS, sampling_rate)


def prints_of(millivolts, sampling_rate=500, **options):
    return fingerprints(a_set(millivolts, sampling_rate), progress=False, **options)


def test_every_segment_is_a_vector_of_length_1_of_its_record(varied_ecgs):
    prints = prints_of(varied_ecgs(5))
    assert np.linalg.norm(prints.segments.astype(float), axis=1) == pytest.approx(1, abs=0.01)
    assert sorted(set(prints.owner)) == list(range(5))
    assert (prints.owner[prints.middle] == np.arange(5)).all()
    assert prints.is_indexed.all()


def test_a_lone_middle_segment_is_the_same_as_among_all(varied_ecgs):
    ecgs = varied_ecgs(7)
    whole, part = prints_of(ecgs), prints_of(ecgs, most_indexed=3)
    np.testing.assert_array_equal(whole.segments[whole.middle], part.segments[part.middle])
    assert part.is_indexed.sum() == 3
    assert len(part.segments) < len(whole.segments)


def test_result_does_not_depend_on_the_number_of_workers_or_on_where_the_set_lies(varied_ecgs, tmp_path):
    ecgs = a_set(varied_ecgs(40))
    one, two = (fingerprints(ecgs, num_workers=n, progress=False) for n in (1, 2))
    on_disk = fingerprints(ecgs.save(tmp_path / "set").subset(slice(1, 40)), num_workers=2, progress=False)
    np.testing.assert_array_equal(one.segments, two.segments)
    np.testing.assert_array_equal(one.beats[1:], on_disk.beats)


def test_a_subset_is_what_the_records_by_themselves_give(varied_ecgs):
    ecgs = varied_ecgs(6)
    positions = np.array([1, 4])
    some, alone = prints_of(ecgs).subset(positions), prints_of(ecgs[positions])
    np.testing.assert_array_equal(some.segments, alone.segments)
    np.testing.assert_array_equal(some.owner, alone.owner)
    np.testing.assert_array_equal(some.middle, alone.middle)


@pytest.mark.parametrize(
    "disguise",
    [
        lambda ecgs, rng: ecgs,
        lambda ecgs, rng: 0.6 * ecgs,
        lambda ecgs, rng: ecgs + rng.normal(0, 0.05, ecgs.shape),
        lambda ecgs, rng: np.roll(ecgs, 50, axis=2),
        lambda ecgs, rng: np.roll(ecgs, -300, axis=2),
        lambda ecgs, rng: ecgs + 0.4 + 0.3 * np.sin(2 * np.pi * 0.2 * np.arange(5000) / 500),
    ],
    ids=["exact", "gain", "noise", "later", "earlier", "baseline"],
)
def test_a_disguised_copy_is_recognised_among_others(varied_ecgs, disguise):
    ecgs = varied_ecgs(40)
    copies, originals = prints_of(disguise(ecgs, np.random.default_rng(0))), prints_of(ecgs)
    for match in (nearest_by_segment, nearest_by_beat):
        found, back = match(copies, originals)
        np.testing.assert_array_equal(found.position, np.arange(40))
        np.testing.assert_array_equal(back.position, np.arange(40))
        assert found.correlation.min() > 0.95
    others, _ = nearest_by_segment(copies, prints_of(varied_ecgs(40, seed=1)))
    assert np.median(others.correlation) < 0.9


def test_a_copy_at_another_sampling_rate_is_recognised(varied_ecgs):
    ecgs = varied_ecgs(10)
    found, _ = nearest_by_segment(prints_of(ecgs[:, :, ::2], 250), prints_of(ecgs))
    np.testing.assert_array_equal(found.position, np.arange(10))
    assert found.correlation.min() > 0.98


def test_a_record_without_a_beat_is_like_nothing(varied_ecgs):
    ecgs = varied_ecgs(3)
    ecgs[1] = 0
    prints = prints_of(ecgs)
    assert not prints.segments[prints.middle[1]].any()
    assert np.isnan(prints.beats[1].astype(float)).all()
    found, _ = nearest_by_segment(prints, prints_of(varied_ecgs(3)))
    assert found.correlation[1] == 0


def test_an_empty_set_has_none(varied_ecgs):
    prints = prints_of(varied_ecgs(2)[:0])
    assert len(prints) == 0
    found, back = nearest_by_segment(prints, prints_of(varied_ecgs(2)))
    assert len(found.position) == 0
    assert back.position.tolist() == [-1, -1]


def test_short_records_and_leads_that_are_not_there_are_refused(varied_ecgs):
    ecgs = varied_ecgs(1)
    with pytest.raises(ValueError, match="records of 3 s cannot be recognised"):
        prints_of(ecgs[:, :, :1500])
    with pytest.raises(ValueError, match="lead 'aVF' is not in the set"):
        prints_of(ecgs, leads=["I", "aVF"])
    with pytest.raises(ValueError, match="num_workers must be a whole number, at least 1, or null; got"):
        prints_of(ecgs, num_workers=0)
