import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

import ecggan
from ecggan.data.exports import export as exporting
from ecggan.data.exports import parquet, text
from ecggan.data.exports.chunks import safe_names
from ecggan.data.exports.export import FORMS
from ecggan.data.exports.text import to_text
from ecggan.data.sets.ecg_set import ECGSet, new_manifest
from tests.data.exports.making import (
    COMPANIONS,
    NUM_RECORDS,
    Interrupted,
    contents,
    export_quietly,
)


@pytest.mark.parametrize("form", FORMS)
def test_manifest_table_and_hashes_travel_along(ecgs, tmp_path, form):
    out = export_quietly(ecgs, form, tmp_path / "out")
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["made_by"] == ecgs.manifest["made_by"]
    assert manifest["exported"]["from"]["sha256"] == ecgs.manifest["sha256"]
    records = pd.read_parquet(out / "records.parquet")
    pd.testing.assert_frame_equal(records[["record", "seed", "index"]], ecgs.records)
    stated = dict(line.split("  ")[::-1] for line in (out / "checksums.sha256").read_text().splitlines())
    assert set(stated) == set(contents(out)) - {"checksums.sha256"}
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "checksums.sha256"], cwd=out, check=True)
    assert all(hashlib.sha256((out / name).read_bytes()).hexdigest() == sha for name, sha in stated.items())


@pytest.mark.parametrize("form", FORMS)
def test_interrupted_anywhere_the_same_call_gives_the_same_bytes(ecgs, tmp_path, monkeypatch, form):
    whole = contents(export_quietly(ecgs, form, tmp_path / "whole" / "out"))
    out, move = tmp_path / "out", exporting.os.replace
    num_moves = len(whole) + 2
    for stop in sorted(np.random.default_rng(0).choice(num_moves, 4, replace=False)):
        left = [stop]

        def move_or_stop(source, target, left=left):
            if left[0] == 0:
                raise Interrupted("by hand")
            left[0] -= 1
            move(source, target)

        with monkeypatch.context() as patched:
            patched.setattr(exporting.os, "replace", move_or_stop)
            with pytest.raises(Interrupted, match="by hand"):
                export_quietly(ecgs, form, out)
        assert not out.exists()
        export_quietly(ecgs, form, out)
        assert contents(out) == whole
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "set", "whole"]
        shutil.rmtree(out)


