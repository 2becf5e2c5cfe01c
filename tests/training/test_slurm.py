"""Against a scontrol that answers what it is told to."""

import logging
import os
from pathlib import Path

import pytest
from pytorch_lightning.plugins.environments import LightningEnvironment, SLURMEnvironment

from ecggan.training import slurm


@pytest.fixture
def scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def answers(line: str) -> None:
        (tmp_path / "scontrol").write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "scontrol").chmod(0o755)

    return answers


@pytest.mark.parametrize(
    ("state", "may"),
    [
        ("JobState=RUNNING Requeue=1 Restarts=0", True),
        ("JobState=PREEMPTED Requeue=1", True),
        ("JobState=RUNNING Requeue=0", False),
        ("JobState=CANCELLED Reason=None Requeue=1", False),
    ],
)
def test_a_job_comes_back_where_it_may_and_nobody_cancelled_it(scontrol, state, may):
    scontrol(f'echo "JobId=5 JobName=gan {state} WorkDir=/a=b"')
    assert slurm.may_be_requeued("5") is may


def test_a_job_that_cannot_be_queued_again_says_so_in_one_line(scontrol, caplog):
    scontrol("echo slurm_requeue error: Access denied >&2; exit 1")
    slurm.requeue("5", "run/checkpoints/last.ckpt")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (
        "job 5 could not be queued again: scontrol requeue 5: slurm_requeue error: Access denied; submit it again, the "
        "checkpoint is run/checkpoints/last.ckpt"
    )
    assert not slurm.may_be_requeued("5")


def test_no_scontrol_is_no_traceback(caplog, monkeypatch):
    monkeypatch.setenv("PATH", "")
    slurm.requeue("5", "last.ckpt")
    assert "No such file or directory: 'scontrol'" in caplog.text


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch):
    def of(**variables: object) -> None:
        for name in [name for name in os.environ if name.startswith("SLURM_")]:
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(f"SLURM_{name}", str(value))

    return of


def test_a_script_without_srun_trains_alone_however_many_tasks_its_job_asked_for(job):
    for step in ({}, {"STEP_ID": 0xFFFFFFFA}, {"STEPID": 0xFFFFFFFB}):
        job(JOB_ID=77, JOB_NAME="gan", NTASKS=4, PROCID=0, **step)
        assert isinstance(slurm.cluster_environment(), LightningEnvironment)


def test_tasks_that_lightning_does_not_support_are_told_what_to_ask_for(job):
    job(JOB_ID=77, JOB_NAME="gan", NTASKS=4, STEP_ID=0, PROCID=0)
    with pytest.raises(ValueError, match=r"--ntasks=4, .* ask for --ntasks=1 for one device, for --ntasks-per-node=N"):
        slurm.cluster_environment()


def test_the_tasks_of_srun_are_the_processes_of_a_training(job):
    for tasks in ({"NTASKS": 1}, {"NTASKS": 4, "NTASKS_PER_NODE": 4}):
        job(JOB_ID=77, JOB_NAME="gan", STEP_ID=0, PROCID=0, **tasks)
        environment = slurm.cluster_environment()
        assert isinstance(environment, SLURMEnvironment)
        assert not environment.auto_requeue
    job(JOB_ID=77, JOB_NAME="bash", NTASKS=4)
    assert slurm.cluster_environment() is None
    job()
    assert slurm.cluster_environment() is None
