"""Folders of difficult names are used as given, in every command, whatever the locale."""

import os
import shlex
from itertools import pairwise

import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.run_folder import RunFolder
from ecggan.training.train import RunResult
from tests.runs import SMALL, assert_one_line, run, run_in_process
from tests.sizes import sized

# the folder shared_cases / paths names most; each alone is in test_quoting.py
NAMES = (
    *("Jürgen, 数据", "PTB-XL (1) #2", "[x]", "O'Brien & run=3", "2026_11_28", "true"),
    'say "no": {x} $HOME \\ end.',
)
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def ecgs(known_ecg) -> ECGSet:
    return ECGSet.from_arrays(known_ecg(num_records=2), EIGHT_LEADS, 500)


def test_each_name_is_used_as_given(ecgs, tmp_path):
    ecgs.save(tmp_path / "set")
    for given, made in pairwise(("set", *NAMES)):
        done = run_in_process("evaluate", "job=pack", f"real=./{given}", f"out={made}", cwd=tmp_path)
        assert done.stdout.endswith(f"Saved to {made}\n"), done.stderr
        assert len(ECGSet.open(tmp_path / made)) == 2


def test_exports_lie_beside_a_set_of_any_name(ecgs, tmp_path):
    for name in ("1.5", "run=3, [x]", "数据"):
        ecgs.save(tmp_path / name)
        done = run_in_process("generate", "job=export", f"ecg_set={name}", "export=npz", "num_workers=1", cwd=tmp_path)
        assert done.stdout == f"Exported npz to {name}-npz\n", done.stderr
        assert (tmp_path / f"{name}-npz").is_dir()


def test_the_home_folder_stands_for_its_sign(ecgs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    ecgs.save(tmp_path / "home" / "set")
    for number, given in enumerate(("real=~/set", "real='~/set'")):
        done = run_in_process("evaluate", "job=pack", given, f"out=~/packed {number}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"set", "packed 0", "packed 1"}


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("evaluate", ("real=a${b}", "generated=b"), "real=a${b}': ${…} is an interpolation; rename a file or folder"),
        ("evaluate", ("real=a${b", "generated=b"), "give a link to it"),
        ("train", ("out=a${b}", "experiment=quickstart"), "give a link to it"),
        ("evaluate", ("real=", "generated=b"), "real names no file or folder: its value is empty"),
        ("evaluate", ("real=a", "generated=b", "out=null"), "give out=FOLDER, or out=./null for one of that name"),
        ("evaluate", ("real=a", "generated=b", "margins={a"), "is quoted for the shell and for Hydra: \"KEY='VALUE'\""),
        ("evaluate", ("real=a", "generated=[a b,{x:1}]"), "generated must be a folder, [A,B] or {ours:A,theirs:B}"),
        ("evaluate", ("job=self_test", "real=x", "run=my run"), "give job=checkpoints 'run=my run'"),
    ],
)
def test_what_cannot_be_used_is_answered_in_one_line(script, arguments, message, tmp_path):
    assert_one_line(run_in_process(script, *arguments, cwd=tmp_path), message)


@pytest.mark.slow
def test_a_run_of_a_difficult_name_is_resumed_drawn_from_and_swept(trained, monkeypatch):
    monkeypatch.chdir(trained)  # which what is printed is relative to
    out = trained / "my run" / "epoch=1, [2026] O'Brien"
    out.parent.mkdir()
    (trained / "run").rename(out)
    done = run_in_process("train", *SMALL, f"out={out}", "resume=auto", cwd=trained)
    assert "is complete: 2 epochs" in done.stdout, done.stderr
    printed = str(RunResult(RunFolder(out), 2, was_complete=False, distance=None)).partition("with: ")[2]
    python, script, *arguments = shlex.split(printed.replace("out=DIR", "num_records=2 'out=drawn (1)'"))
    assert (python, script) == ("python", "generate.py")
    done = run_in_process("generate", *arguments, cwd=trained)
    assert done.returncode == 0, done.stderr
    assert len(ECGSet.open(trained / "drawn (1)")) == 2
    further = ("trainer.max_epochs=3", f"resume={out}/checkpoints/last.ckpt", "out=2026_11_28")
    done = run_in_process("train", "-m", *SMALL, *further, "seed=0", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert (trained / "2026_11_28" / "0" / "checkpoints" / "generator_epoch_0003.pt").is_file()
    done = run_in_process("evaluate", "job=sweep", "multirun=2026_11_28", "out=1e3", cwd=trained)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("locale", sized([ASCII], [ASCII, {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}]))
def test_no_locale_ends_a_command(locale, ecgs, tmp_path):
    ecgs.records["patient"] = ["Jürgen", "数据"]
    ecgs.save(tmp_path / "Jürgen")
    options = ("job=data_report", "real=Jürgen", "num_workers=1", "out=数据")
    done = run("evaluate", *options, cwd=tmp_path, environment={**os.environ, **locale})
    assert done.returncode == 0, done.stderr
    assert "<html" in (tmp_path / "数据" / "data_report.html").read_text(encoding="utf-8")
