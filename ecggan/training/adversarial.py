"""Losses that two networks play against each other with, beside WGAN-GP's: relativistic pairs and hinge.

Pure functions of scores and slopes. Scores may have any shape, one critic's or several critics' side by side; each
counts by itself and all weigh the same. In mixed precision scores and slopes are widened to 32 bits before anything is
summed.

Sources: Jolicoeur-Martineau 2019, The relativistic discriminator, and Huang et al. 2024, The GAN is dead; long live the
GAN! (R3GAN: relativistic pairs with both penalties); Mescheder et al. 2018, Which training methods for GANs do actually
converge? (R1, R2); Lim and Ye 2017, Geometric GAN (hinge).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ecggan.training.losses import widened


def relativistic_critic_loss(
    real_scores: Float[Tensor, "batch *critic"], fake_scores: Float[Tensor, "batch *critic"]
) -> Float[Tensor, ""]:
    """Each real record should score above the generated one beside it: the mean of softplus(fake − real)."""
    return F.softplus(widened(fake_scores) - widened(real_scores)).mean()


def relativistic_generator_loss(
    real_scores: Float[Tensor, "batch *critic"], fake_scores: Float[Tensor, "batch *critic"]
) -> Float[Tensor, ""]:
    """Each generated record should score above the real one beside it: the mean of softplus(real − fake).

    The real scores are compared with, not learned from: their records are no function of the generator.
    """
    return F.softplus(widened(real_scores) - widened(fake_scores)).mean()


def hinge_critic_loss(
    real_scores: Float[Tensor, "real *critic"], fake_scores: Float[Tensor, "fake *critic"]
) -> Float[Tensor, ""]:
    """Real records should score above 1 and generated ones below −1; beyond that nothing is gained."""
    return F.relu(1 - widened(real_scores)).mean() + F.relu(1 + widened(fake_scores)).mean()


def zero_centred_penalty(
    squared_slopes: Float[Tensor, "batch *critic"], gamma: float, every: int = 1
) -> Float[Tensor, ""]:
    """γ / 2 times the mean squared slope of the critic: R1 on real records, R2 on generated ones.

    Args:
        squared_slopes: of each record, the squared norm of its score's gradient over all leads and samples.
        gamma: γ. Its unit is the square of the record's: where records are a tenth as large it must be a hundred times
            smaller for the same effect, so give critics an input whose SD does not depend on the full scale.
        every: a lazy penalty, taken on every so many steps, counts as many times as much.
    """
    return widened(squared_slopes).mean() * (gamma / 2 * every)


def telling_apart(
    real_scores: Float[Tensor, "real *critic"], fake_scores: Float[Tensor, "fake *critic"]
) -> Float[Tensor, ""]:
    """The share of all pairs in which the real record scores higher: 0.5 where a critic knows nothing, 1 all.

    The area under the critic's ROC curve; of several critics the mean.
    """
    real, fake = widened(real_scores)[:, None], widened(fake_scores)[None]
    return ((real > fake).float() + 0.5 * (real == fake).float()).mean()


def overfitting(
    train_scores: Float[Tensor, "train *critic"],
    validation_scores: Float[Tensor, "validation *critic"],
    fake_scores: Float[Tensor, "fake *critic"],
) -> Float[Tensor, ""]:
    """How much nearer to generated than to training records the critic sees records that it never trained on.

    0 where validation ECGs score as training ECGs do, 1 where they score as generated ones do: then the critic knows
    its training records by heart, and what it teaches is to copy them.

    Source: Karras et al. 2020, Training generative adversarial networks with limited data, equation 1 (r_v).
    """
    train, validation, fake = (widened(s).mean() for s in (train_scores, validation_scores, fake_scores))
    return (train - validation) / (train - fake).abs().clamp_min(torch.finfo(train.dtype).tiny)
