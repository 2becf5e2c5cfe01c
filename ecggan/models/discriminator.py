"""The discriminator of both GANs; under WGAN-GP its score has no range, and it is called the critic.

Source: Thambawita et al. 2021, DeepFake electrocardiograms using generative adversarial networks, figure 7, after
Donahue et al. 2019, Adversarial Audio Synthesis.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ecggan import checks
from ecggan.models.film import Projection, Recognition, check_condition
from ecggan.models.layers import KERNEL_SIZE, Conv1d, adjoint_phase_shuffle, phase_shuffle

STRIDES = (2, 2, 2, 2, 4, 4, 4)
WIDTHS = (1, 2, 5, 10, 20, 25, 100)  # channels, in units of d
PADDING = 11
LEAK = 0.2  # of every leaky ReLU


class Discriminator(nn.Module):
    """An ECG in ±1 of full scale -> one score; no normalisation layers, as the gradient penalty requires.

    Args:
        num_leads: leads of the ECG.
        num_samples: long enough for seven strided layers with a mirrored shift between them.
        model_size: the width d; 50 in the paper (203.9 M parameters).
        max_shift: of the phase shuffle, in samples of each layer; 2 in the paper, 0 for none.
        condition_size: numbers of a condition; 0 for a critic without.

    Raises:
        ValueError: a size that the layers do not allow; the message names the rule.
    """

    def __init__(
        self, num_leads: int, num_samples: int, model_size: int, max_shift: int, condition_size: int = 0
    ) -> None:
        super().__init__()
        for name, number in (("num_leads", num_leads), ("num_samples", num_samples), ("model_size", model_size)):
            checks.whole_number(name, number, at_least=1)
        checks.whole_number("max_shift", max_shift, at_least=0)
        lengths = [num_samples]
        for stride in STRIDES:
            lengths.append((lengths[-1] + 2 * PADDING - KERNEL_SIZE) // stride + 1)
        if lengths[-1] < 1 or min(lengths[:-1]) <= max_shift:
            raise ValueError(
                f"num_samples = {num_samples} is too short: the layers have {lengths[1:]} samples, and all but the "
                f"last need more than max_shift = {max_shift}"
            )
        self.max_shift = max_shift
        self.condition_size = condition_size
        channels = (num_leads, *(width * model_size for width in WIDTHS))
        self.layers = nn.ModuleList(
            Conv1d(ins, outs, KERNEL_SIZE, stride, PADDING)
            for (ins, outs), stride in zip(pairwise(channels), STRIDES, strict=True)
        )
        self.linear = nn.Linear(channels[-1] * lengths[-1], 1)
        for layer in (*self.layers, self.linear):
            assert isinstance(layer, nn.Conv1d | nn.Linear)
            nn.init.kaiming_normal_(layer.weight)
        self.projection = Projection(condition_size, channels[-1]) if condition_size else None
        self.recognition = Recognition(channels[-1], condition_size) if condition_size else None

    def draw_shifts(self, count: int, rng: torch.Generator | None = None) -> Int64[Tensor, "layer batch"] | None:
        """Draw the phase shuffle of `count` records, in samples of each layer; None if `max_shift` is 0."""
        if not self.max_shift:
            return None
        size = (len(self.layers) - 1, count)  # no shuffle after the last layer
        return torch.randint(-self.max_shift, self.max_shift + 1, size, generator=rng, device=self.linear.weight.device)

    def forward(
        self,
        ecg: Float[Tensor, "batch lead time"],
        shifts: Int64[Tensor, "layer batch"] | None = None,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> Float[Tensor, "batch"]:
        """Score records.

        Args:
            ecg: real or generated.
            shifts: of the phase shuffle, from `draw_shifts`; None for no shuffle.
            condition: of the records, for a critic that takes one.
        """
        check_condition(condition, self.projection)
        x = self._features(ecg, shifts)
        score = self.linear(x.flatten(1)).squeeze(1)
        return score if self.projection is None else score + (self.projection(condition) * x.mean(dim=2)).sum(dim=1)

    def recognised(
        self, ecg: Float[Tensor, "batch lead time"], shifts: Int64[Tensor, "layer batch"] | None = None
    ) -> Float[Tensor, "batch 1 value"]:
        """The condition that a critic which takes one recognises in records."""
        assert self.recognition is not None
        return self.recognition(self._features(ecg, shifts).mean(dim=2))[:, None]

    def _features(self, x: Tensor, shifts: Tensor | None) -> Float[Tensor, "batch channel short"]:
        for i, layer in enumerate(self.layers):
            x = F.leaky_relu(layer(x), LEAK)
            if shifts is not None and i < len(shifts):
                x = phase_shuffle(x, shifts[i])
        return x

    def slope(
        self,
        ecg: Float[Tensor, "batch lead time"],
        shifts: Int64[Tensor, "layer batch"] | None = None,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> Float[Tensor, "batch lead time"]:
        """The gradient of each record's score along the record, in the weights' computation graph.

        The network is piecewise linear, so the slope is the product of the transposed layers in reverse order, with the
        leaky ReLUs' factors of the forward pass. Written out like this it needs no second derivative: the gradient of a
        penalty on the slope is one ordinary backward pass. Autograd would also go back through the forward pass, where
        all second derivatives are zero, and through convolutions as long as the record.

        Args:
            ecg: the records; no gradient flows to them.
            shifts: as in scoring.
            condition: as in scoring.
        """
        check_condition(condition, self.projection)
        passed: list[tuple[Tensor, int]] = []  # each layer's factors, and the length of its input
        x = ecg
        with torch.no_grad():
            for i, layer in enumerate(self.layers):
                y = layer(x)
                factors = torch.full_like(y, LEAK).masked_fill_(y > 0, 1)
                passed.append((factors, x.shape[2]))
                x = y * factors
                if shifts is not None and i < len(shifts):
                    x = phase_shuffle(x, shifts[i])
        slope = self.linear.weight.unflatten(1, x.shape[1:]).expand_as(x)
        if self.projection is not None:
            slope = slope + (self.projection(condition) / x.shape[2])[..., None]
        for i, layer in reversed(list(enumerate(self.layers))):
            assert isinstance(layer, Conv1d)
            if shifts is not None and i < len(shifts):
                slope = adjoint_phase_shuffle(slope, shifts[i])
            factors, length = passed.pop()
            slope = layer.adjoint(slope * factors, length)
        return slope
