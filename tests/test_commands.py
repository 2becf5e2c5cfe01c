"""The three commands as a user runs them; the whole house in small.

Each runs once at least in a process of its own; what does not depend on that runs in the test's, which takes less time.
"""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.cli import exit_on_user_error
from ecggan.data.sets.ecg_set import ECGSet
from tests.runs import SMALL, WHOLE, assert_one_line, assert_same_end, command, run, run_in_process
from tests.sizes import sized
from tests.training import wandb_files

pytestmark = pytest.mark.independent


@pytest.mark.slow
def test_training_leaves_checkpoints_pictures_and_a_log(trained):
    found = {str(path.relative_to(trained / "run")) for path in (trained / "run").rglob("*") if path.is_file()}
    assert {
        "checkpoints/last.ckpt",
        "checkpoints/generator_epoch_0002.pt",
        "checkpoints/physiology.csv",
        "pictures/epoch_0001.png",
        "pictures/epoch_0002.png",
        "logs/metrics.csv",
        "run.json",
        ".hydra/config.yaml",
    } <= found
    log = pd.read_csv(trained / "run" / "logs" / "metrics.csv")
    assert {"epoch", "critic_loss", "critic_gap", "gradient_penalty", "generator_loss"} <= set(log)
    assert len(log) == 2


