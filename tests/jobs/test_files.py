"""Files stand for an ECG set where they state all that is needed; where they do not, one line says what to add."""

import json
import shutil
from functools import partial

import numpy as np
import pytest

from ecggan.data.exports.export import export
from ecggan.data.record import Layout
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS
from ecggan.jobs import Pack
from ecggan.jobs.base import open_set
from ecggan.jobs.report import named_sets, open_sets
from tests.data.packers import packer
from tests.runs import run_in_process

PATTERNS = ("*.hea", "*.asc", "*.csv", "*.npy", "*.npz", "*.parquet", "*.zip")
STATED = {"leads": list(EIGHT_LEADS), "sampling_rate": 500, "unit": "uV"}


@pytest.fixture
def files(tmp_path, paper_format):
    selection = Selection(None, None, None, None)
    rest = {"patterns": PATTERNS, "layout": Layout(), "validation": 0.1, "test": 0.1}
    return {"source": partial(folder_set, packer=packer(paper_format, tmp_path / "cache"), selection=selection, **rest)}


@pytest.mark.parametrize("form", ["asc", "csv", "wfdb", "parquet", "npz"])
def test_an_export_of_a_set_stands_for_the_set(form, files, generated, tmp_path):
    export(generated, form, tmp_path / "theirs")
    ecgs = open_set("generated", tmp_path / "theirs", files, "generated")
    assert ecgs.kind == "generated"
    assert "split" not in ecgs.records  # of real ones the split `train` would count as a generator's training ECGs
    assert np.array_equal(ecgs.microvolts(), generated.microvolts())


@pytest.mark.parametrize("form", ["asc", "npy"])
def test_files_of_others_stand_for_a_set_beside_what_they_do_not_state(form, files, generated, tmp_path):
    folder = tmp_path / "drawn (1)"
    folder.mkdir()
    (folder / "ecg.json").write_text(json.dumps(STATED), encoding="utf-8")
    for i, record in enumerate(generated.microvolts()):
        if form == "npy":
            np.save(folder / f"{i}.npy", record)
        else:
            np.savetxt(folder / f"{i}.asc", record.T, fmt="%d")
    (ecgs,) = open_sets(named_sets([folder]), files).values()
    assert np.array_equal(ecgs.microvolts(), generated.microvolts())


def test_no_generated_ecg_is_left_out_for_its_looks_or_as_a_copy(files, known_ecg, tmp_path):
    first, second = known_ecg(2)
    theirs = ECGSet.from_arrays(np.stack([first, first, np.zeros_like(first), second * 5]), EIGHT_LEADS, 500)
    export(theirs, "npz", tmp_path / "theirs")
    assert len(open_set("generated", tmp_path / "theirs", files, "generated")) == 4
    real = open_set("real", tmp_path / "theirs", files)
    assert real.kind == "real"
    assert set(real.manifest["account"]["left_out"]) == {"duplicate", "flat", "amplitude"}


def test_what_files_do_not_state_is_asked_for_in_one_line(files, generated, tmp_path):
    (tmp_path / "theirs").mkdir()
    np.savetxt(tmp_path / "theirs" / "0.asc", generated.microvolts()[0].T, fmt="%d")
    with pytest.raises(ValueError, match="its leads and sampling rate and unit are not known") as caught:
        open_set("training", tmp_path / "theirs", files)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"training={tmp_path / 'theirs'} is no ECG set")
    for remedy in (
        "files=deepfake_asc",
        "files.layout.unit=uV",
        "ecg.json",
        "evaluate.py job=pack data=… data.kind=real",
    ):
        assert remedy in line
    assert "data.layout" not in line


def test_a_damaged_set_is_not_taken_for_files(files, generated, tmp_path):
    generated.save(tmp_path / "set")
    for name in ("manifest.json", "signals.npy"):
        shutil.copytree(tmp_path / "set", tmp_path / name)
        (tmp_path / name / name).unlink()
        with pytest.raises(FileNotFoundError, match=f"is not an ECG set: {name} is missing"):
            open_set("generated", tmp_path / name, files, "generated")


def test_a_run_is_told_to_draw_first(files, tmp_path):
    run = tmp_path / "my run"
    run.mkdir()
    (run / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=f"python generate.py 'run={run}' out=DIR"):
        open_set("generated", run, files, "generated")


def test_without_a_way_to_read_files_a_folder_is_told_the_job(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"manifest\.json is missing; of ECG files, .*job=pack"):
        open_set("generated", tmp_path, None, "generated")


def test_a_source_is_packed_as_a_set_of_all_its_splits(real, tmp_path):
    result = Pack(data={"source": lambda: real, "split": "test"}, out=tmp_path / "set").run()
    assert result.text == f"4 real ECGs of 8 leads, all splits: 2 train, 2 test\nSaved to {tmp_path / 'set'}"
    packed = ECGSet.open(tmp_path / "set")
    assert np.array_equal(packed.microvolts(), real.microvolts())
    assert packed.records["split"].tolist() == ["train", "train", "test", "test"]


def test_the_published_ecgs_are_judged_from_their_files(shared_data, shared_cases, tmp_path):
    """The folder of shared_cases / generated-files holds no input of its own."""
    assert (shared_cases / "generated-files").is_dir()
    theirs = shared_data / "deepfake_asc"
    asked = run_in_process("evaluate", "data=ptbxl", "data.root=x", f"generated={theirs}", "out=report", cwd=tmp_path)
    (line,) = [line for line in asked.stderr.splitlines() if line.startswith("error")]
    assert "files=deepfake_asc" in line
    arguments = ("job=pack", f"real={theirs}", "files=deepfake_asc", "num_workers=1", "out=from_files")
    done = run_in_process("evaluate", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    arguments = (
        "job=pack",
        "data=deepfake_asc",
        f"data.root={theirs}",
        "data.kind=generated",
        "num_workers=1",
        "out=set",
    )
    done = run_in_process("evaluate", *arguments, cwd=tmp_path)
    assert "3 generated ECGs of 8 leads, all splits: 2 train, 1 test\nSaved to set" in done.stdout, done.stderr
    expected = np.stack([np.loadtxt(theirs / f"{number}.asc").T[:, :5000] for number in (101, 102, 103)])
    for name in ("from_files", "set"):
        assert np.array_equal(ECGSet.open(tmp_path / name).microvolts(), np.rint(expected))
