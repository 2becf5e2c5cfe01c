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
from jaxtyping import Bool, Float, Int64
from torch import Tensor

_COARSE_MS = 8  # fine enough to find a QRS complex
_SMOOTH_MS, _ALONE_MS = 40, 170  # around a QRS complex; to the next steep thing
_LEAST_STEEP = 0.3
_DIFFERENCE_GAIN = 2.0  # of real beats a third of the beats' own size
_PLAY_MS = 24  # within which the second beat is laid on the first
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
            ecg = _stretch(ecg, starts, window)
        return F.avg_pool1d(ecg, self.step) if self.step > 1 else ecg


@dataclass(frozen=True)
class BeatPair:
    """Two beats of a record, laid on each other: their mean and how they differ.

    So a critic sees whether the beats of a record are alike; in a window it would have to find both before it could
    compare them. Which two is drawn by record. Of a record without two beats two stretches are shown.

    Args:
        before_ms: what is shown before the QRS complex, from where it is steepest.
        after_ms: and after it.
        step: a sample of the view is the mean of so many of the record.
    """

    before_ms: int | float
    after_ms: int | float
    step: int

    def __post_init__(self) -> None:
        if not (self.before_ms >= 0 and self.after_ms > 0):
            raise ValueError(
                f"before_ms must be at least 0 and after_ms above 0; got {self.before_ms!r} and {self.after_ms!r}"
            )
        if self.step < 1:
            raise ValueError(f"step must be at least 1; got {self.step!r}")

    def num_channels(self, num_leads: int) -> int:
        return 2 * num_leads

    def num_samples(self, num_samples: int, sampling_rate: int) -> int:
        """The view's length.

        Raises:
            ValueError: a beat is longer than the record.
        """
        shown_ms = self.before_ms + self.after_ms
        if shown_ms * sampling_rate > 1000 * num_samples:
            raise ValueError(
                f"before_ms + after_ms = {shown_ms:g} ms are more than a record of {num_samples / sampling_rate:g} s"
            )
        return round(shown_ms * sampling_rate / 1000) // self.step

    def of(
        self, ecg: Float[Tensor, "batch lead time"], starts: Int64[Tensor, " batch"], length: int
    ) -> Float[Tensor, "batch channel short"]:
        """The view of records; gradients pass to the beats, not to where they are found.

        Args: as of `View`, but `starts` are numbers drawn for each record that choose its beats.
        """
        window = length * self.step
        per_ms = window / (self.before_ms + self.after_ms)
        before, play = round(self.before_ms * per_ms), max(round(_PLAY_MS * per_ms), 1)
        with torch.no_grad():
            last = ecg.shape[2] - window - play  # where a stretch may begin, the play apart
            coarse = max(round(_COARSE_MS * per_ms), 1)
            begins = _is_qrs(F.avg_pool1d(ecg, coarse), per_ms / coarse)[:, before // coarse :][:, : last // coarse + 1]
            first, second = ((begin * coarse).clamp(play, last) for begin in _two_of(begins, starts))
            second = second + _lag(_stretch(ecg, first, window), _stretch(ecg, second - play, window + 2 * play)) - play
        one, other = (_stretch(ecg, begin, window) for begin in (first, second))
        pair = torch.cat(((one + other) / 2, (one - other) * _DIFFERENCE_GAIN), dim=1)
        return F.avg_pool1d(pair, self.step) if self.step > 1 else pair


def _stretch(
    ecg: Float[Tensor, "batch lead time"], starts: Int64[Tensor, " batch"], length: int
) -> Float[Tensor, "batch lead short"]:
    taken = starts[:, None] + torch.arange(length, device=ecg.device)
    return ecg.gather(2, taken[:, None, :].expand(-1, ecg.shape[1], -1))


def _lag(beat: Float[Tensor, "batch lead time"], longer: Float[Tensor, "batch lead longer"]) -> Int64[Tensor, " batch"]:
    """Where in the longer stretch the beat fits best."""
    length = beat.shape[2]
    apart = [
        (longer[..., lag : lag + length] - beat).square().sum(dim=(1, 2)) for lag in range(longer.shape[2] - length + 1)
    ]
    return torch.stack(apart).argmin(dim=0)


def _is_qrs(ecg: Float[Tensor, "batch lead time"], per_ms: float) -> Bool[Tensor, "batch time"]:
    """Where the leads together are steepest for a third of a second around, and about as steep as at other beats."""
    smooth, alone = (max(round(ms * per_ms), 1) for ms in (_SMOOTH_MS, _ALONE_MS))
    slope = F.pad(ecg.diff(dim=2).square().mean(dim=1, keepdim=True), (0, 1))
    steep = F.avg_pool1d(slope, 2 * smooth + 1, stride=1, padding=smooth)
    highest = F.max_pool1d(steep, 2 * alone + 1, stride=1, padding=alone)
    return ((steep == highest) & (steep > _LEAST_STEEP * highest.mean(dim=2, keepdim=True)))[:, 0]


def _two_of(
    is_there: Bool[Tensor, "batch time"], drawn: Int64[Tensor, " batch"]
) -> tuple[Int64[Tensor, " batch"], Int64[Tensor, " batch"]]:
    """Where two different ones are, chosen by a number; places of no meaning where there are fewer."""
    count = is_there.sum(dim=1).clamp(min=2)
    first = drawn % count
    second = (first + 1 + drawn // count % (count - 1)) % count
    nth = is_there.cumsum(dim=1)
    one, other = ((is_there & (nth == rank[:, None] + 1)).byte().argmax(dim=1) for rank in (first, second))
    return one, other


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