def test_killed_export_goes_on_without_writing_again_what_is_finished(ecgs, tmp_path):
    killed = """
import os, signal, sys
import ecggan
from ecggan.data.exports import export, text
text.RECORDS_A_PART, move, moved = 5, os.replace, []
def move_or_die(source, target):
    moved.append(target)
    if len(moved) == 18:
        os.kill(os.getpid(), signal.SIGKILL)
    move(source, target)
export.os.replace = move_or_die
ecggan.export(ecggan.ECGSet.open(sys.argv[1]), "asc", sys.argv[2], progress=False)
"""
    command = [sys.executable, "-c", killed, str(ecgs.path), str(tmp_path / "out")]
    assert subprocess.run(command, check=False, cwd=Path(ecggan.__file__).parents[1]).returncode == -9
    unfinished = tmp_path / "out.unfinished" / "content"
    before = {path.name: path.stat().st_mtime_ns for path in unfinished.iterdir()}
    out = export_quietly(ecgs, "asc", tmp_path / "out")
    kept = [f"seed7_{i:06d}.asc" for i in range(10)]
    assert all((out / name).stat().st_mtime_ns == before[name] for name in kept)
    assert contents(out) == contents(export_quietly(ecgs, "asc", tmp_path / "b" / "out"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "out", "set"]


@pytest.mark.parametrize("form", ["asc", "parquet"])
def test_two_processes_write_the_same_bytes_as_one(ecgs, tmp_path, form, monkeypatch):
    monkeypatch.setattr(parquet, "RECORDS_A_ROW_GROUP", 256)  # what it is in other processes
    one = export_quietly(ecgs, form, tmp_path / "one" / "out", num_workers=1)
    two = export_quietly(ecgs, form, tmp_path / "two" / "out", num_workers=2)
    assert contents(one) == contents(two)


def test_another_set_may_not_go_on_with_an_unfinished_export(ecgs, tmp_path, monkeypatch):
    def stop(*_):
        raise Interrupted("by hand")

    monkeypatch.setattr(exporting, "_write_companions", stop)
    for begun in (ecgs, ecgs.subset([0, 1])):
        with pytest.raises(Interrupted, match="by hand"):
            export_quietly(begun, "asc", tmp_path / f"out{len(begun)}")
    monkeypatch.undo()
    with pytest.raises(FileExistsError, match="was begun with form=asc, not csv"):
        export_quietly(ecgs, "csv", tmp_path / "out23")
    with pytest.raises(FileExistsError, match="was begun with ecg_set="):
        export_quietly(ecgs, "asc", tmp_path / "out2")


def test_full_disk_is_noticed_before_anything_is_written(ecgs, tmp_path, monkeypatch):
    free = shutil.disk_usage(tmp_path)._replace(free=50_000)
    monkeypatch.setattr(exporting.shutil, "disk_usage", lambda _: free)
    message = r"too little space on the disk of .*out: about 0\.000188 GB are needed, 5e-05 GB are free"
    with pytest.raises(OSError, match=message):
        export_quietly(ecgs, "asc", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_disk_that_fills_up_meanwhile_keeps_what_is_finished(ecgs, tmp_path, monkeypatch):
    calls = []

    def to_text_until_full(microvolts, separator):
        calls.append(1)
        if len(calls) > exporting.NUM_WEIGHED + 7:
            raise OSError(28, "No space left on device")
        return to_text(microvolts, separator)

    with monkeypatch.context() as patched:
        patched.setattr(text, "to_text", to_text_until_full)
        with pytest.raises(OSError, match=r"no space left on the disk of .*out; make room and run the same again"):
            export_quietly(ecgs, "asc", tmp_path / "out")
    assert len(list((tmp_path / "out.unfinished" / "content").iterdir())) == 5
    assert np.array_equal(
        np.loadtxt(export_quietly(ecgs, "asc", tmp_path / "out") / "seed7_000022.asc").T, ecgs.microvolts()[22]
    )


def test_unsafe_names_become_safe_and_stay_apart(tmp_path):
    names = ["site_a/00017", "site_a_00017", "SITE_A_00017", "../../etc/passwd", "µV é", "x" * 300, ".hidden", ""]
    microvolts = np.arange(len(names) * 4, dtype=np.int16).reshape(-1, 1, 4)
    manifest = new_manifest(["I"], 500, 4, "real", {})
    ecgs = ECGSet.in_memory(microvolts, [{"record": name} for name in names], manifest)
    files = []
    for form, suffix in (("asc", ".asc"), ("wfdb", ".hea")):
        out = export_quietly(ecgs, form, tmp_path / form)
        files = [path.stem for path in out.rglob(f"*{suffix}")]
        assert len({name.casefold() for name in files}) == len(names)
        assert all(re.fullmatch("[A-Za-z0-9_-]{1,102}", name) for name in files)
        assert "site_a_00017" in files
        place = pd.read_parquet(out / "records.parquet").set_index("record")["exported_as"]
        assert len(place) == len(names)
    record = wfdb.rdrecord(str(tmp_path / "wfdb" / place["µV é"]), physical=False)
    assert np.array_equal(record.d_signal[:, 0], microvolts[4, 0])
    assert record.comments == ["kind: real", r"record: \xb5V \xe9"]
    assert {path.name for path in tmp_path.iterdir()} == {"asc", "wfdb"}


def test_many_names_that_become_one_are_told_apart_quickly():
    assert len(set(safe_names(["é"] * 100_000))) == 100_000


@pytest.mark.parametrize("form", FORMS)
def test_one_record_in_memory_is_exported_like_one_on_disk(ecgs, tmp_path, form):
    view = ecgs.subset([4])
    saved = view.save(tmp_path / "one")
    from_disk = contents(export_quietly(saved, form, tmp_path / "a"))
    rows = [dict(row) for row in saved.records.to_dict("records")]
    in_memory = ECGSet.in_memory(saved.microvolts(), rows, saved.manifest)
    from_memory = contents(export_quietly(in_memory, form, tmp_path / "b"))
    from_view = contents(export_quietly(view, form, tmp_path / "c"))
    signals = set(from_disk) - COMPANIONS
    assert signals
    assert all(from_disk[name] == from_memory[name] == from_view[name] for name in signals)


def test_view_exports_its_records_in_their_order(ecgs, tmp_path):
    view = ecgs.subset([9, 2, 17])
    out = export_quietly(view, "npz", tmp_path / "out")
    assert np.array_equal(np.load(out / "ecgs.npz")["signals"], ecgs.microvolts([9, 2, 17]))
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["num_records"], manifest["exported"]["from"]["num_records"]) == (3, NUM_RECORDS)


def test_empty_set_is_refused(ecgs, tmp_path):
    with pytest.raises(ValueError, match="the set is empty"):
        export_quietly(ecgs.subset([]), "asc", tmp_path / "out")


def test_unknown_form_names_the_known_ones(ecgs, tmp_path):
    with pytest.raises(ValueError, match="the form 'mat' is not known; known are asc, csv, wfdb, parquet, npz"):
        export_quietly(ecgs, "mat", tmp_path / "out")


def test_nothing_is_overwritten(ecgs, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("precious")
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        export_quietly(ecgs, "asc", tmp_path / "out")
    assert contents(tmp_path / "out") == {"thesis.doc": b"precious"}


def test_progress_counts_records(ecgs, tmp_path, capsys):
    ecggan.export(ecgs, "asc", tmp_path / "out")
    assert "exporting asc: 100%" in (shown := capsys.readouterr().err)
    assert "23/23" in shown
