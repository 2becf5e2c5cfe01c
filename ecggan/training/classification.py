"""Train a network that tells labels from ECGs, always in the same way: what generated ECGs are worth is measured by it.

Crops of 2.5 s at 100 Hz, a learning rate that rises and falls once, and the mean over crops of a test record.

Source: Strodthoff et al. 2021, Deep learning for ECG analysis: benchmarks and insights from PTB-XL (crops, rates).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32
from torch import Tensor, nn
from tqdm import tqdm

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.models.device import usable_device
from ecggan.models.xresnet1d import XResNet1d

NAME = "network"
SAMPLING_RATE = 100
_CROP_S = 2.5
_NUM_CROPS = 7  # of a test record, evenly spaced
_BATCH_SIZE = 32
_NUM_EPOCHS = 12
_FEWEST_STEPS = 400
_LEARNING_RATE, _WEIGHT_DECAY = 1e-2, 1e-2
_TEST_BATCH = 64


def network_input(ecgs: ECGSet, leads: Sequence[str]) -> Float32[np.ndarray, "record lead time"]:
    """Records in mV at 100 Hz, each lead about its median."""
    divisor = math.gcd(ecgs.sampling_rate, SAMPLING_RATE)
    up, down = SAMPLING_RATE // divisor, ecgs.sampling_rate // divisor
    length = math.ceil(ecgs.num_samples * up / down)
    found = np.empty((len(ecgs), len(leads), length), np.float32)
    for some in ecgs.batches():
        resampled = scipy.signal.resample_poly(ecgs.millivolts(some, leads), up, down, axis=2)
        found[some] = resampled - np.median(resampled, axis=2, keepdims=True)
    return found


@dataclass(frozen=True)
class NetworkClassifier:
    """Fits an `XResNet1d` anew at each call; on a CPU the same arguments give the same scores.

    Args:
        device: "auto" (an accelerator if there is one), "cpu", "cuda" …
        num_steps: of the training; None for 12 epochs, at least 400 steps.
        progress: show a bar.
    """

    device: str = "auto"
    num_steps: int | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        checks.whole_number("num_steps", self.num_steps, at_least=1, or_null=True)

    def __call__(
        self,
        training: Float32[np.ndarray, "record lead time"],
        labels: Bool[np.ndarray, "record label"],
        tests: Sequence[Float32[np.ndarray, "_ lead _"]],
        num_records: int,
        seed: int,
    ) -> list[Float[np.ndarray, "_ label"]]:
        """Scores of each test record for each label.

        Args:
            training: from [network_input][].
            labels: of each, any number of them.
            tests: sets to score.
            num_records: by which the number of steps goes.
            seed: of the weights, the order and the crops.
        """
        device = usable_device(self.device)
        steps = self.num_steps or max(_FEWEST_STEPS, math.ceil(_NUM_EPOCHS * num_records / _BATCH_SIZE))
        scale = torch.from_numpy(training.std(axis=(0, 2), keepdims=True)).clamp(min=1e-6)
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            network = XResNet1d(training.shape[1], labels.shape[1]).to(device)
            self._fit(network, torch.from_numpy(training) / scale, torch.from_numpy(labels).float(), steps)
        return [_scores(network, torch.from_numpy(test) / scale) for test in tests]

    def _fit(self, network: nn.Module, records: Tensor, labels: Tensor, steps: int) -> None:
        device = next(network.parameters()).device
        crop = min(round(_CROP_S * SAMPLING_RATE), records.shape[2])
        optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=steps)
        batch_size = min(_BATCH_SIZE, len(records))
        order = torch.cat([torch.randperm(len(records)) for _ in range(math.ceil(steps * batch_size / len(records)))])
        network.train()
        for step in tqdm(range(steps), desc="steps", unit="step", leave=False, disable=not self.progress):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            starts = torch.randint(records.shape[2] - crop + 1, (len(chosen),))
            crops = records[chosen].gather(2, _windows(starts, crop, records.shape[1]))
            loss = F.binary_cross_entropy_with_logits(network(crops.to(device)), labels[chosen].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        network.eval()


def _windows(starts: Tensor, length: int, num_leads: int) -> Tensor:
    return (starts[:, None] + torch.arange(length))[:, None].expand(-1, num_leads, -1)


@torch.no_grad()
def _scores(network: nn.Module, records: Tensor) -> Float[np.ndarray, "record label"]:
    """The mean probability over crops."""
    device = next(network.parameters()).device
    crop = min(round(_CROP_S * SAMPLING_RATE), records.shape[2])
    starts = np.unique(np.linspace(0, records.shape[2] - crop, _NUM_CROPS).astype(int)).tolist()
    found = [
        torch.stack([network(some[..., a : a + crop].to(device)).sigmoid() for a in starts]).mean(dim=0).cpu()
        for some in records.split(_TEST_BATCH)
    ]
    return torch.cat(found).numpy().astype(float)
