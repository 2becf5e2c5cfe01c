"""The losses of WGAN-GP, as pure functions.

In mixed precision the networks give 16 bits; scores and slopes are widened to 32 before anything is summed.

Source: Gulrajani et al. 2017, Improved Training of Wasserstein GANs, algorithm 1.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def critic_gap(real_scores: Float[Tensor, "real"], fake_scores: Float[Tensor, "fake"]) -> Float[Tensor, ""]:
    """How much higher the critic scores real records; an estimate of the Wasserstein distance, up to a factor."""
    return widened(real_scores).mean() - widened(fake_scores).mean()


def critic_loss(
    real_scores: Float[Tensor, "real"],
    fake_scores: Float[Tensor, "fake"],
    penalty: Float[Tensor, ""],
    gradient_penalty_weight: float,
) -> Float[Tensor, ""]:
    """What the critic makes small: real records score high, fake ones low, with a slope of one between."""
    return gradient_penalty_weight * penalty - critic_gap(real_scores, fake_scores)


def generator_loss(fake_scores: Float[Tensor, "fake"]) -> Float[Tensor, ""]:
    """What the generator makes small: its records score high."""
    return -widened(fake_scores).mean()


def gradient_penalty(
    slope: Callable[[Tensor], Tensor],
    real: Float[Tensor, "batch lead time"],
    fake: Float[Tensor, "batch lead time"],
    share: Float[Tensor, "batch 1 1"],
) -> Float[Tensor, ""]:
    """Penalise the critic where its slope between real and fake is not one.

    One point is taken on each line from a real record to a fake one; the critic's gradient there should have norm 1,
    over all leads and samples together.

    Args:
        slope: records -> the gradient of each one's score along it, in the graph of the critic's weights.
        real: records.
        fake: as many generated ones.
        share: how far each point lies from the fake record to the real one, drawn uniformly from 0 to 1.
    """
    real, fake = widened(real), widened(fake)  # so the points between, the slope there and its norm are wide too
    between = torch.lerp(fake, real, share.to(real.dtype))
    return (widened(slope(between)).flatten(1).norm(dim=1) - 1).square().mean()


def widened(tensor: Tensor) -> Tensor:
    """At least 32 bits of it."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
