"""What a small critic looks at: a part or a feature of the ECG, in units in which its SD is about a half.

A view turns ``(batch, lead, time)`` in ±1 of full scale into ``(batch, channel, shorter time)``; gradients pass
through, so a generator learns from what a critic of the view says. Each is built of three steps: the baseline is taken
away or not, the amplitude is compressed, and a part is chosen.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

_MARGIN_S = 1.0  # mirrored at both ends, so that a filter does not join the record's end to its start


@dataclass(frozen=True)
class View:
    """How a critic sees a record.

    Args:
        window_s: length of a random stretch; None for the whole record.
        step: a sample of the view is the mean of so many of the record.
        envelope: the leads' common size at each moment (one channel) in place of the leads.
    """

    window_s: int | float | None
    step: int
    envelope: bool

    def __post_init__(self) -> None:
        if self.window_s is not None and not self.window_s > 0:
            raise ValueError(f"window_s must be above 0, or null for the whole record; got {self.window_s!r}")
        if self.step < 1:
            raise ValueError(f"step must be at least 1; got {self.step!r}")

    def num_channels(self, num_leads: int) -> int:
        return 1 if self.envelope else num_leads

    def num_samples(self, num_samples: int, sampling_rate: int) -> int:
        """The view's length.

        Raises:
            ValueError: the window is longer than the record.
        """
        window = num_samples if self.window_s is None else round(self.window_s * sampling_rate)
        if window > num_samples:
            raise ValueError(
                f"window_s = {self.window_s:g} is longer than a record of {num_samples / sampling_rate:g} s; make it "
                "shorter, or null for the whole record"
            )
        return window // self.step

    def of(
        self, ecg: Float[Tensor, "batch lead time"], starts: Int64[Tensor, " batch"], length: int
    ) -> Float[Tensor, "batch channel short"]:
        """The view of records.

        Args:
            ecg: already compressed.
            starts: of each record's window, in samples.
            length: of the view, from `num_samples`.
        """
        if self.envelope:
            ecg = ecg.square().mean(dim=1, keepdim=True).add(1e-6).sqrt()
        window = length * self.step
        if window < ecg.shape[2]:
            taken = starts[:, None] + torch.arange(window, device=ecg.device)
            ecg = ecg.gather(2, taken[:, None, :].expand(-1, ecg.shape[1], -1))
        return F.avg_pool1d(ecg, self.step) if self.step > 1 else ecg


def compressed(ecg: Float[Tensor, "batch lead time"], knee: float) -> Float[Tensor, "batch lead time"]:
    """asinh(ECG / knee): linear for small waves, logarithmic for large ones, so that P counts beside R.

    Args:
        ecg: records.
        knee: where the one becomes the other, in the records' unit.
    """
    scaled = ecg / knee
    return _VectorisedAsinh.apply(scaled) if scaled.device.type == "cpu" else torch.asinh(scaled)


def without_baseline(
    ecg: Float[Tensor, "batch lead time"], sampling_rate: int, edge_hz: float
) -> Float[Tensor, "batch lead time"]:
    """The records above a frequency, without a shift of phase: a Butterworth filter of the second order, twice.

    By Fourier transform of the record mirrored at its ends; linear, and as cheap backwards as forwards.

    Args:
        ecg: records.
        sampling_rate: in Hz.
        edge_hz: where the filter halves the amplitude.
    """
    time = ecg.shape[2]
    margin = min(math.ceil(_MARGIN_S * sampling_rate), time - 1)
    longer = F.pad(ecg, (margin, margin), mode="reflect")
    frequency = torch.fft.rfftfreq(longer.shape[2], 1 / sampling_rate, device=ecg.device, dtype=ecg.dtype)
    gain = frequency**4 / (frequency**4 + edge_hz**4)
    return torch.fft.irfft(torch.fft.rfft(longer) * gain, n=longer.shape[2])[..., margin : margin + time]


class _VectorisedAsinh(torch.autograd.Function):
    """On a CPU, where torch computes asinh number by number: a third of its time. Of numbers below 1e19."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        size = x.abs()
        square = size * size
        return torch.log1p(size + square / (1 + torch.sqrt(1 + square))).copysign(x)

    @staticmethod
    def backward(context: Any, slope: Tensor) -> Tensor:
        (x,) = context.saved_tensors
        return slope * torch.rsqrt(1 + x * x)
