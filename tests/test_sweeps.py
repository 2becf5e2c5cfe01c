"""Sweeps as users run them: grids and searches, cut short and gone on with, and gathered into one table."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from omegaconf import OmegaConf

from tests.runs import SMALL, command, run, run_in_process

pytestmark = [pytest.mark.slow, pytest.mark.independent]
SEARCH = (
    "sweep=optuna",
    *SMALL,
    "sweep.num_runs=4",
    "callbacks.physiology.every_n_epochs=1",
    "callbacks.checkpoints.every_n_epochs=1",
    "out=sweep",
)


def starts(folder: Path) -> list[dict]:
    return json.loads((folder / "run.json").read_text())["starts"]


def test_a_grid_of_which_one_run_fails_trains_the_others_and_is_gathered(trained):
    grid = ("-m", *SMALL, "model.gan.learning_rate=-1,1e-4", "model=pulse2pulse,wavegan_star", "out=sweep")
    done = run_in_process("train", *grid, cwd=trained)
    assert done.returncode == 1
    assert "ERROR: sweep/0: Invalid learning rate: -1" in done.stderr
    gathering = run_in_process("evaluate", "job=sweep", "multirun=sweep", "out=table", cwd=trained)
    assert gathering.returncode == 0, gathering.stderr
    written = trained / "table"
    for gathered in (pd.read_csv(written / "sweep.csv"), pd.read_parquet(written / "sweep.parquet")):
        table = gathered.set_index(gathered["run"].astype(int), drop=False)
        assert table["state"].to_dict() == {0: "failed", 1: "failed", 2: "complete", 3: "complete"}
        assert table["model"].to_dict() == dict(enumerate(["pulse2pulse", "wavegan_star"] * 2))
        assert table["model.gan.learning_rate"].to_dict() == {0: -1, 1: -1, 2: 1e-4, 3: 1e-4}
        assert table.columns[-2:].tolist() == ["model.gan.learning_rate", "model"]
        assert table.loc[2, "epochs"] == 2
        curve = pd.read_csv(trained / "sweep" / "2" / "checkpoints" / "physiology.csv")
        assert table.loc[2, "physiological_distance"] == pytest.approx(curve["physiological_distance"].min())
    assert (trained / "table" / "sweep.png").stat().st_size > 5000


@pytest.mark.full
def test_a_search_that_is_killed_goes_on_and_repeats_nothing(trained):
    environment = {**os.environ, "ECGGAN_CACHE": str(trained / "cache"), "WANDB_MODE": "offline"}
    with open(trained / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command("train", *SEARCH), cwd=trained, env=environment, stdout=log, stderr=log)
        second = trained / "sweep" / "1" / "checkpoints" / "generator_epoch_0001.pt"
        deadline = time.monotonic() + 120
        while not second.exists():
            assert process.poll() is None, (trained / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = run_in_process("train", *SEARCH, cwd=trained)
    assert done.returncode == 0, done.stderr
    assert "Run 0 of the sweep has ended (complete, distance " in done.stdout
    assert [len(starts(trained / "sweep" / str(number))) for number in range(4)] == [1, 2, 1, 1]
    again = run_in_process("train", *SEARCH, cwd=trained)
    assert again.stdout.count("has ended (complete") == 4
    assert "Saved to" not in again.stdout
    gathered = run_in_process("evaluate", "job=sweep", "multirun=sweep", "out=table", cwd=trained)
    assert gathered.returncode == 0, gathered.stderr
    table = pd.read_csv(trained / "table" / "sweep.csv", float_precision="round_trip")
    assert table["physiological_distance"].is_monotonic_increasing
    assert table["model.gan.learning_rate"].nunique() == 4
    for number, rate in zip(table["run"], table["model.gan.learning_rate"], strict=True):
        config = OmegaConf.load(trained / "sweep" / str(number) / ".hydra" / "config.yaml")
        assert config.model.gan.learning_rate == rate
    other = run_in_process("train", *SEARCH, f"sweep.storage={trained}/other.journal", "seed=9", cwd=trained)
    assert other.returncode == 1
    assert other.stderr.count("ERROR: sweep/") == 4
    assert "holds a run that was not given model.gan.learning_rate=" in other.stderr


@pytest.mark.full
def test_a_search_takes_a_run_that_diverges_for_a_failure_and_ends_the_hopeless_early(trained):
    space = "sweep.space={model.gan.learning_rate:[1e30,1e-4],model.model_size:[5,6]}"
    pruning = ("sweep.pruner.n_startup_trials=1", "sweep.pruner.percentile=0.0", "trainer.max_epochs=3")
    storage = f"sweep.storage=sqlite:///{trained}/study.db"
    search = (*SEARCH, space, *pruning, storage, "sweep.num_runs=4", "callbacks.physiology.num_records=16")
    done = run_in_process("train", *search, cwd=trained)
    assert done.returncode == 0, done.stderr
    assert (trained / "study.db").exists()
    gathered = run_in_process("evaluate", "job=sweep", "multirun=sweep", "out=table", cwd=trained)
    table = pd.read_csv(trained / "table" / "sweep.csv").sort_values("run")
    diverged = table["model.gan.learning_rate"] > 1
    assert diverged.any(), gathered.stdout
    assert (table.loc[diverged, "state"] == "failed").all()
    assert table.loc[~diverged, "state"].isin(["complete", "ended early"]).all()
    again = run_in_process("train", *search, cwd=trained)
    assert again.stdout.count("has ended (fail, distance None)") == diverged.sum()
    assert again.stdout.count("has ended (pruned") == (table["state"] == "ended early").sum()


@pytest.mark.full
def test_the_processes_of_a_run_search_together(trained):
    two = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    done = run("train", *SEARCH, *two, "sweep.num_runs=2", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Saved to") == 2
    again = run_in_process("train", *SEARCH, *two, "sweep.num_runs=2", cwd=trained)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("has ended (complete") == 2


def test_a_search_without_a_distance_is_refused(tmp_path):
    done = run_in_process("train", *SEARCH, "~callbacks.physiology", cwd=tmp_path)
    assert done.returncode == 1
    assert "sweep= makes the physiological distance small: it needs callbacks.physiology" in done.stderr


def test_a_folder_without_runs_is_no_sweep(tmp_path):
    done = run_in_process("evaluate", "job=sweep", f"multirun={tmp_path}", "out=table", cwd=tmp_path)
    assert done.returncode == 1
    assert "holds no runs: it must be the out= of a sweep of train.py" in done.stderr
