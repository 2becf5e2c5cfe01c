import pytest

from ecggan.files.resumable_folder import ResumableFolder


def test_a_resumable_folder_is_found_again_by_its_request_and_appears_whole(tmp_path):
    (ResumableFolder(tmp_path / "set", {"seed": 1}).content / "a").write_text("a")
    assert [path.name for path in tmp_path.iterdir()] == ["set.unfinished"]
    again = ResumableFolder(tmp_path / "set", {"seed": 1})
    assert (again.content / "a").read_text() == "a"
    again.finish()
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "a"]


def test_another_request_may_not_resume_an_unfinished_folder(tmp_path):
    ResumableFolder(tmp_path / "set", {"leads": ("I", "II"), "seed": 1})
    ResumableFolder(tmp_path / "set", {"leads": ["I", "II"], "seed": 1})
    with pytest.raises(
        FileExistsError, match=r"set\.unfinished was begun with seed=1, not 2: resume that, give another"
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


def test_a_damaged_request_is_named_with_the_remedy(tmp_path):
    ResumableFolder(tmp_path / "set", {"seed": 1})
    (tmp_path / "set.unfinished" / "request.json").write_text("{")
    with pytest.raises(FileExistsError, match=r"request.json is damaged; remove .*set.unfinished or give another"):
        ResumableFolder(tmp_path / "set", {"seed": 1})
