"""Against a scontrol that answers what it is told to."""

import logging
from pathlib import Path

import pytest

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
