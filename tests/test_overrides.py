"""A parameter of another job, one that is none, and the forms from before there were jobs: each is answered."""

from pathlib import Path

import pytest

import evaluate
import generate
from ecggan.overrides import find_problem

CONFIGS = Path(__file__).parents[1] / "configs"
JOBS = {"evaluate": evaluate.JOBS, "generate": generate.JOBS}


def problem(script: str, *arguments: str) -> str | None:
    return find_problem(arguments, CONFIGS, script, JOBS[script])


@pytest.mark.parametrize(
    "command",
    [
        "evaluate data=ptbxl data.root=P data.split=test generated={ours:A,theirs:B} baseline=deepfake out=O",
        "evaluate real=A generated=B compute=dask compute.address=tcp://HOST:8786 logger=wandb logger.wandb.group=g",
        "evaluate job=self_test data=folder packing/keep=normal quality.max_noise_mv=null +data.layout.x=1 out=O",
        "evaluate job=checkpoints data=ptbxl run=R num_records=3 hydra.verbose=true --cfg job -m",
        "evaluate job=sweep multirun=S",
        "generate checkpoint=published num_records=100 seed=0 out=DIR export=asc keep=normal normality.qtc=false",
        "generate job=export ecg_set=D export=[asc,npz]",
        "generate job=convert run=R out=g.safetensors",
    ],
)
def test_the_parameters_of_a_job_are_accepted(command):
    script, *arguments = command.split()
    assert problem(script, *arguments) is None


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("evaluate real=a self_test=true", "self_test is a job: give job=self_test"),
        ("evaluate data=folder account=true", "account is a job: give job=data_report"),
        ("evaluate real=a generated=b reader_kit=20", "reader_kit is a job: give job=reader_kit num_each=20"),
        ("evaluate real=a run=R", "belongs to: checkpoints: give job=checkpoints run=R"),
        ("evaluate multirun=S", "belongs to: sweep: give job=sweep multirun=S"),
        ("evaluate readers=[a.csv] key=k.csv", "belongs to: reader_scores: give job=reader_scores 'readers=[a.csv]'"),
        ("generate ecg_set=D export=asc", "belongs to: export: give job=export ecg_set=D"),
        ("generate run=R convert=g.safetensors", "convert is a job: give job=convert out=g.safetensors"),
    ],
)
def test_an_old_form_is_answered_with_the_new_one(command, answer):
    script, *arguments = command.split()
    found = problem(script, *arguments)
    assert found is not None
    assert answer in found


@pytest.mark.parametrize("override", ["generated=X", "+generated=X", "++generated=X"])
def test_a_parameter_of_another_job_is_named_with_its_jobs(override):
    found = problem("evaluate", "job=self_test", "data=ptbxl", override)
    assert found == "generated is no parameter of job=self_test; it belongs to: report, utility, obedience, reader_kit"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("generate sede=3", "sede is no parameter of job=generate; did you mean seed?"),
        ("evaluate job=sweep zzz=3", "zzz is no parameter of job=sweep; the parameters are compute, hydra, job, mult"),
        ("evaluate job=nonsense", "job=nonsense is no job of evaluate.py; its jobs are report, checkpoints, sweep, "),
        ("generate job=self_test", "job=self_test is no job of generate.py; its jobs are generate, export, convert"),
        ("generate account=true", "account is no parameter of job=generate; the parameters are"),
    ],
)
def test_what_is_no_parameter_and_no_job_is_refused_with_what_is(command, answer):
    script, *arguments = command.split()
    found = problem(script, *arguments)
    assert found is not None
    assert found.startswith(answer)
