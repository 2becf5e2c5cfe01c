import pytest

from ecggan.generation.progress import CANDIDATES_PER_BATCH, Progress
from tests.generation.batches import make_batch


def test_a_set_without_a_screen_needs_just_its_records():
    progress = Progress(150, is_screened=False)
    assert list(progress.missing()) == [0, 1, 2]
    assert [progress.length(number) for number in range(3)] == [64, 64, 22]
    for number in (2, 0):
        progress.add(make_batch(number, progress.length(number)).entry())
    assert list(progress.missing()) == [1]
    progress.add(make_batch(1).entry())
    assert progress.is_complete()
    assert progress.selection() == (list(range(150)), {})


def test_parts_are_disjoint_and_together_the_whole():
    progress = Progress(1000, is_screened=False)
    parts = [list(progress.missing(part, 3)) for part in range(3)]
    assert sorted(parts[0] + parts[1] + parts[2]) == list(range(16))


def test_a_screened_set_is_complete_when_its_first_batchs_keep_enough():
    progress = Progress(100, is_screened=True)
    missing = progress.missing()
    for number in range(3):
        assert next(missing) == number
        progress.add(make_batch(number, excluded=range(30)).entry())
    assert next(missing, None) is None
    candidates, excluded = progress.selection()
    assert len(candidates) == 100
    assert candidates[:2] == [30, 31]
    assert candidates[-1] == 2 * CANDIDATES_PER_BATCH + 30 + 31  # 34 of each step are kept, of the third only 32 wanted
    assert len(excluded) == 3 * 30
    assert excluded[29] == ("rule", "detail 29")


def test_a_batch_excluded_in_between_is_still_needed_by_a_screened_set():
    progress = Progress(100, is_screened=True)
    for number in (0, 2):
        progress.add(make_batch(number).entry())
    assert list(progress.missing(0, 2)) == []
    assert next(progress.missing(1, 2)) == 1
    assert not progress.is_complete()
    progress.add(make_batch(1).entry())
    assert [entry.batch for entry in progress.needed()] == [0, 1]


def test_a_screen_that_keeps_nothing_is_refused_with_its_reasons():
    progress = Progress(10, is_screened=True)
    for number in range(15):
        progress.add(make_batch(number, excluded=range(CANDIDATES_PER_BATCH)).entry())
        progress.check_acceptance_rate()
    progress.add(make_batch(15, excluded=range(CANDIDATES_PER_BATCH)).entry())
    with pytest.raises(ValueError, match=r"0 of 1,024 are kept \(left out by rule 1024\); take another checkpoint"):
        progress.check_acceptance_rate()
