import errno
import os
import shutil

import numpy as np
import pytest
from filelock import FileLock

from ecggan.files.resumable_folder import ResumableFolder
from ecggan.generation.resumable_set import ResumableSet
from tests.generation.batches import make_batch


def unfinished_set(folder, num_records=150, is_screened=False, part=0):
    return ResumableSet(ResumableFolder(folder / "set", {}), (2, 10), num_records, is_screened, part)


@pytest.mark.parametrize("is_screened", [False, True])
def test_what_was_written_is_found_again_and_checked(tmp_path, is_screened):
    first = unfinished_set(tmp_path, is_screened=is_screened)
    excluded = range(0, 60, 7) if is_screened else ()
    with first.writing():
        for number, length in ((0, 64), (1, 64), (2, 64 if is_screened else 22)):
            first.add(make_batch(number, length, excluded))
    again = unfinished_set(tmp_path, is_screened=is_screened)
    assert again.progress.entries == first.progress.entries
    with again.writing():
        assert again.damaged(show_progress=False) == []
        candidates, _ = again.gather()
    signals = np.load(tmp_path / "set.unfinished" / "content" / "signals.npy")
    whole = np.concatenate([make_batch(number).microvolts for number in range(3)])
    assert signals.shape == (150, 2, 10)
    assert np.array_equal(
        signals,
        whole[candidates]
        if is_screened
        else np.concatenate([make_batch(0).microvolts, make_batch(1).microvolts, make_batch(2, 22).microvolts]),
    )


def test_a_batch_that_did_not_reach_the_disk_is_named_and_missing(tmp_path):
    unfinished = unfinished_set(tmp_path, 128)
    with unfinished.writing():
        for number in range(2):
            unfinished.add(make_batch(number))
    signals = tmp_path / "set.unfinished" / "content" / "signals.npy"
    os.truncate(signals, signals.stat().st_size - 3)
    again = unfinished_set(tmp_path, 128)
    with again.writing():
        assert again.damaged(show_progress=False) == [1]
        assert list(again.progress.missing()) == [1]
        again.add(make_batch(1))
        assert again.damaged(show_progress=False) == []


def test_a_line_cut_by_a_kill_is_as_none(tmp_path):
    unfinished = unfinished_set(tmp_path)
    with unfinished.writing():
        for number in range(2):
            unfinished.add(make_batch(number))
    journal = tmp_path / "set.unfinished" / "journal-0.jsonl"
    journal.write_bytes(journal.read_bytes()[:-4])
    again = unfinished_set(tmp_path)
    assert list(again.progress.entries) == [0]
    with again.writing():
        again.add(make_batch(1))
    assert list(unfinished_set(tmp_path).progress.entries) == [0, 1]


def test_a_part_learns_what_the_others_have_drawn(tmp_path):
    first, second = (unfinished_set(tmp_path, part=part) for part in range(2))
    with first.writing(), second.writing():
        first.add(make_batch(0))
        second.add(make_batch(1))
        second.add(make_batch(2, 22))
        assert not first.progress.is_complete()
        first.read_journals()
        assert first.progress.is_complete()
        assert first.damaged(show_progress=False) == []


def test_two_processes_do_not_draw_one_part(tmp_path):
    first, second = (unfinished_set(tmp_path) for _ in range(2))
    refused = pytest.raises(FileExistsError, match=r"another process is drawing the same part of .*set; ")
    with first.writing(), refused, second.writing():
        pass
    with second.writing():
        second.add(make_batch(0))


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
        unfinished.add(make_batch(0))
    with open(tmp_path / "set.unfinished" / "journal-0.jsonl", "a", encoding="utf-8") as journal:
        journal.write(f"{line}\n")
    assert list(unfinished_set(tmp_path).progress.entries) == [0]


def test_who_completes_a_set_removes_what_a_killed_process_left(tmp_path):
    unfinished = unfinished_set(tmp_path, 64)
    left = unfinished.folder.content / ".manifest.json.unfinished-host-1"
    with unfinished.writing():
        unfinished.add(make_batch(0))
        left.write_text("half")
        with unfinished.completing() as is_incomplete:
            assert is_incomplete
            assert [file.name for file in unfinished.folder.content.iterdir()] == ["signals.npy"]
            unfinished.folder.finish()
        with unfinished.completing() as is_incomplete:
            assert not is_incomplete


def test_without_file_locks_a_set_is_drawn_all_the_same(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    unfinished = unfinished_set(tmp_path, 64)
    with unfinished.writing(), unfinished.completing() as is_incomplete:
        unfinished.add(make_batch(0))
        assert is_incomplete
