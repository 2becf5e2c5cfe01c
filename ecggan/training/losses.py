"""The losses of WGAN-GP, as pure functions.

In mixed precision the networks return 16 bits; scores and slopes are converted to 32 bits before sums.

Source: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, algorithm 1.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def critic_gap(real_scores: Float[Tensor, "real"], fake_scores: Float[Tensor, "fake"]) -> Float[Tensor, ""]:
    """Mean score of real minus that of fake records: an estimate of the Wasserstein distance, up to a factor."""
    return widened(real_scores).mean() - widened(fake_scores).mean()


def critic_loss(
    real_scores: Float[Tensor, "real"],
    fake_scores: Float[Tensor, "fake"],
    penalty: Float[Tensor, ""],
    gradient_penalty_weight: float,
) -> Float[Tensor, ""]:
    """The critic's loss: negative gap plus the weighted gradient penalty."""
    return gradient_penalty_weight * penalty - critic_gap(real_scores, fake_scores)


def generator_loss(fake_scores: Float[Tensor, "fake"]) -> Float[Tensor, ""]:
    """The generator's loss: negative mean score of its records."""
    return -widened(fake_scores).mean()


def gradient_penalty(
    slope: Callable[[Tensor], Tensor],
    real: Float[Tensor, "batch lead time"],
    fake: Float[Tensor, "batch lead time"],
    share: Float[Tensor, "batch 1 1"],
) -> Float[Tensor, ""]:
    """Penalise critic slopes other than one between real and fake records.

    One point is taken on each line from a fake record to a real one; the critic's gradient there should have norm 1,
    over all leads and samples together.

    Args:
        slope: records -> the gradient of each record's score with respect to it, in the graph of the critic's weights.
        real: records.
        fake: as many generated records.
        share: the position of each point between the fake record (0) and the real one (1), drawn uniformly.
    """
    real, fake = widened(real), widened(fake)  # so that the points, their slopes and norms are in 32 bits too
    between = torch.lerp(fake, real, share.to(real.dtype))
    return (widened(slope(between)).flatten(1).norm(dim=1) - 1).square().mean()


def widened(tensor: Tensor) -> Tensor:
    """At least 32 bits of it."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
