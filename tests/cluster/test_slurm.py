"""On a real Slurm: jobs of several tasks, and jobs that are pre-empted and come back."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.generation.generate import generate
from ecggan.measurement.measure_set import measure
from tests.cluster.one_node_slurm import URGENT, cluster, missing
from tests.runs import ROOT, SMALL, WHOLE, assert_same_end, command, run

pytestmark = pytest.mark.slow
_LONGEST_S = 240
_SMALL_JOBS = ("gpus_per_node=null", "cpus_per_task=1", "mem_gb=1")
LAUNCHER = ("hydra/launcher=slurm", *(f"hydra.launcher.{less}" for less in _SMALL_JOBS))


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> dict[str, str]:
    """The environment of a cluster of two cores, with a cache for packed sets."""
    if missing() or os.geteuid() != 0:
        pytest.skip(f"no Slurm to test on: {', '.join(missing()) or 'root'} is missing (apt install slurm-wlm munge)")
    folder = tmp_path_factory.mktemp("slurm")
    with cluster(folder) as environment:
        yield {**environment, "ECGGAN_CACHE": str(folder / "cache"), "WANDB_MODE": "offline"}


@pytest.fixture
def submit(slurm, tmp_path) -> Callable[..., str]:
    """Submit a script of one step; gives the number of the job."""

    def submit(step: str, *options: str) -> str:
        script = tmp_path / "job.sh"
        script.write_text(f"#!/bin/bash\nsrun {step}\n")
        command = ["sbatch", "--parsable", f"--output={tmp_path}/%j.out", "--open-mode=append", *options, str(script)]
        done = subprocess.run(command, env=slurm, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return submit


@pytest.fixture
def facts(slurm) -> Callable[[str], dict[str, str]]:
    """What Slurm says of a job."""

    def facts(job: str) -> dict[str, str]:
        command = ["scontrol", "show", "job", "--oneliner", job]
        done = subprocess.run(command, env=slurm, capture_output=True, text=True, check=True)
        return dict(word.split("=", 1) for word in done.stdout.split() if "=" in word)

    return facts


def wait_for(is_so: Callable[[], bool], what: str, log: Path) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while not is_so():
        assert time.monotonic() < deadline, (
            f"{what} took too long:\n{log.read_text(encoding='utf-8') if log.exists() else 'no log'}"
        )
        time.sleep(0.2)


def train(*arguments: str) -> str:
    return " ".join([sys.executable, str(ROOT / "train.py"), *arguments])


@pytest.mark.full
def test_a_job_that_is_pre_empted_comes_back_and_ends_as_one_that_was_not(submit, facts, whole, tmp_path):
    job = submit(train(*WHOLE, "out=again", "resume=auto"), "--requeue", "--signal=USR1@30", "--ntasks=1")
    log = tmp_path / f"{job}.out"
    kept = tmp_path / "again" / "checkpoints"
    wait_for((kept / "generator_epoch_0003.pt").exists, "the third epoch", log)
    urgent = submit("sleep 2", f"--partition={URGENT}", "--ntasks=2")
    wait_for(lambda: facts(urgent)["JobState"] == "COMPLETED", "the urgent job", log)
    wait_for(lambda: facts(job)["JobState"] in ("COMPLETED", "FAILED"), "the job that came back", log)
    assert facts(job)["JobState"] == "COMPLETED", log.read_text()
    assert facts(job)["Restarts"] == "1"
    assert "resume with resume=" in log.read_text()
    assert_same_end(whole, tmp_path / "again")
    metrics = Path("logs", "metrics.csv")
    assert (tmp_path / "again" / metrics).read_text() == (whole / metrics).read_text()


@pytest.mark.full
def test_a_job_of_two_tasks_trains_as_two_processes_do(submit, facts, tmp_path):
    two = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    job = submit(train(*SMALL, *two, "out=tasks"), "--ntasks=2", "--ntasks-per-node=2")
    log = tmp_path / f"{job}.out"
    wait_for(lambda: facts(job)["JobState"] in ("COMPLETED", "FAILED"), "the job", log)
    assert facts(job)["JobState"] == "COMPLETED", log.read_text()
    assert log.read_text().count("Saved to tasks") == 1
    assert run("train", *SMALL, *two, "out=processes", cwd=tmp_path).returncode == 0
    tasks, processes = (
        torch.load(tmp_path / out / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
        for out in ("tasks", "processes")
    )
    for name, tensor in tasks.items():
        assert torch.equal(tensor, processes[name]), name


@pytest.mark.full
def test_a_sweep_is_a_job_a_run_and_goes_on_where_it_was(slurm, tmp_path):
    sweep = ("-m", *SMALL, *LAUNCHER, "seed=1,2", "out=sweep", "resume=auto")
    for ended in range(2):
        done = run("train", *sweep, cwd=tmp_path, environment=slurm, longest_s=_LONGEST_S)
        assert done.returncode == 0, done.stderr
        logs = [log.read_text() for log in sorted((tmp_path / "sweep" / "slurm").rglob("*_log.out"))]
        assert sum("Saved to" in log for log in logs) == 2
        assert sum("is complete: 2 epochs" in log for log in logs) == 2 * ended
    for job, seed in enumerate((1, 2)):
        (start,) = json.loads((tmp_path / "sweep" / str(job) / "run.json").read_text())["starts"]
        assert start["seed"] == seed
        assert start["slurm_job"]
        assert (tmp_path / "sweep" / str(job) / "checkpoints" / "generator_epoch_0002.pt").exists()


@pytest.mark.full
def test_a_search_on_the_devices_of_a_node_is_a_job_a_run_too(slurm, tmp_path):
    node = ("hydra/launcher=slurm_node", *(option for option in LAUNCHER if not option.startswith("hydra/")))
    two = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    search = ("sweep=optuna", *SMALL, *node, *two, "sweep.num_runs=2", "out=search")
    done = run("train", *search, cwd=tmp_path, environment=slurm)
    assert done.returncode == 0, done.stderr
    runs = [json.loads((tmp_path / "search" / str(job) / "run.json").read_text())["starts"][-1] for job in range(2)]
    assert len({start["slurm_job"] for start in runs}) == 2
    assert len({given for start in runs for given in start["given"] if "learning_rate" in given}) == 2
    assert all(len(start["devices"]) == 2 for start in runs)


@pytest.mark.full
def test_a_run_of_a_sweep_whose_time_is_up_comes_back_and_ends_as_one_that_had_enough(slurm, whole, tmp_path):
    """Submitit has Slurm send SIGUSR2 to the tasks some time before the end; here it is sent after three epochs."""
    sweep = command("train", "-m", *WHOLE, *LAUNCHER, "seed=0", "out=sweep", "resume=auto")
    log = tmp_path / "launcher.log"
    with log.open("w") as said:
        launcher = subprocess.Popen(sweep, env=slurm, cwd=tmp_path, stdout=said, stderr=said)
    ours = tmp_path / "sweep" / "0"
    wait_for((ours / "checkpoints" / "generator_epoch_0003.pt").exists, "the third epoch", log)
    (start,) = json.loads((ours / "run.json").read_text())["starts"]
    subprocess.run(["scancel", "--signal=USR2", start["slurm_job"]], env=slurm, check=True)
    wait_for(lambda: launcher.poll() is not None, "the sweep", log)
    assert launcher.returncode == 0, log.read_text()
    starts = json.loads((ours / "run.json").read_text())["starts"]
    assert [start["end"]["how"] for start in starts] == ["interrupted", "complete"]
    assert_same_end(whole, ours)


@pytest.mark.full
def test_ecgs_are_drawn_by_jobs_as_on_this_machine(slurm, tmp_path):
    jobs = ("compute=slurm", "compute.num_workers=2", "compute.memory=1GB", "compute.walltime='00:10:00'")
    draw = ("checkpoint=published", "num_records=160", "out=ecgs", *jobs)
    done = run("generate", *draw, cwd=tmp_path, environment=slurm)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "runs" / "workers").glob("*.out"))) == 2
    assert np.array_equal(
        ECGSet.open(tmp_path / "ecgs").microvolts(), generate("published", 160, progress=False).microvolts()
    )
    wait_for(lambda: no_worker_is_left(slurm), "the end of the workers", tmp_path / "none")


@pytest.mark.full
def test_ecgs_are_measured_by_jobs_as_on_this_machine(slurm, tmp_path):
    jobs = ("compute=slurm", "compute.num_workers=2", "compute.memory=1GB", "compute.walltime='00:10:00'")
    ecgs = generate("published", 40, out=tmp_path / "ecgs", progress=False)
    report = ("data=deepfake", "max_records=40", "generated=ecgs", "picture_formats=[]", "out=report", *jobs)
    done = run("evaluate", *report, cwd=tmp_path, environment=slurm)
    assert done.returncode == 0, done.stderr
    measured = pd.read_parquet(tmp_path / "report" / "measurements_generated.parquet")
    here = measure(ecgs, progress=False)
    pd.testing.assert_frame_equal(measured[list(here)], here, check_exact=True)
    wait_for(lambda: no_worker_is_left(slurm), "the end of the workers", tmp_path / "none")


def no_worker_is_left(slurm: dict[str, str]) -> bool:
    left = subprocess.run(["squeue", "--noheader"], env=slurm, capture_output=True, text=True, check=True)
    return not [line for line in left.stdout.splitlines() if "dask" in line and " CG " not in line]


def test_a_job_that_slurm_refuses_is_said_at_once(slurm, tmp_path):
    jobs = ("compute=slurm", "compute.num_workers=2", "compute.queue=nowhere")
    done = run("generate", "checkpoint=published", "num_records=8", "out=ecgs", *jobs, cwd=tmp_path, environment=slurm)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the workers' jobs cannot be submitted to Slurm: ")
    assert "invalid partition" in done.stderr
