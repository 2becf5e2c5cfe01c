import json

import pytest

from ecggan.jobs import Sweep


def test_a_sweep_must_be_given():
    with pytest.raises(ValueError, match="multirun must be given: multirun=SWEEP"):
        Sweep(out="out")


def test_a_folder_without_runs_is_no_sweep(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no runs: it must be the out= of a sweep"):
        Sweep(multirun=tmp_path, out=tmp_path / "out").run()


def test_the_runs_of_a_sweep_are_one_table(tmp_path):
    for number, seed in enumerate((7, 8)):
        folder = tmp_path / "sweep" / str(number)
        folder.mkdir(parents=True)
        starts = [{"given": [f"seed={seed}"], "time": "2026-01-01T00:00:00+00:00", "end": None}]
        (folder / "run.json").write_text(json.dumps({"starts": starts}))
    result = Sweep(multirun=tmp_path / "sweep", out=tmp_path / "out").run()
    assert result.value["seed"].tolist() == [7, 8]
    assert (tmp_path / "out" / "sweep.csv").is_file()
    assert str(result).endswith(f"\nSaved to {tmp_path / 'out'}")
