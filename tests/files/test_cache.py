"""A cache that cannot be written to is said to be so before the work, with what to set."""

import pwd
from pathlib import Path

import pytest

from ecggan.data.record import Layout
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.files.cache import in_cache, require_writable_cache
from tests.data.packers import packer


def test_the_cache_is_made_where_it_can_be(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert in_cache("~/.cache/ecggan", "sets", "a") == tmp_path / ".cache/ecggan/sets/a"
    require_writable_cache("~/.cache/ecggan")
    assert (tmp_path / ".cache/ecggan").is_dir()


def test_a_home_that_cannot_be_written_to_names_the_variable(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    with pytest.raises(OSError, match=r"cannot be written to \(Not a directory\): set the environment's ECGGAN_CACHE"):
        require_writable_cache("~/.cache/ecggan")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(OSError, match="set the environment's ECGGAN_CACHE"):
        require_writable_cache(tmp_path)


def test_a_user_without_a_home_is_told_the_variable(monkeypatch):
    def unknown(_: int) -> object:
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(OSError, match="has an empty name: set the environment's ECGGAN_CACHE"):
        in_cache("")
    with pytest.raises(OSError, match="no home folder: set the environment's ECGGAN_CACHE"):
        in_cache("~/.cache/ecggan")


def test_packing_says_so_before_it_reads(tmp_path, paper_format):
    (tmp_path / "file").touch()
    (tmp_path / "ecgs").mkdir()
    (tmp_path / "ecgs" / "a.asc").write_text("1 2\n", encoding="utf-8")
    packing = packer(paper_format, tmp_path / "file" / "cache")
    with pytest.raises(OSError, match="ECGGAN_CACHE"):
        folder_set(Path(tmp_path / "ecgs"), packing, Selection(None, None, None, None), ["*.asc"], Layout(), 0.1, 0.1)