@pytest.mark.slow
def test_a_run_generates_and_its_ecgs_are_evaluated(trained):
    done = run("generate", "run=run", "num_records=6", "leads=12", "seed=1", "out=ecgs", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert "6 ECGs of 12 leads\nSaved to ecgs\n" in done.stdout
    generated = ECGSet.open(trained / "ecgs")
    assert generated.manifest["made_by"]["epochs"] == 2

    options = ("data.source.num_records=40", "generated=ecgs", "picture_formats=[]", "num_workers=1", "out=report")
    done = run_in_process("evaluate", "data=deepfake", *options, cwd=trained)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout.splitlines()[-1]
    found = {path.name for path in (trained / "report").iterdir()}
    assert {"report.html", "comparison.csv", "summary.json"} <= found
    assert {"measurements_real.parquet", "measurements_generated.parquet"} <= found
    summary = json.loads((trained / "report" / "summary.json").read_text())
    assert summary["sets"]["generated"]["num_records"] == 6
    assert summary["failures"] == {}
    assert summary["judgements"]["generated"]["novelty"]["num_training"] == 24  # the split that the run learned from
    assert "generated. New? " in done.stdout


@pytest.mark.full
def test_a_run_is_not_judged_by_the_ecgs_that_it_learned_from(trained):
    data = ("data=deepfake", "data.source.num_records=40", "data.split=[train,test]", "num_workers=1")
    drawn = run_in_process("generate", "run=run", "num_records=3", "out=ours", cwd=trained)
    assert drawn.returncode == 0, drawn.stderr
    of_run = ("job=checkpoints", "run=run", "num_records=3")
    for what in (("generated=ours",), of_run):
        done = run_in_process("evaluate", *data, *what, "out=flattered", cwd=trained)
        assert done.returncode == 1
        assert "24 of the 36 real ECGs are among those that" in done.stderr
        assert "data.split=test" in done.stderr
        assert "allow_overlap=true" in done.stderr
        assert not (trained / "flattered").exists()
    done = run_in_process("evaluate", *data, *of_run, "allow_overlap=true", "out=flattered", cwd=trained)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_what_a_source_came_to_is_shown(trained):
    data = ("data=deepfake", "data.source.num_records=40")
    done = run_in_process("evaluate", "job=data_report", *data, "out=account", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert "40 of 40 records are kept; 0 pairs" in done.stdout
    assert (trained / "account" / "data_report.html").is_file()


@pytest.mark.full
def test_two_ecg_sets_are_compared(trained):
    done = run_in_process("generate", "run=run", "num_records=6", "leads=12", "seed=1", "out=ecgs", cwd=trained)
    assert done.returncode == 0, done.stderr
    done = run_in_process("generate", "run=run", "epoch=2", "num_records=3", "seed=2", "out=other", cwd=trained)
    assert done.returncode == 0, done.stderr
    options = ("generated={ours: other, theirs: ecgs}", "picture_formats=[]", "out=compared", "seed=1")
    done = run_in_process("evaluate", "real=ecgs", *options, cwd=trained)
    assert done.returncode == 0, done.stderr
    summary = json.loads((trained / "compared" / "summary.json").read_text())
    assert list(summary["sets"]) == ["real", "ours", "theirs"]
    assert summary["judgements"]["theirs"]["num_copies_of_real"] == 6
    settings = {"max_records": None, "seed": 1, "margins": None, "split": None, "rules_off": [], "training": None}
    assert summary["settings"] == settings | {"delineation": "median_beat", "utility": []}


@pytest.mark.slow
def test_the_checkpoints_of_a_run_are_compared_epoch_by_epoch(trained):
    options = ("data.source.num_records=40", "run=run", "num_records=3", "num_workers=1", "out=curve")
    done = run_in_process("evaluate", "job=checkpoints", "data=deepfake", *options, cwd=trained)
    assert done.returncode == 0, done.stderr
    curve = pd.read_csv(trained / "curve" / "epochs.csv")
    assert list(curve["epoch"]) == [2]
    assert 0 < curve["physiological_distance"].iloc[0] <= 3
    assert (trained / "curve" / "epochs.png").stat().st_size > 10_000


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.slow
def test_a_set_that_is_killed_again_and_again_is_the_same_to_the_byte(tmp_path):
    options = ("checkpoint=published", "num_records=400", "seed=4")
    assert run_in_process("generate", *options, "out=whole", cwd=tmp_path).returncode == 0
    rng, journal, num_kills, most = random.Random(0), tmp_path / "set.unfinished" / "journal-0.jsonl", 0, sized(1, 2)
    while not (tmp_path / "set").exists():
        before = journal.stat().st_size if journal.exists() else 0
        process = subprocess.Popen(command("generate", *options, "out=set"), cwd=tmp_path, stderr=subprocess.DEVNULL)
        while process.poll() is None and num_kills < most:
            time.sleep(0.01)
            if journal.exists() and journal.stat().st_size > before:
                time.sleep(rng.random() / 5)
                process.kill()
                num_kills += 1
                break
        process.wait()
    assert num_kills == most
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"set", "whole"}


@pytest.mark.full
def test_processes_at_once_fill_one_set_and_export_it(tmp_path):
    options = ("checkpoint=published", "num_records=100", "keep=measurable", "num_workers=1")
    assert run_in_process("generate", *options, "out=whole", cwd=tmp_path).returncode == 0
    start = [command("generate", *options, "out=set", f"part={part}/2", "export=[asc,npz]") for part in range(2)]
    processes = [subprocess.Popen(each, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for each in start]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    complete = ["100 ECGs of 8 leads\nSaved to set" in each for each in said]  # both, where they end at the same moment
    drawn = ["the last part to end completes the set in set" in each for each in said]
    assert any(complete)
    assert [is_complete + is_drawn for is_complete, is_drawn in zip(complete, drawn, strict=True)] == [1, 1]
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")
    ecgs = ECGSet.open(tmp_path / "set")
    (text,) = (tmp_path / "set-asc").rglob("seed0_000000.asc")
    assert np.array_equal(np.loadtxt(text, dtype=int).T, ecgs.microvolts()[0])
    assert {path.name for path in tmp_path.iterdir()} == {"set", "whole", "set-asc", "set-npz"}
    again = run_in_process("generate", *options, "out=set", "export=[asc,npz,wfdb]", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "Exported wfdb to set-wfdb" in again.stdout
    both = [
        subprocess.Popen(command("generate", "job=export", "ecg_set=set", "export=parquet"), cwd=tmp_path)
        for _ in range(2)
    ]
    assert [process.wait() for process in both] == [0, 0]
    assert not (tmp_path / "set-parquet.unfinished").exists()
    licensed = run_in_process(
        "generate", "job=export", "ecg_set=set", "export=parquet", "license=cc-by-4.0", cwd=tmp_path
    )
    assert "set-parquet exists and is not empty" in licensed.stderr
    other = run_in_process("generate", "job=export", "ecg_set=whole", "export=csv", cwd=tmp_path)
    assert "Exported csv to whole-csv" in other.stdout


@pytest.mark.slow
def test_a_generator_is_converted_and_draws_the_same(trained):
    done = run_in_process("generate", "job=convert", "run=run", "out=small.safetensors", cwd=trained)
    assert "Saved to small.safetensors" in done.stdout, done.stderr
    for number, source in enumerate(("run=run", "checkpoint=small.safetensors")):
        assert run_in_process("generate", source, "num_records=3", f"out=by_{number}", cwd=trained).returncode == 0
    first, second = (ECGSet.open(trained / f"by_{number}").microvolts() for number in range(2))
    assert np.array_equal(first, second)


@pytest.mark.slow
def test_blinded_readers_get_a_kit_and_their_sheets_are_scored(tmp_path):
    ecgs = ("data=deepfake", "data.source.num_records=20", "baseline=deepfake", "baseline.source.num_records=10")
    done = run_in_process("evaluate", "job=reader_kit", *ecgs, "num_each=2", "seed=3", "out=kit", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Saved to kit; the answer key, which no reader may see, to " in done.stdout
    assert "(seed" not in (tmp_path / "kit" / "how_to_read.md").read_text()
    key = pd.read_csv(tmp_path / "kit-key" / "key.csv")
    sheet = pd.read_csv(tmp_path / "kit" / "sheet.csv")
    sheet.assign(answer=key["origin"]).to_csv(tmp_path / "ann.csv", index=False, sep=";")
    sheet.assign(answer="Fake").to_csv(tmp_path / "bob.csv", index=False)
    done = run_in_process(
        "evaluate", "job=reader_scores", "readers=[ann.csv,bob.csv]", "key=kit-key/key.csv", "out=scores", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Saved to scores/scores.md" in done.stdout
    scores = pd.read_csv(tmp_path / "scores" / "scores.csv").set_index("reader")
    assert scores["accuracy"].to_dict() == {"ann": 1, "bob": 0.5, "all": 0.75}
    assert {path.name for path in (tmp_path / "scores").iterdir()} == {
        *("scores.md", "scores.csv", "ecgs.csv", "summary.json")
    }


@pytest.mark.slow
def test_real_ecgs_are_packed_and_compared_with_the_published_generators(tmp_path, shared_data):
    done = run_in_process("generate", "checkpoint=published", "num_records=20", "out=ecgs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    real = ("data=ptbxl", f"data.root={shared_data / 'ptbxl'}", "data.split=test")
    options = ("generated=ecgs", "picture_formats=[]", "out=report")
    done = run_in_process("evaluate", *real, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["sets"]["real"]["kind"] == "real"
    for name in ("real", "generated"):
        assert summary["sets"][name]["shares"]["measurable"]["value"] > 0.9
        assert summary["sets"][name]["shares"]["normal"]["value"] > 0.5
    measured = summary["judgements"]["generated"]["measurements"]
    assert abs(measured["qrs_duration_ms"]["difference"]) < 20


@pytest.mark.full
def test_the_published_generator_is_judged_by_one_word_and_logged_to_wandb_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    options = (
        "max_records=8",
        "picture_formats=[]",
        "normality.qtc=false",
        "margins={qt_interval_ms: 10}",
        "logger=wandb",
        "out=report",
    )
    done = run("evaluate", "data=deepfake", "data.source.num_records=40", "baseline=deepfake", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "deepfake. Realistic and normal? Nothing can be said: each set needs measurable records of 30 patients or more"
        in done.stdout
    )
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["settings"]["rules_off"] == ["qtc"]
    assert summary["judgements"]["deepfake"]["measurements"]["qt_interval_ms"]["margin"] == 10
    assert summary["judgements"]["deepfake"]["measurements"]["qt_interval_ms"]["margin_source"] == "given by the user"
    assert "qtc" not in summary["sets"]["real"]["not_normal_by_rule"]
    assert len(list((tmp_path / "report" / "wandb").glob("offline-run-*/run-*.wandb"))) == 1
    logged = {path.name.split("_")[0] for path in (tmp_path / "report" / "wandb").glob("offline-run-*/files/media/*/*")}
    assert {"report", "distributions", "deepfake", "comparison", "measurements"} <= logged
    (file,) = wandb_files.runs(tmp_path / "report")
    told = wandb_files.one(file, "run")
    assert (told.job_type, list(told.tags)) == ("evaluate", ["evaluation"])
    assert wandb_files.config(file)["margins"] == {"qt_interval_ms": 10}
    (row,) = wandb_files.rows(file)
    table = json.loads((file.parent / "files" / row["measurements.path"]).read_text())
    expected = pd.read_csv(tmp_path / "report" / "tables" / "measurements.csv")
    assert table["columns"] == list(expected.columns)
    assert [line[0] for line in table["data"]] == list(expected.iloc[:, 0])


@pytest.mark.slow
def test_a_full_training_checkpoint_generates_too_and_training_goes_on_from_it(trained):
    done = run_in_process(
        "generate", "checkpoint=run/checkpoints/last.ckpt", "num_records=2", "out=from_ckpt", cwd=trained
    )
    assert done.returncode == 0, done.stderr
    done = run_in_process(
        "train", *SMALL, "trainer.max_epochs=3", "resume=run/checkpoints/last.ckpt", "out=on", cwd=trained
    )
    assert done.returncode == 0, done.stderr
    assert list(pd.read_csv(trained / "on" / "logs" / "metrics.csv")["epoch"]) == [2]


def stop_after_an_epoch(folder: Path, out: str, number: signal.Signals) -> tuple[int, str]:
    """Start a long training, send it a signal after its first epoch; the exit code and what it said."""
    arguments = (*SMALL, "trainer.max_epochs=5000", "callbacks.checkpoints.every_n_epochs=5000", f"out={out}")
    environment = {**os.environ, "ECGGAN_CACHE": str(folder / "cache")}
    process = subprocess.Popen(
        command("train", *arguments), cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 120
        while not (folder / out / "pictures" / "epoch_0001.png").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, errors


def start_and_wait(folder: Path, out: str, epoch: int, *arguments: str, **environment: str) -> subprocess.Popen:
    """Start the same run and wait until it has kept the generator of an epoch."""
    environment = {**os.environ, "ECGGAN_CACHE": str(folder / "cache"), **environment}
    process = subprocess.Popen(
        command("train", *WHOLE, f"out={out}", *arguments),
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (folder / out / "checkpoints" / f"generator_epoch_{epoch:04d}.pt").exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.slow
def test_one_command_submitted_again_and_again_ends_as_one_run(trained, whole):
    """Killed once by SIGKILL, once stopped in a Slurm job that is about to end; Lightning's own requeueing is off."""
    bin_, told = trained / "bin", trained / "scontrol.txt"
    bin_.mkdir()
    (bin_ / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    (bin_ / "scontrol").chmod(0o755)
    job = {"SLURM_JOB_ID": "77", "SLURM_JOB_NAME": "gan", "SLURM_NTASKS": "1", "PATH": f"{bin_}:{os.environ['PATH']}"}
    job |= {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}
    process = start_and_wait(trained, "again", 2, "resume=auto", **job)
    process.kill()
    process.communicate()
    (trained / "again" / "pictures" / "mine.png").touch()

    process = start_and_wait(trained, "again", 5, "resume=auto", **job)
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert told.read_text() == "requeue 77\n"
    assert "job 77 is queued again" in errors

    done = run_in_process("train", *WHOLE, "resume=auto", "out=again", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert_same_end(whole, trained / "again")
    table = Path("logs", "metrics.csv")
    assert (trained / "again" / table).read_text() == (whole / table).read_text()
    names = {path.name for path in (trained / "again" / "pictures").iterdir()}
    assert names == {"mine.png", *(f"epoch_{epoch:04d}.png" for epoch in (1, 4, 8))}
    assert not list((trained / "again").rglob("hpc_ckpt*"))
    starts = json.loads((trained / "again" / "run.json").read_text())["starts"]
    assert [start["slurm_job"] for start in starts] == ["77", "77", None]
    assert [start["resumed_from"] is None for start in starts] == [True, False, False]
    assert {start["data_set"]["num_records_by_split"]["train"] for start in starts} == {24}
    assert starts[1]["command"][1:] == [*WHOLE, "out=again", "resume=auto"]

    done = run_in_process("train", *WHOLE, "resume=auto", "out=again", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert "The run in again is complete: 8 epochs" in done.stdout


@pytest.mark.slow
def test_a_folder_without_a_checkpoint_is_begun_anew_only_where_a_run_had_begun(trained):
    foreign, begun = trained / "foreign", trained / "begun"
    for folder in (foreign, begun):
        (folder / "pictures").mkdir(parents=True)
    (begun / "run.json").write_text('{"starts": [{"seed": 0}]}')
    done = run_in_process("train", *SMALL, "resume=auto", "out=foreign", cwd=trained)
    assert done.returncode == 1
    assert "error: foreign holds files but no checkpoints/last.ckpt to resume from" in done.stderr
    done = run_in_process("train", *SMALL, "resume=auto", "out=begun", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert len(json.loads((begun / "run.json").read_text())["starts"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("number", sized([signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]))
def test_a_stopped_training_leaves_a_checkpoint_that_generates_and_does_not_look_like_success(trained, number):
    code, errors = stop_after_an_epoch(trained, number.name, number)
    assert code != 0
    assert f"interrupted; resume with resume={trained / number.name / 'checkpoints' / 'last.ckpt'}" in errors
    assert (trained / number.name / "checkpoints" / "last.ckpt").exists()
    done = run_in_process("generate", f"run={number.name}", "num_records=2", f"out=from_{number.name}", cwd=trained)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_finished_run_is_not_overwritten(trained):
    before = (trained / "run" / "checkpoints" / "last.ckpt").read_bytes()
    done = run_in_process("train", *SMALL, "seed=7", "out=run", cwd=trained)
    assert done.returncode == 1
    assert "error: run holds files already" in done.stderr
    assert (trained / "run" / "checkpoints" / "last.ckpt").read_bytes() == before


@pytest.mark.full
def test_the_runs_of_a_sweep_lie_side_by_side(trained):
    done = run_in_process("train", "-m", *SMALL, "seed=1,2", "out=sweep", cwd=trained)
    assert done.returncode == 0, done.stderr
    for job in "01":
        assert (trained / "sweep" / job / "checkpoints" / "generator_epoch_0002.pt").exists()


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train", ("experiment=pulse2pulse",), "data.root"),
        ("train", ("experiment=quickstart", "batch_size=0"), "batch_size must be a whole number, at least 1; got 0"),
        ("train", ("experiment=quickstart", "model.model_size=3"), "model_size must be at least 5"),
        ("train", ("model.model_size=wide",), "model_size must be a whole number, at least 1; got 'wide'"),
        ("train", ("sede=3",), "sede is no parameter; did you mean seed?"),
        ("train", ("zzz=3",), "zzz is no parameter; the parameters are "),
        ("train", ("model.sz=3",), "model.sz is no parameter; model has "),
        ("train", ("sweep.num_runs=3",), "sweep is not chosen yet: give sweep=OPTION as well"),
        ("train", ("model=nope",), "Could not find 'model/nope' Available options in 'model':"),
        ("train", ("seed=[1",), "no viable alternative at input '[1'"),
        ("train", ("resume=nowhere.ckpt",), "no checkpoint at nowhere.ckpt"),
        ("generate", (), "one generator must be given"),
        ("generate", ("checkpoint=5",), "no checkpoint at 5"),
        ("generate", ("checkpoint=published", "part=1", "out=a"), "part must be slurm, or one of 0/4"),
        ("generate", ("checkpoint=published", "num_records=100000000"), "needs 8,000,000 MB more, and its disk has"),
        ("generate", ("checkpoint=published", "convert=g.safetensors"), "give job=convert out=g.safetensors"),
        ("generate", ("ecg_set=a", "export=asc"), "belongs to: export: give job=export ecg_set=a"),
        ("generate", ("job=self_test",), "is no job of generate.py; its jobs are generate, export, convert"),
        ("evaluate", (), "real ECGs must be given"),
        ("evaluate", ("real=a", "generated=b", "logger=csv"), "a report is logged to logger=wandb alone; got csv"),
        ("evaluate", ("real=a", "generated=b", "run=c"), "belongs to: checkpoints: give job=checkpoints run=c"),
        ("evaluate", ("real=a", "self_test=true"), "self_test is a job: give job=self_test"),
        ("evaluate", ("job=self_test", "real=a", "+generated=b"), "belongs to: report, "),
        ("evaluate", ("real=a", "quality.max_nois=3"), "quality.max_nois is no parameter; quality has min_peak"),
        ("evaluate", ("real=nowhere", "generated=nowhere"), "nowhere is not an ECG set: manifest.json is missing"),
    ],
)
def test_bad_input_ends_in_one_clear_line(script, arguments, message, tmp_path):
    assert_one_line(run_in_process(script, *arguments, cwd=tmp_path), message)


@pytest.mark.parametrize("launcher", ["slurm_node", "slurm_nodes"])
@pytest.mark.parametrize(("devices", "got"), [((), "-1"), (("trainer.devices=auto",), "auto")])
def test_a_job_on_a_node_must_know_how_many_devices_to_ask_slurm_for(launcher, devices, got, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    sweep = ("-m", f"hydra/launcher={launcher}", "trainer=ddp", *devices, "seed=1,2", "out=sweep")
    done = run_in_process("train", *sweep, cwd=tmp_path)
    assert_one_line(done, "slurm_node needs trainer.devices=N")
    assert done.stderr.strip().endswith(f"got {got}")
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train", ("experiment=quickstart", "batch_size=0"), "batch_size must be a whole number, at least 1; got 0"),
        pytest.param("generate", ("run=nowhere",), "run=nowhere is not a folder", marks=pytest.mark.full),
        pytest.param("evaluate", ("real=no", "generated=no"), "no is not an ECG set", marks=pytest.mark.full),
    ],
)
def test_bad_input_ends_each_script_in_one_clear_line(script, arguments, message, tmp_path):
    assert_one_line(run(script, *arguments, cwd=tmp_path), message)


@pytest.mark.parametrize("script", ["train", "generate", "evaluate"])
def test_help_opens_with_real_commands(script, tmp_path):
    done = run(script, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"python {script}.py" in "\n".join(done.stdout.splitlines()[:4])
    assert not list(tmp_path.iterdir())


def test_an_unexpected_error_keeps_its_traceback():
    @exit_on_user_error
    def broken():
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        broken()


def test_the_cause_within_a_wrapped_error_is_what_is_said():
    @exit_on_user_error
    def wrapped():
        try:
            raise ValueError("seed must be …")
        except ValueError as error:
            raise RuntimeError("error in call to target") from error

    with pytest.raises(SystemExit, match=r"^error: seed must be …$"):
        wrapped()
