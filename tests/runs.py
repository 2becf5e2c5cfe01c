"""The commands as users run them, on runs small enough to be tried again and again."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

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
    "trainer.max_epochs=12",
    "callbacks.checkpoints.every_n_epochs=1",
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


def assert_same_end(whole: Path, other: Path) -> None:
    one, two = (torch.load(out / "checkpoints" / "last.ckpt", weights_only=True) for out in (whole, other))
    assert one["wgan_gp_steps"] == two["wgan_gp_steps"] == {"critic": 36, "generator": 18}
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, two["state_dict"][name]), name
    for ours, theirs in zip(one["optimizer_states"], two["optimizer_states"], strict=True):
        for key, state in ours["state"].items():
            assert all(torch.equal(tensor, theirs["state"][key][name]) for name, tensor in state.items())
