import json
import subprocess
from pathlib import Path

import numpy as np
import torch

import ecggan
from ecggan.data.sets.ecg_set import ECGSet, new_manifest
from ecggan.ecg import EIGHT_LEADS
from ecggan.training.provenance import RunRecord, code_revision, data_set, device_name


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_revision_of_a_checkout_and_whether_it_was_changed(tmp_path):
    file = tmp_path / "code.py"
    file.write_text("a = 1\n")
    assert code_revision(file) is None  # no repository
    git(tmp_path, "init")
    assert code_revision(file) is None  # it merely lies in one
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-m", "one")
    (tmp_path / "run").mkdir()  # not of the code
    revision = git(tmp_path, "rev-parse", "HEAD").strip()
    assert code_revision(file) == {"revision": revision, "changed": False}
    file.write_text("a = 2\n")
    assert code_revision(file) == {"revision": revision, "changed": True}


def test_each_start_adds_itself(tmp_path):
    for seed in (1, 2):
        RunRecord(tmp_path, {"command": ["train.py"], "seed": seed}).begin()
    starts = json.loads((tmp_path / "run.json").read_text())["starts"]
    assert [start["seed"] for start in starts] == [1, 2]
    assert starts[0]["ecggan"] == ecggan.__version__
    assert starts[0]["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert {"python", "torch", "pytorch-lightning", "numpy"} == set(starts[0]["versions"])
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_the_data_set_is_told_by_its_hashes_and_counts(tmp_path):
    rows = [{"record": str(i), "split": split} for i, split in enumerate(["train", "test", "train"])]
    manifest = new_manifest(EIGHT_LEADS, 500, 100, "real", made_by={"how": "by hand"})
    ecgs = ECGSet.in_memory(np.zeros((3, 8, 100), dtype=np.int16), rows, manifest).save(tmp_path / "set")
    ecgs.manifest["account"] = {"read": 5, "kept": 3, "left_out": {"flat": [{"record": "a"}, {"record": "b"}]}}
    told = data_set(ecgs)
    assert told["sha256"] == ecgs.manifest["sha256"]
    assert set(told["sha256"]) == {"signals.npy", "records.parquet"}
    assert told["account"] == {"read": 5, "kept": 3, "left_out": {"flat": 2}}
    assert told["num_records_by_split"] == {"test": 1, "train": 2}
    json.dumps(told)


def test_a_device_has_a_name():
    assert device_name(torch.device("cpu")).startswith("cpu (")
