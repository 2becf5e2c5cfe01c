"""A training step: ours against that of the original training code, vlbthambawita/Pulse2Pulse, side by side.

git clone https://github.com/vlbthambawita/Pulse2Pulse
python benchmarks/train_step.py Pulse2Pulse                                  d = 50, batches of 4, on this machine
python benchmarks/train_step.py Pulse2Pulse --model-size 20 --batch-size 16 --steps 10 --precision bf16-mixed

Whole steps, one generator step to five critic steps, on the same batch of noise, through each one's own optimizers, in
processes of their own and in turn. Before that both compute the losses of one step from the same weights, noise and
penalty points, without phase shuffles, which draw their numbers otherwise: they must agree. At the end, how far our
step is from what the machine can do: its operations a second (counted by torch, forward and backward) as a share of
those of one large matrix product in the same precision.
"""

import argparse
import importlib
import re
import statistics
import subprocess
import sys
import time
import types
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch.utils.flop_counter import FlopCounterMode

from ecggan.checkpoints.pulse2pulse_repo import from_original_names
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.training.losses import critic_loss, generator_loss, gradient_penalty
from ecggan.training.wgan_gp import WGANGP

N_CRITIC, RATE, BETAS, WEIGHT = 5, 1e-4, (0.5, 0.9), 10.0
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def original(path: str, model_size: int, shift: int) -> tuple[torch.nn.Module, torch.nn.Module, types.ModuleType]:
    """Their generator, critic and utilities; their critic's last layer is fixed to d = 50 and made anew for another."""
    sys.path.insert(0, path)
    sys.modules.setdefault("seaborn", types.ModuleType("seaborn"))  # their utilities import it for pictures
    models, utils = importlib.import_module("models.pulse2pulse"), importlib.import_module("utils.utils")
    torch.manual_seed(0)
    generator = models.WaveGANGenerator(model_size=model_size, ngpus=1, upsample=True)
    critic = models.WaveGANDiscriminator(model_size=model_size, ngpus=1, shift_factor=shift)
    if model_size != 50:
        critic.fc1 = torch.nn.Linear(500 * model_size, 1)
    return generator.to(DEVICE), critic.to(DEVICE), utils


def ours(model_size: int, max_shift: int) -> WGANGP:
    torch.manual_seed(0)
    return WGANGP(
        Pulse2PulseGenerator(8, 5000, model_size),
        Discriminator(8, 5000, model_size, max_shift),
        ECGFormat(EIGHT_LEADS, 500, 5000, 6.0),
        n_critic=N_CRITIC,
        gradient_penalty_weight=WEIGHT,
        learning_rate=RATE,
        betas=BETAS,
        ema_decay=0.999,
        seed=0,
    )


def check_losses(options: argparse.Namespace) -> None:
    """Print the losses of both from the same weights and numbers; they must agree to a part in ten thousand."""
    torch.backends.cudnn.allow_tf32 = False  # its products have three digits; the runs that are timed have it
    generator, critic, utils = original(options.original, options.model_size, shift=0)
    gan = ours(options.model_size, max_shift=0).to(DEVICE)
    gan.generator.load_state_dict(from_original_names(generator.state_dict()))
    renamed = {re.sub(r"^conv(\d)", lambda m: f"layers.{int(m[1]) - 1}", k): v for k, v in critic.state_dict().items()}
    gan.discriminator.load_state_dict({k.replace("fc1", "linear"): v for k, v in renamed.items()})
    noise, real = (torch.rand(2, 8, 5000, device=DEVICE) * 2 - 1 for _ in range(2))
    with torch.no_grad():
        fake, our_fake = generator(noise), gan.generator(noise)
    torch.manual_seed(1)
    theirs = utils.calc_gradient_penalty(critic, real, fake, 2, WEIGHT, use_cuda=DEVICE == "cuda")
    theirs = theirs + critic(fake).mean() - critic(real).mean()
    torch.manual_seed(1)  # both draw the penalty's points by torch.rand(2, 1, 1)
    penalty = gradient_penalty(gan.discriminator.slope, real, our_fake, torch.rand(2, 1, 1).to(DEVICE))
    mine = critic_loss(gan.discriminator(real), gan.discriminator(our_fake), penalty, WEIGHT)
    pairs = {
        "critic loss": (mine, theirs),
        "generator loss": (generator_loss(gan.discriminator(our_fake)), -critic(fake).mean()),
    }
    for name, (a, b) in pairs.items():
        print(f"{name:16} ecggan {float(a.detach()):.6f}   original {float(b.detach()):.6f}")
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


class Clock(pl.Callback):
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_batch_start(self, *_: object) -> None:
        wait()
        self.start = time.perf_counter()

    def on_train_batch_end(self, *_: object) -> None:
        wait()
        self.seconds.append(time.perf_counter() - self.start)


def wait() -> None:
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def run_ours(options: argparse.Namespace) -> list[float]:
    clock = Clock()
    fit_ours(options, options.steps + options.warm_up, [clock])
    return clock.seconds


