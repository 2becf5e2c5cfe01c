"""ECGs are to show the condition that was asked for: the critic learns to recognise it, in real records alone.

A critic that compares real and generated records of the same condition learns what tells them apart, and of the
condition only as much as that takes. One that is taught to recognise it has the features early, and the generator
learns to be recognised.

The price: where a condition cannot be told from an ECG for certain (an age, a diagnosis), a generator draws it more
clearly than real records show it; a smaller weight is the remedy.

Source: Odena et al. 2017, Conditional image synthesis with auxiliary classifier GANs; squared errors in the place of
their cross entropies, for ages and rates, and in units of the training records' SD.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecggan.data.sets.conditions import Conditions
from ecggan.training.losses import widened

_SMALLEST_VARIANCE = 0.04  # of a label that one record in 25 carries; rarer ones have less weight


class RecognitionLoss(nn.Module):
    """The error of what is recognised, 1 for a critic that knows the mean alone.

    Conditions weigh the same, of labels and sexes the mean; what is unknown of a record has no say.

    Args:
        conditions: of the networks.
    """

    def __init__(self, conditions: Conditions) -> None:
        super().__init__()
        encoded, ends = conditions.encode(conditions.rows), np.cumsum(conditions.sizes)
        weights, unknown = np.zeros(conditions.size), np.zeros(conditions.size, int)
        for size, end in zip(conditions.sizes, ends, strict=True):
            own = slice(end - size, end - 1)
            known = encoded[encoded[:, end - 1] == 0, own]
            variance = known.var(axis=0).clip(_SMALLEST_VARIANCE) if len(known) else 1.0
            weights[own] = 1 / variance / (size - 1) / len(ends)
            unknown[end - size : end] = end - 1
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32), persistent=False)
        self.register_buffer("unknown", torch.tensor(unknown), persistent=False)

    def forward(
        self, recognised: Float[Tensor, "batch critic value"], condition: Float[Tensor, "batch value"]
    ) -> Float[Tensor, ""]:
        is_known = 1 - condition[:, self.get_buffer("unknown")]
        error = (widened(recognised) - condition[:, None]).square()
        return (error * (is_known * self.get_buffer("weights"))[:, None]).sum(dim=2).mean()
