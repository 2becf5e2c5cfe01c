"""The training against [plain][], an implementation of its own: same noise, same data, same parameters."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.training.wgan_gp import WGANGP
from tests.sizes import sized
from tests.training import plain
from tests.training.quiet import quiet_trainer

ECG = ECGFormat(EIGHT_LEADS, 500, 2500, 6.0)
SETTINGS = {"n_critic": 3, "rate": 1e-3, "betas": (0.5, 0.9), "ema_decay": 0.8, "penalty_weight": 10.0}
SEED = 4


def gan(max_shift: int) -> WGANGP:
    torch.manual_seed(0)
    return WGANGP(
        Pulse2PulseGenerator(8, 2500, 5),
        Discriminator(8, 2500, 1, max_shift),
        ECG,
        n_critic=SETTINGS["n_critic"],
        gradient_penalty_weight=SETTINGS["penalty_weight"],
        learning_rate=SETTINGS["rate"],
        betas=SETTINGS["betas"],
        ema_decay=SETTINGS["ema_decay"],
        seed=SEED,
    )


def stream(rank: int, step: int) -> torch.Generator:
    entropy = np.random.SeedSequence([SEED, rank, step])
    return torch.Generator().manual_seed(int(entropy.generate_state(1)[0]))


def records(steps: int, size: int = 4) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(size, 8, 2500, generator=rng).cumsum(2).div(200).tanh() for _ in range(steps)]


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def apart(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    """The largest difference, relative to the largest weight of its tensor."""
    return max(float((ours[n] - theirs[n]).abs().max() / theirs[n].abs().max()) for n in theirs)


class Log(pl.Callback):
    def __init__(self) -> None:
        self.losses: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        self.losses.append({name: float(value) for name, value in outputs.items()})


def fit(ours: WGANGP, batches: list[torch.Tensor], precision: str) -> list[dict[str, float]]:
    log = Log()
    trainer = quiet_trainer(precision=precision, callbacks=[log])
    trainer.fit(ours, torch.utils.data.DataLoader(batches, batch_size=None))
    return log.losses


@pytest.mark.parametrize("max_shift", [0, 2])
def test_ten_steps_give_the_parameters_of_the_plain_implementation(max_shift: int) -> None:
    """In 64 bits: in 32 Adam makes a step of full length out of a gradient that is nothing but rounding.

    The bias of the critic's last convolution has such a gradient, real and generated records cancelling in it.
    """
    ours, batches = gan(max_shift).double(), [batch.double() for batch in records(10)]
    start = weights(ours.generator), weights(ours.discriminator)
    logged = fit(ours, batches, "64-true")
    generator, critic, average, losses = plain.train(
        *start, [[batch] for batch in batches], stream, max_shift=max_shift, **SETTINGS
    )
    for our_losses, their_losses in zip(logged, losses, strict=True):
        assert {name: our_losses[name] for name in their_losses} == pytest.approx(their_losses, rel=1e-6)
    assert apart(weights(ours.discriminator), critic) <= 1e-6
    assert apart(weights(ours.generator), generator) <= 1e-6
    assert apart(weights(ours.ema.module), average) <= 1e-6
    assert apart(weights(ours.discriminator), start[1]) > 1e-3  # it did learn
    assert apart(weights(ours.generator), start[0]) > 1e-3


def test_in_32_bits_the_first_losses_are_those_of_the_plain_implementation() -> None:
    ours, batches = gan(2), records(3)  # three, as the plain one needs a generator step
    start = weights(ours.generator), weights(ours.discriminator)
    logged = fit(ours, batches, "32-true")
    losses = plain.train(*start, [[batch] for batch in batches], stream, max_shift=2, **SETTINGS)[3]
    assert {name: logged[0][name] for name in losses[0]} == pytest.approx(losses[0], rel=1e-6)


TWO_PROCESSES = """
import os, sys
import torch
from ecggan.training.ddp import AveragedGradients
from tests.training import test_exactness as t
torch.set_num_threads(1)
rank = int(os.environ.get("LOCAL_RANK", 0))
batches = [batch[2 * rank : 2 * rank + 2].double() for batch in t.records(7)]
ours, log = t.gan(2).double(), t.Log()
trainer = t.quiet_trainer(
    devices=2, strategy=AveragedGradients(), precision="64-true", callbacks=[log],
    use_distributed_sampler=False,
)
trainer.fit(ours, torch.utils.data.DataLoader(batches, batch_size=None))
parts = {"generator": ours.generator, "critic": ours.discriminator, "average": ours.ema.module}
kept = {name: t.weights(part) for name, part in parts.items()}
metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
torch.save(kept | {"losses": log.losses, "metrics": metrics}, sys.argv[1] + f"/{rank}.pt")
"""


def both_ranks(script: str, folder: Path, *arguments: str) -> list[dict]:
    """Run a script that starts a second process itself; what each of the two has left in the folder."""
    path = folder / "two.py"
    path.write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(path), str(folder), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.slow
def test_two_processes_train_as_one_on_the_joined_batch(tmp_path: Path) -> None:
    ranks = both_ranks(TWO_PROCESSES, tmp_path)
    ours = gan(2).double()
    generator, critic, average, losses = plain.train(
        weights(ours.generator),
        weights(ours.discriminator),
        [[batch[:2].double(), batch[2:].double()] for batch in records(7)],
        stream,
        max_shift=2,
        **SETTINGS,
    )
    for part in ("generator", "critic", "average"):  # to the bit, or they would drift apart
        assert all(torch.equal(ranks[0][part][name], ranks[1][part][name]) for name in ranks[0][part])
    for rank in ranks:
        assert apart(rank["critic"], critic) <= 1e-6
        assert apart(rank["generator"], generator) <= 1e-6
        assert apart(rank["average"], average) <= 1e-6
    # each rank drew noise of its own, and what is logged is the mean over both
    assert ranks[0]["losses"][0]["critic_loss"] != ranks[1]["losses"][0]["critic_loss"]
    mean = np.mean([loss["critic_loss"] for loss in losses])
    assert [rank["metrics"]["critic_loss"] for rank in ranks] == pytest.approx([mean, mean], rel=1e-6)


UNEVEN = """
import sys
import numpy as np
import torch
from ecggan.training.datamodule import ECGDataModule
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.training.ddp import AveragedGradients
from tests.training import test_exactness as t
torch.set_num_threads(1)
records, batch_size = map(int, sys.argv[2:])
rng = np.random.default_rng(0)
ecgs = ECGSet.from_arrays(rng.normal(size=(records, 8, 2500)), t.EIGHT_LEADS, 500)
ours = t.gan(2)
if t.os.environ.get("LOCAL_RANK", "0") == "1":
    torch.nn.init.zeros_(ours.discriminator.linear.weight)  # what it starts from is the first's
trainer = t.quiet_trainer(devices=2, strategy=AveragedGradients(), max_epochs=3)
trainer.fit(ours, ECGDataModule(lambda: ecgs, t.ECG, batch_size, num_workers=0, seed=0))
assert not any(parameter._post_accumulate_grad_hooks for parameter in ours.parameters())
torch.save({"state": ours.state_dict(), "steps": ours.critic_steps}, sys.argv[1] + f"/{trainer.global_rank}.pt")
"""


@pytest.mark.full
@pytest.mark.parametrize(("records", "batch_size"), sized([(5, 8)], [(11, 4), (5, 8)]))
def test_records_that_two_processes_cannot_share_evenly_neither_hang_nor_part_them(
    tmp_path: Path, records: int, batch_size: int
) -> None:
    one, other = both_ranks(UNEVEN, tmp_path, str(records), str(batch_size))
    assert one["steps"] == other["steps"] == 3
    assert one["state"].keys() == other["state"].keys()
    assert all(torch.equal(tensor, other["state"][name]) for name, tensor in one["state"].items())