def fit_ours(options: argparse.Namespace, num_steps: int, callbacks: list[pl.Callback]) -> None:
    torch.set_float32_matmul_precision("high")
    batch = torch.rand(options.batch_size, 8, 5000) * 2 - 1
    trainer = pl.Trainer(
        accelerator="auto",
        devices=1,
        precision=options.precision,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
    )
    gan = ours(options.model_size, 2)
    if options.compile:
        gan.critic_losses = torch.compile(gan.critic_losses, mode=options.compile)
    trainer.fit(gan, torch.utils.data.DataLoader([batch] * num_steps, batch_size=None))


def count_operations(options: argparse.Namespace) -> float:
    """Of one of our steps: the mean over five, one of which teaches the generator."""
    options = argparse.Namespace(**{**vars(options), "compile": None})  # what is compiled is not seen to be counted
    with FlopCounterMode(display=False) as counter:
        fit_ours(options, N_CRITIC, [])
    return counter.get_total_flops() / N_CRITIC


def operations_a_second(precision: str) -> float:
    """Of a large square matrix product, the best of five."""
    torch.set_float32_matmul_precision("high")
    size = 8192 if DEVICE == "cuda" else 2048
    kind = torch.bfloat16 if "bf16" in precision else torch.float32
    a, b = (torch.randn(size, size, device=DEVICE, dtype=kind) for _ in range(2))
    best = float("inf")
    for _ in range(6):
        wait()
        start = time.perf_counter()
        a @ b
        wait()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def run_theirs(options: argparse.Namespace) -> list[float]:
    """The body of their loop over batches, without its logging."""
    generator, critic, utils = original(options.original, options.model_size, shift=2)
    adam_generator, adam_critic = (torch.optim.Adam(n.parameters(), lr=RATE, betas=BETAS) for n in (generator, critic))
    real = (torch.rand(options.batch_size, 8, 5000) * 2 - 1).to(DEVICE)
    seconds = []
    for step in range(options.steps + options.warm_up):
        wait()
        start = time.perf_counter()
        critic.requires_grad_(True)
        critic.zero_grad()
        noise = torch.Tensor(len(real), 8, 5000).uniform_(-1, 1).to(DEVICE)
        real_score = critic(real).mean()
        (-real_score).backward()
        fake = generator(noise).detach()
        fake_score = critic(fake).mean()
        fake_score.backward()
        penalty = utils.calc_gradient_penalty(critic, real, fake, len(real), WEIGHT, use_cuda=DEVICE == "cuda")
        penalty.backward()
        adam_critic.step()
        (fake_score - real_score + penalty).detach().cpu()
        if (step + 1) % N_CRITIC == 0:
            critic.requires_grad_(False)
            generator.zero_grad()
            noise = torch.Tensor(len(real), 8, 5000).uniform_(-1, 1).to(DEVICE)
            loss = -critic(generator(noise)).mean()
            loss.backward()
            adam_generator.step()
            loss.detach().cpu()
        wait()
        seconds.append(time.perf_counter() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("original", help="a checkout of vlbthambawita/Pulse2Pulse")
    parser.add_argument("--model-size", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--steps", type=int, default=5, help="that are timed")
    parser.add_argument("--warm-up", type=int, default=N_CRITIC, help="steps before them")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--precision", default="32-true", help="of ours; theirs knows 32 bits only")
    parser.add_argument(
        "--compile",
        choices=("default", "reduce-overhead"),
        help="our critic's losses and their gradients by torch.compile; reduce-overhead: as CUDA graphs",
    )
    parser.add_argument("--only", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        seconds = {"ours": run_ours, "theirs": run_theirs}[options.only](options)[options.warm_up :]
        peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))[1]) / 1024
        if DEVICE == "cuda":
            peak = torch.cuda.max_memory_allocated() / 2**20
        print(f"FIGURES {sum(seconds) / len(seconds)} {peak}")
        return
    print(f"d = {options.model_size}, batches of {options.batch_size}, {DEVICE}, ours in {options.precision}")
    check_losses(options)
    figures: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    for _ in range(options.rounds):
        for name in figures:
            command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            found = re.search(r"FIGURES (\S+) (\S+)", done.stdout)
            if not found:
                raise SystemExit(done.stderr)
            figures[name].append((float(found[1]), float(found[2])))
    medians = {name: statistics.median(s for s, _ in runs) for name, runs in figures.items()}
    for name, runs in figures.items():
        print(f"{name:8} {1000 * medians[name]:9.1f} ms a step   peak {max(peak for _, peak in runs):7.0f} MB")
    print(f"ratio    {medians['theirs'] / medians['ours']:9.2f} x")
    operations, possible = count_operations(options), operations_a_second(options.precision)
    achieved = operations / medians["ours"]
    print(
        f"ours: {operations / 1e9:.0f} GFLOP a step, {achieved / 1e12:.3f} TFLOP/s, {achieved / possible:.0%} of the "
        f"{possible / 1e12:.3f} TFLOP/s of a matrix product"
    )


if __name__ == "__main__":
    main()
