"""The layers of the networks."""

import math
from copy import deepcopy

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

KERNEL_SIZE = 25  # of all convolutions in both papers' networks
_FEW_POSITIONS_ON_CPU = 100  # output length below which a matrix product is faster
_FEW_POSITIONS = 16  # on other devices


def conv1d(
    x: Float[Tensor, "batch in time"], weight: Tensor, bias: Tensor | None, stride: int = 1, padding: int = 0
) -> Float[Tensor, "batch out _"]:
    """torch's conv1d, as one matrix product if the output has few samples.

    Such outputs are at the bottleneck of the generators and the end of the critic, where a CPU's convolution spends its
    time on reordering weights: at d = 50 the critic's fifth and sixth layers take 4 and 2 times as long as the product.
    For the last, torch uses a reference implementation: 40 s for a gradient of the weights, 0.4 s as a product.
    """
    kernel = weight.shape[2]
    if not _as_product(weight, x.shape[2], stride, padding):
        return F.conv1d(x, weight, bias, stride, padding)
    windows = F.pad(x, (padding, padding)).unfold(2, kernel, stride)  # (batch, in, position, tap)
    y = F.linear(windows.transpose(1, 2).flatten(2), weight.flatten(1), bias)
    return y.transpose(1, 2)


def adjoint_conv1d(
    y: Float[Tensor, "batch out short"], weight: Tensor, length: int, stride: int = 1, padding: int = 0
) -> Float[Tensor, "batch in time"]:
    """The adjoint of [conv1d][]: gradients of its output -> gradients of its input, `length` samples long.

    The bias does not enter. It is a matrix product and a sum of overlapping windows where [conv1d][] is a product.
    """
    kernel = weight.shape[2]
    if not _as_product(weight, length, stride, padding):
        left_over = (length + 2 * padding - kernel) % stride  # samples at the end outside every window
        return F.conv_transpose1d(y, weight, stride=stride, padding=padding, output_padding=left_over)
    windows = (y.transpose(1, 2) @ weight.flatten(1)).transpose(1, 2)  # (batch, in * tap, position)
    x = F.fold(windows, (1, length + 2 * padding), (1, kernel), stride=(1, stride)).squeeze(2)
    return x[..., padding : padding + length]


def _as_product(weight: Tensor, length: int, stride: int, padding: int) -> bool:
    few = _FEW_POSITIONS_ON_CPU if weight.device.type == "cpu" else _FEW_POSITIONS
    return length + 2 * padding - weight.shape[2] < few * stride


class Conv1d(nn.Conv1d):
    """torch's layer, through [conv1d][]; one stride and zero padding, no dilation or groups."""

    def forward(self, x: Float[Tensor, "batch in time"]) -> Float[Tensor, "batch out _"]:
        return conv1d(x, self.weight, self.bias, self.stride[0], int(self.padding[0]))

    def adjoint(self, y: Float[Tensor, "batch out short"], length: int) -> Float[Tensor, "batch in time"]:
        """Gradients of the output -> gradients of the input, `length` samples long."""
        return adjoint_conv1d(y, self.weight, length, self.stride[0], int(self.padding[0]))


