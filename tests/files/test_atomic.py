import os
import platform
import subprocess

import pytest

from ecggan.files.atomic import ResumableFolder, atomic_file, atomic_folder, require_new_folder


class Interrupted(BaseException):
    """Like Ctrl-C: no Exception."""


def test_file_appears_under_its_name_and_nothing_else(tmp_path):
    with atomic_file(tmp_path / "new" / "a.txt") as unfinished:
        unfinished.write_text("whole")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"


def _write_half_a_file(path):
    with atomic_file(path) as unfinished:
        unfinished.write_text("half")
        raise Interrupted("by hand")


def _write_half_a_folder(path):
    with atomic_folder(path) as unfinished:
        (unfinished / "signals").write_text("half")
        raise Interrupted("by hand")


def test_interrupted_file_leaves_the_old_one_alone(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(Interrupted, match="by hand"):
        _write_half_a_file(tmp_path / "a.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_interrupted_folder_leaves_nothing(tmp_path):
    with pytest.raises(Interrupted, match="by hand"):
        _write_half_a_folder(tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_folder_appears_whole(tmp_path):
    with atomic_folder(tmp_path / "set") as unfinished:
        (unfinished / "a").write_text("a")
        assert not (tmp_path / "set").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert (tmp_path / "set" / "a").read_text() == "a"


def test_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "set").mkdir()
    with atomic_folder(tmp_path / "set") as unfinished:
        (unfinished / "a").write_text("a")
    assert (tmp_path / "set" / "a").exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_is_overwritten_by_a_folder(tmp_path, kind):
    path = tmp_path / "set"
    if kind == "folder":
        path.mkdir()
    (path / "a" if kind == "folder" else path).write_text("mine")
    with pytest.raises(FileExistsError, match="exists and is not empty; give another folder"), atomic_folder(path):
        pass
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        require_new_folder(path)
    assert (path / "a" if kind == "folder" else path).read_text() == "mine"


def test_a_link_to_an_empty_folder_is_filled_where_it_points(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with atomic_folder(tmp_path / "link") as folder:
        (folder / "a.txt").write_text("a")
    assert (tmp_path / "target" / "a.txt").read_text() == "a"
    assert (tmp_path / "link").is_symlink()


def test_a_folder_that_cannot_be_made_is_refused_early(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PermissionError, match="file cannot be written to; give another folder"):
        require_new_folder(tmp_path / "file" / "set")


def test_a_folder_that_another_process_filled_meanwhile_is_not_replaced(tmp_path):
    def both_write():
        with atomic_folder(tmp_path / "set") as folder:
            (folder / "a.txt").write_text("ours")
            (tmp_path / "set").mkdir()
            (tmp_path / "set" / "a.txt").write_text("theirs")

    with pytest.raises(FileExistsError, match="was written by another process meanwhile"):
        both_write()
    assert (tmp_path / "set" / "a.txt").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_resumable_folder_is_found_again_by_its_request_and_appears_whole(tmp_path):
    (ResumableFolder(tmp_path / "set", {"seed": 1}).content / "a").write_text("a")
    assert [path.name for path in tmp_path.iterdir()] == ["set.unfinished"]
    again = ResumableFolder(tmp_path / "set", {"seed": 1})
    assert (again.content / "a").read_text() == "a"
    again.finish()
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "a"]


def test_another_request_may_not_go_on_with_an_unfinished_folder(tmp_path):
    ResumableFolder(tmp_path / "set", {"leads": ("I", "II"), "seed": 1})
    ResumableFolder(tmp_path / "set", {"leads": ["I", "II"], "seed": 1})
    with pytest.raises(
        FileExistsError, match=r"set\.unfinished was begun with seed=1, not 2: go on with that, give anoth"
    ):
        ResumableFolder(tmp_path / "set", {"leads": ["I", "II"], "seed": 2})


def test_an_unfinished_folder_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "set.unfinished").mkdir()
    (tmp_path / "set.unfinished" / "thesis.doc").write_text("precious")
    with pytest.raises(FileExistsError, match=r"set\.unfinished is in the way and holds other things"):
        ResumableFolder(tmp_path / "set", {})
    assert (tmp_path / "set.unfinished" / "thesis.doc").read_text() == "precious"


def test_of_two_that_fill_a_resumable_folder_either_may_finish_it(tmp_path):
    first, second = (ResumableFolder(tmp_path / "set", {"seed": 1}) for _ in range(2))
    (first.content / "a").write_text("a")
    (second.content / "b").write_text("b")
    second.finish()
    first.finish()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "set"]


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = tmp_path / f".set.unfinished-{platform.node()}-{dead.pid}"
    alive = tmp_path / f".set.unfinished-{platform.node()}-{os.getppid()}"
    for folder in (left, alive):
        folder.mkdir()
    with atomic_folder(tmp_path / "set"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"set", alive.name}


def test_a_damaged_request_is_named_with_the_remedy(tmp_path):
    ResumableFolder(tmp_path / "set", {"seed": 1})
    (tmp_path / "set.unfinished" / "request.json").write_text("{")
    with pytest.raises(FileExistsError, match=r"request.json is damaged; remove .*set.unfinished or give another"):
        ResumableFolder(tmp_path / "set", {"seed": 1})
