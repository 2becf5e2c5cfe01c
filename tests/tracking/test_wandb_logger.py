import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
import wandb
from PIL import Image

from ecggan.tracking.wandb_logger import WandbLog
from tests.tracking.wandb_logs import logger
from tests.training import wandb_files
from tests.training.wandb_service import SILENT, WandbService

ROOT = Path(__file__).parents[2]
WANDB = str(Path(sys.executable).with_name("wandb"))


def log_epochs(log: WandbLog, first: int, last: int) -> None:
    """As Lightning does, which counts from 0."""
    for epoch in range(first, last):
        log.log_metrics({"epoch": float(epoch), "critic_gap": epoch / 4}, step=3 * epoch + 2)


def sync(service: WandbService, monkeypatch, *arguments: str) -> None:
    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.delenv("WANDB_SILENT")
    done = subprocess.run([WANDB, "sync", *arguments], capture_output=True, text=True, check=False)
    assert "Finished syncing" in done.stdout + done.stderr


def test_a_run_without_a_login_is_on_disk_with_all_that_was_logged(tmp_path, caplog):
    log = logger("run", entity="team")
    log.log_hyperparams({"model": {"model_size": 5}, "data": {"root": None}})
    picture = tmp_path / "epoch_0001.png"
    Image.new("RGB", (4, 3)).save(picture)
    log.log_picture("generated ECGs", picture, epoch=1)
    log_epochs(log, 0, 2)
    log.finalize("success")
    assert "not logged in to W&B: logging offline; send it later with: wandb sync run/wandb" in caplog.text
    (file,) = wandb_files.runs(tmp_path / "run")
    run = wandb_files.one(file, "run")
    assert (run.project, run.entity, run.job_type, run.display_name) == ("ecgs", "team", "train", "small")
    assert list(run.tags) == ["pulse2pulse", "deepfake"]
    assert not run.run_group
    assert wandb_files.config(file) == {"model": {"model_size": 5}, "data": {"root": None}}
    assert wandb_files.one(file, "metric").step_metric == "epoch"
    one, two = wandb_files.rows(file)  # the picture in the row of its epoch
    assert {"_step": 1, "epoch": 1, "critic_gap": 0.0, "critic_steps": 3}.items() <= one.items()
    assert {"_step": 2, "epoch": 2, "critic_gap": 0.25, "critic_steps": 6}.items() <= two.items()
    assert (file.parent / "files" / one["generated ECGs.path"]).read_bytes() == picture.read_bytes()


def test_runs_of_a_sweep_are_runs_of_one_group_in_one_process(tmp_path):
    for number in (0, 1):
        folder = tmp_path / "runs" / "lr" / str(number)
        log = logger(folder, hydra_mode="RunMode.MULTIRUN", sweep_folder=folder.parent)
        log_epochs(log, 0, 1)
        log.finalize("success")
    runs = [wandb_files.one(wandb_files.runs(tmp_path / "runs" / "lr" / number)[0], "run") for number in "01"]
    assert runs[0].run_id != runs[1].run_id
    assert [run.run_group for run in runs] == ["runs-lr", "runs-lr"]
    named = logger("other", group="mine", hydra_mode="RunMode.MULTIRUN")
    assert named._wandb_init["group"] == "mine"


def test_pieces_of_a_training_that_were_logged_offline_become_one_run(tmp_path, monkeypatch):
    for first, last in ((0, 3), (3, 5)):
        log = logger("run")
        log_epochs(log, first, last)
        log.finalize("success")
    one, two = (wandb_files.one(file, "run") for file in wandb_files.runs(tmp_path / "run"))
    assert one.run_id == two.run_id == (tmp_path / "run" / "wandb_id.txt").read_text().strip()
    with WandbService() as service:
        sync(service, monkeypatch, "run/wandb")
        assert [row["epoch"] for row in service.history[one.run_id]] == [1, 2, 3, 4, 5]
    assert len(service.history) == 1


def test_a_training_that_goes_on_online_sends_no_epoch_twice(monkeypatch):
    with WandbService() as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        for first, last in ((0, 3), (2, 4)):  # killed before its checkpoint, the third epoch is trained once more
            log = logger("run", start_timeout_s=20, finish_timeout_s=20)
            log_epochs(log, first, last)
            log.finalize("success")
    ((run, rows),) = service.history.items()
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert [told["groupName"] for told in service.runs[run]][:1] == [None]


def test_a_piece_that_is_sent_after_a_later_one_takes_nothing_from_it(monkeypatch):
    first = logger("run")
    log_epochs(first, 0, 3)
    first.finalize("success")
    wandb.teardown()
    with WandbService() as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        second = logger("run", start_timeout_s=20, finish_timeout_s=20)
        log_epochs(second, 3, 5)
        second.finalize("success")
        sync(service, monkeypatch, "run/wandb")
    assert sorted(row["epoch"] for row in service.history[first.experiment.id]) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("fails", "why"),
    [("away", "no answer within 1 s"), (500, "no answer within 1 s"), (SILENT, "no answer within 1 s"), (401, "401")],
)
def test_a_service_that_cannot_be_used_costs_a_warning_and_no_time(tmp_path, monkeypatch, caplog, fails, why):
    with WandbService(None if fails == "away" else fails) as service:
        environment = service.environment()  # WANDB_MODE=online among it
        if fails == "away":
            environment["WANDB_BASE_URL"] = "http://127.0.0.1:9"
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        begun = time.monotonic()
        log = logger("run")
        log_epochs(log, 0, 2)
        log.finalize("success")
        assert time.monotonic() - begun < 10
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert why in said
    assert said.endswith("logging offline; send it later with: wandb sync run/wandb")
    (file,) = wandb_files.runs(tmp_path / "run")
    assert file.parent.name.startswith("offline-run-")
    assert [row["epoch"] for row in wandb_files.rows(file)] == [1, 2]


