"""The decoder of both generators: (5d, time / 2500) up to (lead, time), with or without skips."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ecggan import checks
from ecggan.models.film import modulated
from ecggan.models.layers import UpsampledConv1d

FACTORS = (5, 5, 5, 2, 5, 2)
SKIP_LAYERS = range(1, 5)  # the first and the last layer take no skip
SHORTENING = math.prod(FACTORS)
"""The product of the strides: so many samples are one time point at the bottleneck."""


def widths(model_size: int) -> tuple[int, ...]:
    """Channels at each level, from the ECG's side down: d/5, d/2, d, 3d, 5d, 5d, fractions rounded down."""
    return (model_size // 5, model_size // 2, model_size, 3 * model_size, 5 * model_size, 5 * model_size)


def check_size(num_leads: int, num_samples: int, model_size: int) -> None:
    """Raise ValueError, naming the rule, for sizes that the strides do not allow."""
    for name, number in (("num_leads", num_leads), ("num_samples", num_samples), ("model_size", model_size)):
        checks.whole_number(name, number, at_least=1)
    if num_samples % SHORTENING:
        raise ValueError(
            f"num_samples must be a multiple of {SHORTENING}, the product of the strides {FACTORS}; got {num_samples}"
        )
    if model_size < 5:
        raise ValueError(
            f"model_size must be at least 5, since the outer layers have model_size / 5 channels; got {model_size}"
        )


class Decoder(nn.Module):
    """Six upsampling convolutions with ReLU, the last with tanh.

    Args:
        num_leads: channels of the output.
        model_size: the width d.
        with_skips: the second to fifth layer also take an encoder's output of the same shape.
    """

    def __init__(self, num_leads: int, model_size: int, with_skips: bool) -> None:
        super().__init__()
        ins = widths(model_size)[::-1]
        outs = (*ins[1:], num_leads)
        takes_skip = [with_skips and i in SKIP_LAYERS for i in range(len(FACTORS))]
        self.layers = nn.ModuleList(
            UpsampledConv1d(channels * (2 if skip else 1), out, factor)
            for channels, skip, out, factor in zip(ins, takes_skip, outs, FACTORS, strict=True)
        )

    def forward(
        self,
        x: Float[Tensor, "batch width short"],
        skips: Sequence[Float[Tensor, "batch _ _"]] = (),
        changes: Sequence[Float[Tensor, "batch _ 2"]] = (),
    ) -> Float[Tensor, "batch lead time"]:
        """Draw records in ±1.

        Args:
            x: the bottom of the network.
            skips: the encoder's outputs from the bottom up, for the second to fifth layer.
            changes: of the channels of all layers but the last, from [FiLM][ecggan.models.film.FiLM].
        """
        for i, layer in enumerate(self.layers):
            if skips and i in SKIP_LAYERS:
                x = torch.cat((x, skips[SKIP_LAYERS.index(i)]), dim=1)
            x = layer(x)
            if changes and i < len(changes):
                x = modulated(x, changes[i])
            x = torch.tanh(x) if i == 5 else F.relu(x, inplace=True)
        return x
