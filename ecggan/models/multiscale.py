"""Several small critics in place of one long one: each sees the ECG at another scale.

One critic of a whole record at the full rate is most of what training costs, and learns slowly: it must find for itself
that a beat is a beat wherever it lies. Small critics of short windows, of the record at a low rate and of its envelope
tell real from generated within minutes, and a record gives them many windows.

Source: Kumar et al. 2019, MelGAN; Kong et al. 2020, HiFi-GAN (critics at several scales).
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ecggan.models.film import Projection, Recognition, check_condition
from ecggan.models.layers import KERNEL_SIZE, Conv1d
from ecggan.models.views import View, compressed, without_baseline

LEAK = 0.2


class SmallCritic(nn.Module):
    """Strided convolutions with leaky ReLU, the mean over time, one score; blind to where in the record a thing is.

    Args:
        num_channels: of the input.
        widths: channels of each layer.
        stride: of each layer.
        condition_size: numbers of a condition; 0 for a critic without.
    """

    def __init__(self, num_channels: int, widths: Sequence[int], stride: int, condition_size: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Conv1d(ins, outs, KERNEL_SIZE, stride, KERNEL_SIZE // 2) for ins, outs in pairwise((num_channels, *widths))
        )
        self.linear = nn.Linear(widths[-1], 1)
        for layer in (*self.layers, self.linear):
            assert isinstance(layer, nn.Conv1d | nn.Linear)
            nn.init.kaiming_normal_(layer.weight, LEAK)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
        self.projection = Projection(condition_size, widths[-1]) if condition_size else None
        self.recognition = Recognition(widths[-1], condition_size) if condition_size else None

    def features(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch feature"]:
        """The mean of the last layer over time."""
        for layer in self.layers:
            x = F.leaky_relu(layer(x), LEAK)
        return x.mean(dim=2)

    def forward(
        self, x: Float[Tensor, "batch channel time"], condition: Float[Tensor, "batch value"] | None = None
    ) -> Float[Tensor, "batch"]:
        check_condition(condition, self.projection)
        x = self.features(x)
        score = self.linear(x).squeeze(1)
        return score if self.projection is None else score + (self.projection(condition) * x).sum(dim=1)

    def slope(
        self, x: Float[Tensor, "batch channel time"], condition: Float[Tensor, "batch value"] | None = None
    ) -> Float[Tensor, "batch channel time"]:
        """The gradient of each score along its input, in the weights' graph; see `Discriminator.slope`."""
        check_condition(condition, self.projection)
        met: list[tuple[Tensor, int]] = []
        with torch.no_grad():
            for layer in self.layers:
                y = layer(x)
                leaks = torch.full_like(y, LEAK).masked_fill_(y > 0, 1)
                met.append((leaks, x.shape[2]))
                x = y * leaks
        along = self.linear.weight if self.projection is None else self.linear.weight + self.projection(condition)
        slope = (along / x.shape[2])[..., None].expand_as(x)
        for layer, (leaks, length) in zip(reversed(self.layers), reversed(met), strict=True):
            assert isinstance(layer, Conv1d)
            slope = layer.adjoint(slope * leaks, length)
        return slope