def test_a_key_that_is_none_is_not_sent_but_said(monkeypatch, caplog):
    monkeypatch.setenv("WANDB_API_KEY", "short")
    log = logger("run")
    log_epochs(log, 0, 1)
    log.finalize("success")
    assert "logging offline" in caplog.text
    assert log.experiment.offline


@pytest.mark.full
def test_a_training_outlives_the_process_that_wandb_logs_with(tmp_path):
    program = """
import logging, psutil, sys
from ecggan.tracking.wandb_logger import WandbLog
logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stdout)
log = WandbLog("ecgs", None, None, "train", "name", [], sys.argv[1], True, 5, 60, "RunMode.RUN", "")
log.log_metrics({"epoch": 0.0, "critic_gap": 1.0}, step=1)
(process,) = (child for child in psutil.Process().children(recursive=True) if "wandb-core" in child.name())
process.kill()
process.wait()
log.log_hyperparams({"seed": 0})
log.log_metrics({"epoch": 1.0, "critic_gap": 1.0}, step=2)
log.finalize("success")
print("trained")
"""
    environment = {**os.environ, "WANDB_MODE": "offline"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    warning, end = (line for line in done.stdout.splitlines() if line.startswith(("ecggan", "trained")))
    assert warning.startswith("ecggan.tracking.wandb_logger: W&B logs no more of this run (")
    assert warning.endswith(f"wandb sync --include-online {os.path.relpath(tmp_path, ROOT)}/run/wandb")
    assert end == "trained"


@pytest.mark.slow
@pytest.mark.parametrize("then", [pytest.param(500, marks=pytest.mark.full), SILENT])
def test_what_a_service_that_goes_away_did_not_receive_can_be_sent_later(tmp_path, monkeypatch, caplog, then):
    with WandbService() as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        log = logger("run", start_timeout_s=20)
        log_epochs(log, 0, 2)
        service.fails = then
        log_epochs(log, 2, 4)
        begun = time.monotonic()
        log.finalize("success")
        assert time.monotonic() - begun < 8
        run = log.experiment.id
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    what, _, command = said.partition("; send the rest with: wandb sync ")
    assert what == "W&B did not receive all within 2 s"
    monkeypatch.setenv("WANDB_BASE_URL", "")
    with WandbService() as service:
        sync(service, monkeypatch, *command.split())
    assert [row["epoch"] for row in service.history[run]] == [1, 2, 3, 4]


def test_the_best_and_the_last_generator_become_artifacts_where_asked(tmp_path):
    checkpoints = tmp_path / "run" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for epoch in (1, 2, 3):
        torch.save({"epoch": epoch}, checkpoints / f"generator_epoch_000{epoch}.pt")
    pd.DataFrame({"epoch": [1, 2, 3], "physiological_distance": [0.3, 0.1, 0.2]}).to_csv(
        checkpoints / "physiology.csv", index=False
    )
    log = logger("run", checkpoints=True)
    log_epochs(log, 0, 3)
    log.finalize("success")
    artifacts = wandb_files.artifacts(wandb_files.runs(tmp_path / "run")[0])
    assert {f"generator-{log.experiment.id}"} == {artifact.name for artifact in artifacts}
    entries = [artifact.manifest.contents[0] for artifact in artifacts]
    assert [entry.path for entry in entries] == ["generator_epoch_0002.pt", "generator_epoch_0003.pt"]
    assert [entry.local_path for entry in entries] == [str(checkpoints / entry.path) for entry in entries]  # no copies
    assert [set(artifact.aliases) for artifact in artifacts] == [{"best", "latest"}, {"last", "latest"}]
    assert {artifact.type for artifact in artifacts} == {"model"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start_timeout_s": 0}, "logger.wandb.start_timeout_s must be a whole number, at least 1; got 0"),
        ({"finish_timeout_s": -1}, "logger.wandb.finish_timeout_s must be a whole number, at least 1; got -1"),
    ],
)
def test_a_time_that_is_none_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        logger("run", **changes)


@pytest.mark.full
def test_wandb_is_imported_by_the_first_process_alone_and_when_the_run_begins():
    program = """
import sys
from pytorch_lightning.utilities import rank_zero_only
import ecggan.training.train, ecggan.tracking.csv_logger
from ecggan.tracking.wandb_logger import WandbLog
rank_zero_only.rank = 1
log = WandbLog("ecgs", None, None, "train", "name", [], "run", True, 5, 60, "RunMode.RUN", "")
log.experiment.log({"critic_gap": 1})
log.log_hyperparams({"seed": 0})
log.log_metrics({"epoch": 0.0, "critic_gap": 1.0}, step=1)
log.log_picture("generated ECGs", "none.png", epoch=1)
log.finalize("success")
print("wandb" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("False\n", "")
