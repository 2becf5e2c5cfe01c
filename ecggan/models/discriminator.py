"""The discriminator of both GANs; under WGAN-GP its score has no range, and it is called the critic.

Source: Thambawita et al. 2021, DeepFake electrocardiograms using generative adversarial networks, figure 7, after
Donahue et al. 2019, Adversarial Audio Synthesis.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ecggan.models.layers import KERNEL_SIZE, Conv1d, phase_shuffle

STRIDES = (2, 2, 2, 2, 4, 4, 4)
WIDTHS = (1, 2, 5, 10, 20, 25, 100)  # channels, in units of d
PADDING = 11


class Discriminator(nn.Module):
    """An ECG in ±1 of full scale -> one score; no normalisation anywhere, as the gradient penalty asks.

    Args:
        num_leads: leads of the ECG.
        num_samples: long enough for seven strided layers with a mirrored shift between them.
        model_size: the width d; 50 in the paper (203.9 M parameters).
        max_shift: of the phase shuffle, in samples of each layer; 2 in the paper, 0 for none.

    Raises:
        ValueError: a size that the layers do not allow; the message names the rule.
    """

    def __init__(self, num_leads: int, num_samples: int, model_size: int, max_shift: int) -> None:
        super().__init__()
        if num_leads < 1 or model_size < 1 or max_shift < 0:
            raise ValueError(
                "num_leads and model_size must be at least 1 and max_shift at least 0; "
                f"got {num_leads}, {model_size} and {max_shift}"
            )
        lengths = [num_samples]
        for stride in STRIDES:
            lengths.append((lengths[-1] + 2 * PADDING - KERNEL_SIZE) // stride + 1)
        if lengths[-1] < 1 or min(lengths[:-1]) <= max_shift:
            raise ValueError(
                f"num_samples = {num_samples} is too short: the layers have {lengths[1:]} samples, and all but the "
                f"last need more than max_shift = {max_shift}"
            )
        self.max_shift = max_shift
        channels = (num_leads, *(width * model_size for width in WIDTHS))
        self.layers = nn.ModuleList(
            Conv1d(ins, outs, KERNEL_SIZE, stride, PADDING)
            for (ins, outs), stride in zip(pairwise(channels), STRIDES, strict=True)
        )
        self.linear = nn.Linear(channels[-1] * lengths[-1], 1)
        for layer in (*self.layers, self.linear):
            assert isinstance(layer, nn.Conv1d | nn.Linear)
            nn.init.kaiming_normal_(layer.weight)

    def forward(
        self, ecg: Float[Tensor, "batch lead time"], rng: torch.Generator | None = None
    ) -> Float[Tensor, "batch"]:
        """Score records.

        Args:
            ecg: real or generated.
            rng: draws the phase shuffle's shifts; torch's global one where None.
        """
        x = ecg
        for i, layer in enumerate(self.layers):
            x = F.leaky_relu(layer(x), 0.2)
            if self.max_shift and i < len(self.layers) - 1:
                x = phase_shuffle(x, self.max_shift, rng)
        return self.linear(x.flatten(1)).squeeze(1)