class MultiscaleDiscriminator(nn.Module):
    """Small critics side by side; a record has one score from each.

    Args:
        num_leads: leads of the ECG.
        num_samples: of a record.
        sampling_rate: in Hz.
        full_scale_mv: the amplitude of the records' ±1.
        views: what each critic sees.
        widths: channels of each layer of each critic.
        stride: of each layer.
        knee_mv: amplitudes are compressed above it; see [compressed][ecggan.models.views.compressed].
        baseline_hz: what lies below is hidden from the critics, so that a generator is not taught the wander of the
            electrodes before the ECG; None hides nothing.
        condition_size: numbers of a condition; 0 for critics without.

    Raises:
        ValueError: no view, or one that does not fit the record.
    """

    def __init__(
        self,
        num_leads: int,
        num_samples: int,
        sampling_rate: int,
        full_scale_mv: float,
        views: Sequence[View],
        widths: Sequence[int],
        stride: int,
        knee_mv: float,
        baseline_hz: float | None,
        condition_size: int = 0,
    ) -> None:
        super().__init__()
        if not views or not widths or stride < 1 or not knee_mv > 0:
            raise ValueError(
                "a multiscale critic needs at least one view and one width, a stride of at least 1 and a knee_mv above "
                f"0; got {len(views)} views, widths {list(widths)}, stride {stride} and knee_mv {knee_mv:g}"
            )
        self.views = tuple(views)
        self.condition_size = condition_size
        self.lengths = [view.num_samples(num_samples, sampling_rate) for view in self.views]
        self.num_samples, self.sampling_rate = num_samples, sampling_rate
        self.knee, self.baseline_hz = knee_mv / full_scale_mv, baseline_hz
        for view, length in zip(self.views, self.lengths, strict=True):
            if length < stride ** len(widths):
                raise ValueError(
                    f"a view of {length} samples is too short for {len(widths)} layers of stride {stride}: {view}"
                )
        self.critics = nn.ModuleList(
            SmallCritic(view.num_channels(num_leads), widths, stride, condition_size) for view in self.views
        )

    def draw_shifts(self, count: int, rng: torch.Generator | None = None) -> Int64[Tensor, "critic batch"]:
        """Draw where the windows of so many records begin, for each critic, in samples."""
        device = next(self.parameters()).device
        starts = [
            torch.randint(self.num_samples - length * view.step + 1, (count,), generator=rng, device=device)
            for view, length in zip(self.views, self.lengths, strict=True)
        ]
        return torch.stack(starts)

    def inputs(
        self, ecg: Float[Tensor, "batch lead time"], starts: Int64[Tensor, "critic batch"]
    ) -> list[Float[Tensor, "batch channel short"]]:
        """What each critic sees of records, its SD about a half to one; widened to 32 bits, in which it is computed."""
        ecg = ecg.to(torch.promote_types(ecg.dtype, torch.float32))
        if self.baseline_hz is not None:
            ecg = without_baseline(ecg, self.sampling_rate, self.baseline_hz)
        ecg = compressed(ecg, self.knee)
        return [
            view.of(ecg, first, length) for view, first, length in zip(self.views, starts, self.lengths, strict=True)
        ]

    def forward(
        self,
        ecg: Float[Tensor, "batch lead time"],
        shifts: Int64[Tensor, "critic batch"],
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> Float[Tensor, "batch critic"]:
        """Score records.

        Args:
            ecg: real or generated, in ±1 of full scale.
            shifts: the windows' starts, from `draw_shifts`.
            condition: of the records, for critics that take one.
        """
        inputs = self.inputs(ecg, shifts)
        return torch.stack([critic(x, condition) for critic, x in zip(self.critics, inputs, strict=True)], dim=1)

    def recognised(
        self, ecg: Float[Tensor, "batch lead time"], shifts: Int64[Tensor, "critic batch"]
    ) -> Float[Tensor, "batch critic value"]:
        """The condition that each critic recognises in records; of critics that take one."""
        found = []
        for critic, x in zip(self.critics, self.inputs(ecg, shifts), strict=True):
            assert isinstance(critic, SmallCritic)
            assert critic.recognition is not None
            found.append(critic.recognition(critic.features(x)))
        return torch.stack(found, dim=1)

    def squared_slopes(
        self,
        ecg: Float[Tensor, "batch lead time"],
        shifts: Int64[Tensor, "critic batch"],
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> Float[Tensor, "batch critic"]:
        """Of each score the squared norm of its gradient along what its critic sees, in the weights' graph."""
        with torch.no_grad():
            inputs = self.inputs(ecg, shifts)
        slopes = []
        for critic, x in zip(self.critics, inputs, strict=True):
            assert isinstance(critic, SmallCritic)
            slopes.append(critic.slope(x, condition).square().sum(dim=(1, 2)))
        return torch.stack(slopes, dim=1)
