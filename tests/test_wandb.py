"""What the commands log to W&B, and that they need it for nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.runs import SMALL, command
from tests.training import wandb_files

TINY = (
    *SMALL,
    "logger=wandb",
    "batch_size=2",
    "trainer.limit_train_batches=1",
    "model.gan.n_critic=1",
    "model.gan.discriminator.model_size=1",
    "callbacks.pictures.num_records=1",
)
UNREACHABLE = {"WANDB_API_KEY": "0123456789" * 4, "WANDB_BASE_URL": "http://127.0.0.1:9"}


def train(cwd: Path, *arguments: str, **environment: str) -> str:
    left = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    done = subprocess.run(
        command("train", *arguments),
        cwd=cwd,
        env={**left, "ECGGAN_CACHE": str(cwd / "cache"), "WANDB_CONFIG_DIR": str(cwd), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.full
def test_a_training_begun_without_the_service_and_gone_on_with_is_one_run_with_its_config(tmp_path):
    said = train(tmp_path, *TINY, "out=run", **UNREACHABLE)
    warning = "WARNING: W&B could not be used (no answer within 5 s): logging offline; send it later with: wandb sync"
    assert said.count(f"{warning} run/wandb\n") == said.count("WARNING: ") == 1
    train(tmp_path, *TINY, "trainer.max_epochs=3", "out=run", "resume=auto", WANDB_MODE="offline")
    first, second = wandb_files.runs(tmp_path / "run")
    one, two = (wandb_files.one(file, "run") for file in (first, second))
    assert one.run_id == two.run_id
    assert (one.project, one.job_type, one.display_name, one.run_group) == ("ecggan", "train", "quickstart", "")
    assert list(one.tags) == ["pulse2pulse", "deepfake", "quickstart"]
    config = wandb_files.config(second)
    assert config["model"]["model_size"] == 5
    assert config["model"]["gan"]["generator"]["model_size"] == 5  # resolved
    assert config["trainer"]["max_epochs"] == 3
    assert config["logger"]["wandb"]["checkpoints"] is False
    rows = [*wandb_files.rows(first), *wandb_files.rows(second)]
    assert [(row["epoch"], row["critic_steps"]) for row in rows] == [(1, 1), (2, 2), (3, 3)]
    assert all({"critic_loss", "gradient_penalty", "generator_loss"} <= row.keys() for row in rows)
    assert "physiological_distance" in rows[1]
    assert [int("generated ECGs.path" in row) for row in rows] == [1, 1, 1]


@pytest.mark.full
def test_two_processes_train_together_and_log_one_run(tmp_path):
    ddp = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "~callbacks.physiology")
    said = train(tmp_path, *TINY, *ddp, "out=run", WANDB_MODE="offline")
    (file,) = wandb_files.runs(tmp_path / "run")
    assert [row["epoch"] for row in wandb_files.rows(file)] == [1, 2]
    assert said.count("Run data is saved locally") == 1
    assert (tmp_path / "run" / "checkpoints" / "generator_epoch_0002.pt").exists()


@pytest.mark.full
def test_the_runs_of_a_sweep_are_runs_of_its_group(tmp_path):
    options = ("seed=0,1", "trainer.max_epochs=1", "~callbacks.physiology", "out=sweeps/seeds")
    train(tmp_path, "-m", *TINY, *options, WANDB_MODE="offline")
    runs = [wandb_files.one(*wandb_files.runs(tmp_path / "sweeps" / "seeds" / number), "run") for number in "01"]
    assert [run.run_group for run in runs] == ["sweeps-seeds"] * 2
    assert runs[0].run_id != runs[1].run_id
    seeds = [wandb_files.config(*wandb_files.runs(tmp_path / "sweeps" / "seeds" / number))["seed"] for number in "01"]
    assert seeds == [0, 1]
