import errno
import os
import shutil

import numpy as np
import pytest
from filelock import FileLock

from ecggan.files.atomic import ResumableFolder
from ecggan.generation.resumable_set import STEP, Step, Tally, UnfinishedSet


def step(number, length=STEP, left_out=()):
    rng = np.random.default_rng(number)
    microvolts = rng.integers(-1000, 1000, (length, 2, 10)).astype(np.int16)
    return Step(number, microvolts, {number * STEP + place: ("rule", f"detail {place}") for place in left_out})


def unfinished_set(folder, num_records=150, is_screened=False, part=0):
    return UnfinishedSet(ResumableFolder(folder / "set", {}), (2, 10), num_records, is_screened, part)


def test_a_set_without_a_screen_needs_just_its_records():
    tally = Tally(150, is_screened=False)
    assert list(tally.missing()) == [0, 1, 2]
    assert [tally.length(number) for number in range(3)] == [64, 64, 22]
    for number in (2, 0):
        tally.add(step(number, tally.length(number)).line())
    assert list(tally.missing()) == [1]
    tally.add(step(1).line())
    assert tally.is_complete()
    assert tally.chosen() == (list(range(150)), {})


def test_parts_are_disjoint_and_together_the_whole():
    tally = Tally(1000, is_screened=False)
    parts = [list(tally.missing(part, 3)) for part in range(3)]
    assert sorted(parts[0] + parts[1] + parts[2]) == list(range(16))


def test_a_screened_set_is_complete_when_its_first_steps_keep_enough():
    tally = Tally(100, is_screened=True)
    missing = tally.missing()
    for number in range(3):
        assert next(missing) == number
        tally.add(step(number, left_out=range(30)).line())
    assert next(missing, None) is None
    candidates, left_out = tally.chosen()
    assert len(candidates) == 100
    assert candidates[:2] == [30, 31]
    assert candidates[-1] == 2 * STEP + 30 + 31  # 34 of each step are kept, of the third only 32 wanted
    assert len(left_out) == 3 * 30
    assert left_out[29] == ("rule", "detail 29")


def test_a_step_left_out_in_between_is_still_needed_by_a_screened_set():
    tally = Tally(100, is_screened=True)
    for number in (0, 2):
        tally.add(step(number).line())
    assert list(tally.missing(0, 2)) == []
    assert next(tally.missing(1, 2)) == 1
    assert not tally.is_complete()
    tally.add(step(1).line())
    assert [line.step for line in tally.needed()] == [0, 1]


def test_a_screen_that_keeps_nothing_is_refused_with_its_reasons():
    tally = Tally(10, is_screened=True)
    for number in range(15):
        tally.add(step(number, left_out=range(STEP)).line())
        tally.check_acceptance_rate()
    tally.add(step(15, left_out=range(STEP)).line())
    with pytest.raises(ValueError, match=r"0 of 1,024 are kept \(left out by rule 1024\); take another checkpoint"):
        tally.check_acceptance_rate()


@pytest.mark.parametrize("is_screened", [False, True])
def test_what_was_written_is_found_again_and_checked(tmp_path, is_screened):
    first = unfinished_set(tmp_path, is_screened=is_screened)
    left_out = range(0, 60, 7) if is_screened else ()
    with first.writing():
        for number, length in ((0, 64), (1, 64), (2, 64 if is_screened else 22)):
            first.add(step(number, length, left_out))
    again = unfinished_set(tmp_path, is_screened=is_screened)
    assert again.tally.lines == first.tally.lines
    with again.writing():
        assert again.damaged(progress=False) == []
        candidates, _ = again.gather()
    signals = np.load(tmp_path / "set.unfinished" / "content" / "signals.npy")
    whole = np.concatenate([step(number).microvolts for number in range(3)])
    assert signals.shape == (150, 2, 10)
    assert np.array_equal(
        signals,
        whole[candidates]
        if is_screened
        else np.concatenate([step(0).microvolts, step(1).microvolts, step(2, 22).microvolts]),
    )


def test_a_step_that_did_not_reach_the_disk_is_named_and_missing(tmp_path):
    unfinished = unfinished_set(tmp_path, 128)
    with unfinished.writing():
        for number in range(2):
            unfinished.add(step(number))
    signals = tmp_path / "set.unfinished" / "content" / "signals.npy"
    os.truncate(signals, signals.stat().st_size - 3)
    again = unfinished_set(tmp_path, 128)
    with again.writing():
        assert again.damaged(progress=False) == [1]
        assert list(again.tally.missing()) == [1]
        again.add(step(1))
        assert again.damaged(progress=False) == []


def test_a_line_cut_by_a_kill_is_as_none(tmp_path):
    unfinished = unfinished_set(tmp_path)
    with unfinished.writing():
        for number in range(2):
            unfinished.add(step(number))
    journal = tmp_path / "set.unfinished" / "journal-0.jsonl"
    journal.write_bytes(journal.read_bytes()[:-4])
    again = unfinished_set(tmp_path)
    assert list(again.tally.lines) == [0]
    with again.writing():
        again.add(step(1))
    assert list(unfinished_set(tmp_path).tally.lines) == [0, 1]


def test_a_part_learns_what_the_others_have_drawn(tmp_path):
    first, second = (unfinished_set(tmp_path, part=part) for part in range(2))
    with first.writing(), second.writing():
        first.add(step(0))
        second.add(step(1))
        second.add(step(2, 22))
        assert not first.tally.is_complete()
        first.read_journals()
        assert first.tally.is_complete()
        assert first.damaged(progress=False) == []


def test_two_processes_do_not_draw_one_part(tmp_path):
    first, second = (unfinished_set(tmp_path) for _ in range(2))
    refused = pytest.raises(FileExistsError, match=r"another process is drawing the same part of .*set; ")
    with first.writing(), refused, second.writing():
        pass
    with second.writing():
        second.add(step(0))


def test_a_disk_that_is_too_small_is_named_before_anything_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 0, 4_000))
    with pytest.raises(OSError, match=r"set needs 0 MB more, and its disk has 0 MB free: make room, or give"):
        unfinished_set(tmp_path).check_disk_space()


@pytest.mark.parametrize(
    "line", ["5", "null", "[2]", '[2, "64", [], 0]', "[-1, 64, [], 0]", "[1, 64, 5, 0]", "[1, 65, [], 0]"]
)
def test_a_line_that_is_none_of_this_set_is_passed_over(tmp_path, line):
    unfinished = unfinished_set(tmp_path)
    with unfinished.writing():
        unfinished.add(step(0))
    with open(tmp_path / "set.unfinished" / "journal-0.jsonl", "a") as journal:
        journal.write(f"{line}\n")
    assert list(unfinished_set(tmp_path).tally.lines) == [0]


def test_who_completes_a_set_removes_what_a_killed_process_left(tmp_path):
    unfinished = unfinished_set(tmp_path, 64)
    left = unfinished.folder.content / ".manifest.json.unfinished-host-1"
    with unfinished.writing():
        unfinished.add(step(0))
        left.write_text("half")
        with unfinished.completing() as is_to_be_done:
            assert is_to_be_done
            assert [file.name for file in unfinished.folder.content.iterdir()] == ["signals.npy"]
            unfinished.folder.finish()
        with unfinished.completing() as is_to_be_done:
            assert not is_to_be_done


def test_without_file_locks_a_set_is_drawn_all_the_same(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    unfinished = unfinished_set(tmp_path, 64)
    with unfinished.writing(), unfinished.completing() as is_to_be_done:
        unfinished.add(step(0))
        assert is_to_be_done
