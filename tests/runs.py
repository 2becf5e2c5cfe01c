"""The commands as users run them, on runs small enough to be tried again and again."""

import importlib
import io
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import jaxtyping
import torch
from hydra.core.global_hydra import GlobalHydra

ROOT = Path(__file__).parents[1]
SMALL = (
    "experiment=quickstart",
    "model.model_size=5",
    "data.source.num_records=40",
    "batch_size=4",
    "trainer.max_epochs=2",
    "trainer.limit_train_batches=3",
    "model.gan.n_critic=2",
    "callbacks.physiology.num_records=4",
    "callbacks.physiology.compare.num_workers=1",
)

_LONGEST_S = 900  # what takes longer hangs

WHOLE = (
    *SMALL,
    "trainer.max_epochs=8",
    "callbacks.checkpoints.every_n_epochs=1",
    "callbacks.pictures.every_n_epochs=4",
    "callbacks.physiology.every_n_epochs=4",
)


def command(script: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / f"{script}.py"), *arguments]


def run(
    script: str,
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] = os.environ,
    longest_s: int = _LONGEST_S,
) -> subprocess.CompletedProcess:
    environment = {**environment, "ECGGAN_CACHE": str(cwd / "cache"), "WANDB_MODE": "offline"}
    return subprocess.run(
        command(script, *arguments),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=longest_s,
    )


def run_in_process(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    """The same without a new process, which takes seconds to begin; and, as there, without checks of types."""
    main = importlib.import_module(script).main
    out, errors = io.StringIO(), io.StringIO()
    with _as_a_process(script, *arguments, cwd=cwd), redirect_stdout(out), redirect_stderr(errors):
        status = 0
        try:
            main()
        except SystemExit as stopped:  # its text is what Python would print
            status = stopped.code if isinstance(stopped.code, int) else 1
            print(stopped.code, file=errors)
    return subprocess.CompletedProcess([script, *arguments], status, out.getvalue(), errors.getvalue())


@contextmanager
def unchecked() -> Iterator[None]:
    """The package as users have it: pytest has its shapes and types checked at every call."""
    with mock.patch.object(jaxtyping.config, "jaxtyping_disable", True):
        yield


@contextmanager
def _as_a_process(script: str, *arguments: str, cwd: Path) -> Iterator[None]:
    """Puts back what a command changes in its process."""
    root, folder, precision = logging.getLogger(), Path.cwd(), torch.get_float32_matmul_precision()
    handlers, level, on_sigterm = list(root.handlers), root.level, signal.getsignal(signal.SIGTERM)
    environment = {"ECGGAN_CACHE": str(cwd / "cache"), "WANDB_MODE": "offline"}
    argv = [f"{script}.py", "--config-path", str(ROOT / "configs"), *arguments]  # which Hydra finds for scripts alone
    os.chdir(cwd)
    try:
        with mock.patch.dict(os.environ, environment), mock.patch.object(sys, "argv", argv), unchecked():
            yield
    finally:
        os.chdir(folder)
        GlobalHydra.instance().clear()
        root.handlers[:] = handlers
        root.setLevel(level)
        signal.signal(signal.SIGTERM, on_sigterm)
        torch.set_float32_matmul_precision(precision)


def assert_same_end(whole: Path, other: Path) -> None:
    one, two = (torch.load(out / "checkpoints" / "last.ckpt", weights_only=True) for out in (whole, other))
    assert one["wgan_gp_steps"] == two["wgan_gp_steps"] == {"critic": 24, "generator": 12}
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, two["state_dict"][name]), name
    for ours, theirs in zip(one["optimizer_states"], two["optimizer_states"], strict=True):
        for key, state in ours["state"].items():
            assert all(torch.equal(tensor, theirs["state"][key][name]) for name, tensor in state.items())


def assert_one_line(done: subprocess.CompletedProcess, message: str) -> None:
    """A command ended with one line that says what is wrong."""
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert message in lines[0]
