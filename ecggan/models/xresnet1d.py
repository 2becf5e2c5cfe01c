"""A residual network that tells diagnoses from ECGs: what the usefulness of generated ECGs is measured with.

Small and fixed, so that a figure means the same everywhere: 0.1 M parameters, ECGs at 100 Hz.

Source: He et al. 2019, Bag of tricks for image classification with convolutional neural networks (xresnet); Strodthoff
et al. 2021, Deep learning for ECG analysis: benchmarks and insights from PTB-XL (xresnet1d, the best network there).
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

STEM_WIDTHS = (16, 16, 32)
WIDTHS = (32, 32, 64, 64)  # of the four stages, a block each
KERNEL_SIZE = 5


class XResNet1d(nn.Module):
    """An ECG of any length from 32 samples -> a logit for each class, each independent of the others.

    Args:
        num_leads: of the ECG.
        num_classes: of the output.
    """

    def __init__(self, num_leads: int, num_classes: int) -> None:
        super().__init__()
        ends = list(pairwise((num_leads, *STEM_WIDTHS)))
        stem = [_conv(ins, outs, stride=1 if i else 2) for i, (ins, outs) in enumerate(ends)]
        ins, blocks = STEM_WIDTHS[-1], []
        for stage, outs in enumerate(WIDTHS):
            blocks.append(_Block(ins, outs, stride=2 if stage else 1))
            ins = outs
        self.body = nn.Sequential(*stem, nn.MaxPool1d(3, stride=2, padding=1), *blocks)
        self.head = nn.Sequential(nn.BatchNorm1d(2 * ins), nn.Dropout(0.5), nn.Linear(2 * ins, num_classes))

    def forward(self, ecg: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch label"]:
        x = self.body(ecg)
        return self.head(torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1))


class _Block(nn.Module):
    """Two convolutions beside a shortcut, whose strides average; at first a block does nothing."""

    def __init__(self, ins: int, outs: int, stride: int) -> None:
        super().__init__()
        last = _conv(outs, outs, has_relu=False)
        norm = last[1]
        assert isinstance(norm, nn.BatchNorm1d)
        nn.init.zeros_(norm.weight)
        self.convs = nn.Sequential(_conv(ins, outs, stride), last)
        shortcut: list[nn.Module] = [] if stride == 1 else [nn.AvgPool1d(stride, ceil_mode=True)]
        self.shortcut = nn.Sequential(*shortcut, *([] if ins == outs else [_conv(ins, outs, kernel=1, has_relu=False)]))

    def forward(self, x: Float[Tensor, "batch in time"]) -> Float[Tensor, "batch out shorter"]:
        return F.relu(self.convs(x) + self.shortcut(x))


def _conv(ins: int, outs: int, stride: int = 1, kernel: int = KERNEL_SIZE, has_relu: bool = True) -> nn.Sequential:
    conv = nn.Conv1d(ins, outs, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight)
    return nn.Sequential(conv, nn.BatchNorm1d(outs), *([nn.ReLU()] if has_relu else []))