class UpsampledConv1d(nn.Module):
    """Nearest-neighbour upsampling by `factor`, zero padding to keep the length, and a 25-tap convolution, in one.

    In an upsampled signal, neighbouring taps multiply the same value, so their weights can be added first: each of the
    `factor` phases of the output has a short filter, and all phases are one convolution of the original signal,
    followed by interleaving. The function is the same, with about `factor` times fewer multiplications. The parameters
    are the 25 taps, as in the published weights.

    Source: the polyphase identity, e.g. Vaidyanathan 1993, Multirate Systems and Filter Banks, section 4.3.
    """

    def __init__(self, in_channels: int, out_channels: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv1d(in_channels, out_channels, KERNEL_SIZE)
        self.padding = math.ceil((KERNEL_SIZE // 2) / factor)
        self.register_buffer("phases", _phases(factor, self.padding), persistent=False)

    def forward(self, x: Float[Tensor, "batch in time"]) -> Float[Tensor, "batch out longer"]:
        return _interleaved(conv1d(x, *self.folded(), padding=self.padding), self.factor)

    def folded(self) -> tuple[Float[Tensor, "phases in short_tap"], Float[Tensor, " phases"]]:
        """The weight and bias of the convolution of all phases; output channels vary slowest, phases fastest."""
        short = self.conv.weight @ self.get_buffer("phases")  # (out, in, factor * short_tap)
        weight = short.unflatten(2, (self.factor, -1)).transpose(1, 2).flatten(0, 1)
        assert self.conv.bias is not None
        return weight, self.conv.bias.repeat_interleave(self.factor)


class FoldedConv1d(nn.Module):
    """A layer with its weights folded once: the same output up to rounding, for inference.

    Of a record shorter than the kernel most taps meet padding alone, so that the others are one matrix.
    """

    def __init__(self, layer: UpsampledConv1d | Conv1d) -> None:
        super().__init__()
        if isinstance(layer, UpsampledConv1d):
            self.factor, self.stride, self.padding = layer.factor, 1, layer.padding
            weight, bias = layer.folded()
        else:
            assert layer.bias is not None
            self.factor, self.stride, self.padding = 1, layer.stride[0], int(layer.padding[0])
            weight, bias = layer.weight, layer.bias
        self.register_buffer("weight", weight.detach().contiguous())
        self.register_buffer("bias", bias.detach())
        self._matrices: dict[int, tuple[Tensor, Tensor]] = {}  # by the length of the record

    def forward(self, x: Float[Tensor, "batch in time"]) -> Float[Tensor, "batch out longer"]:
        weight, bias = self.get_buffer("weight"), self.get_buffer("bias")
        length, kernel = x.shape[2], weight.shape[2]
        if length >= kernel:
            return _interleaved(conv1d(x, weight, bias, self.stride, self.padding), self.factor)
        if length not in self._matrices:
            self._matrices[length] = _as_matrix(weight, bias, length, self.stride, self.padding, self.factor)
        return F.linear(x.flatten(1), *self._matrices[length]).unflatten(1, (len(bias) // self.factor, -1))


def _as_matrix(
    weight: Float[Tensor, "phases in tap"],
    bias: Float[Tensor, " phases"],
    length: int,
    stride: int,
    padding: int,
    factor: int,
) -> tuple[Float[Tensor, "output input"], Float[Tensor, " output"]]:
    """A convolution of records of that length, and its interleaving, as one matrix."""
    kernel = weight.shape[2]
    positions = torch.arange((length + 2 * padding - kernel) // stride + 1, device=weight.device)
    taps = torch.arange(length, device=weight.device) - positions[:, None] * stride + padding  # (position, sample)
    met = weight[:, :, taps.clamp(0, kernel - 1)] * ((taps >= 0) & (taps < kernel))  # (phase, in, position, sample)
    rows = met.unflatten(0, (-1, factor)).permute(0, 3, 1, 2, 4)  # (out, position, factor, in, sample)
    return rows.flatten(3).flatten(0, 2), bias.unflatten(0, (-1, factor)).repeat(1, len(positions)).flatten()


def folded(network: nn.Module) -> nn.Module:
    """A copy of a network for inference, each layer folded once instead of at every call; see [FoldedConv1d][]."""
    copy = deepcopy(network).eval().requires_grad_(False)
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, UpsampledConv1d | Conv1d):
                parent.register_module(name, FoldedConv1d(child))
    return copy


def _interleaved(y: Float[Tensor, "batch phases time"], factor: int) -> Float[Tensor, "batch out longer"]:
    # (batch, out * factor, time) -> (batch, out, time * factor)
    return y.unflatten(1, (-1, factor)).transpose(2, 3).flatten(2)


def _phases(factor: int, padding: int) -> Float[Tensor, "tap short_taps"]:
    """The short tap to which each of the 25 taps is added, for each phase of the output; ones and zeros."""
    phases = torch.zeros(KERNEL_SIZE, factor, 2 * padding + 1)
    for tap in range(KERNEL_SIZE):
        for phase in range(factor):
            phases[tap, phase, (phase + tap - KERNEL_SIZE // 2) // factor + padding] = 1
    return phases.flatten(1)


def phase_shuffle(
    x: Float[Tensor, "batch channel time"], shifts: Int64[Tensor, " batch"]
) -> Float[Tensor, "batch channel time"]:
    """Shift each record by a whole number of samples, mirrored at the ends.

    It keeps the critic from recognising generated records by the phase of their upsampling artefacts.

    Source: Donahue et al. 2019, Adversarial Audio Synthesis, section 3.3.
    """
    return x.gather(2, _sources(x, shifts))


def adjoint_phase_shuffle(
    y: Float[Tensor, "batch channel time"], shifts: Int64[Tensor, " batch"]
) -> Float[Tensor, "batch channel time"]:
    """The adjoint of [phase_shuffle][]: gradients of its output -> gradients of its input."""
    return torch.zeros_like(y).scatter_add(2, _sources(y, shifts), y)


def _sources(x: Float[Tensor, "batch channel time"], shifts: Tensor) -> Int64[Tensor, "batch channel time"]:
    time = x.shape[2]
    source = (torch.arange(time, device=x.device) - shifts[:, None]).abs()  # mirrored at the start …
    source = (time - 1) - ((time - 1) - source).abs()  # … and at the end
    return source[:, None, :].expand_as(x)
