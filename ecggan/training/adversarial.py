"""Losses that two networks play against each other with, beside WGAN-GP's: relativistic pairs and hinge.

Pure functions of scores and slopes first, then the losses that are chosen by name. Scores may have any shape, one
critic's or several critics' side by side; each counts by itself and all weigh the same. In mixed precision scores and
slopes are widened to 32 bits before anything is summed.

Sources: Jolicoeur-Martineau 2019, The relativistic discriminator, and Huang et al. 2024, The GAN is dead; long live the
GAN! (R3GAN: relativistic pairs with both penalties); Mescheder et al. 2018, Which training methods for GANs do actually
converge? (R1, R2); Lim and Ye 2017, Geometric GAN (hinge).
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ecggan.models.discriminator import Discriminator
from ecggan.models.multiscale import MultiscaleDiscriminator
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


def scores_of(
    critic: Discriminator | MultiscaleDiscriminator,
    ecg: Float[Tensor, "batch lead time"],
    shifts: Tensor | None,
    condition: Float[Tensor, "batch value"] | None,
) -> Float[Tensor, "batch *critic"]:
    """A critic's scores; one of the user's own need not know conditions."""
    return critic(ecg, shifts) if condition is None else critic(ecg, shifts, condition)


def squared_slopes(
    critic: Discriminator | MultiscaleDiscriminator,
    ecg: Float[Tensor, "batch lead time"],
    shifts: Tensor | None,
    unit: float,
    condition: Float[Tensor, "batch value"] | None = None,
) -> Float[Tensor, "batch *critic"]:
    """Of each score the squared norm of its gradient, in the critic's graph.

    Args:
        critic: small ones count along what each sees, whose SD is about a half by their making.
        ecg: where the slope is taken.
        shifts: the critic's random numbers.
        unit: of the records, by which a long critic's slope counts: where it is twice their SD, theirs is a half too.
        condition: of the records; None for a critic without.
    """
    if isinstance(critic, MultiscaleDiscriminator):
        assert shifts is not None
        return critic.squared_slopes(ecg, shifts, condition)
    slopes = critic.slope(ecg, shifts) if condition is None else critic.slope(ecg, shifts, condition)
    return widened(slopes * unit).square().sum(dim=(1, 2))


@runtime_checkable
class AdversarialLoss(Protocol):
    """What takes the place of WGAN-GP's losses in a training."""

    def critic_losses(
        self,
        critic: Discriminator | MultiscaleDiscriminator,
        real: Float[Tensor, "batch lead time"],
        fake: Float[Tensor, "batch lead time"],
        rng: torch.Generator,
        step: int,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> dict[str, Tensor]:
        """What the critic makes small, as ``critic_loss``, and what is to be logged beside it.

        Args:
            critic: its shuffles or windows are drawn here, once for both kinds of records.
            real: records.
            fake: as many generated ones.
            rng: stream of random numbers.
            step: of the critic, from 0.
            condition: of each real record and of the generated one beside it; None for networks without.
        """

    def generator_loss(
        self,
        critic: Discriminator | MultiscaleDiscriminator,
        real: Float[Tensor, "batch lead time"],
        fake: Float[Tensor, "batch lead time"],
        rng: torch.Generator,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> Float[Tensor, ""]:
        """What the generator makes small; Args: as of `critic_losses`."""


@dataclass(frozen=True)
class R3GANLoss:
    """Relativistic pairs with zero-centred penalties on real and on generated records.

    Args:
        gamma: γ at the first step.
        last_gamma: γ from `gamma_steps` on; between, its logarithm falls evenly.
        gamma_steps: critic steps.
        every: how often the penalties are taken, in critic steps; they weigh accordingly.
        unit: see [squared_slopes][].
    """

    gamma: int | float
    last_gamma: int | float
    gamma_steps: int
    every: int
    unit: int | float

    def __post_init__(self) -> None:
        if not (self.gamma > 0 and self.last_gamma > 0 and self.gamma_steps >= 0 and self.every >= 1 and self.unit > 0):
            raise ValueError(
                f"loss=r3gan needs gamma, last_gamma and unit above 0, gamma_steps from 0 and every from 1; got {self}"
            )

    def gamma_at(self, step: int) -> float:
        """γ at a critic step."""
        share = min(step / self.gamma_steps, 1.0) if self.gamma_steps else 1.0
        return self.gamma * (self.last_gamma / self.gamma) ** share

    def critic_losses(
        self,
        critic: Discriminator | MultiscaleDiscriminator,
        real: Float[Tensor, "batch lead time"],
        fake: Float[Tensor, "batch lead time"],
        rng: torch.Generator,
        step: int,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> dict[str, Tensor]:
        shifts = critic.draw_shifts(len(real), rng)
        real_scores, fake_scores = (scores_of(critic, ecg, shifts, condition) for ecg in (real, fake))
        loss = relativistic_critic_loss(real_scores, fake_scores)
        losses = {"told_apart": telling_apart(real_scores.detach(), fake_scores.detach())}
        if step % self.every == 0:
            gamma = self.gamma_at(step)
            for name, ecg in (("r1", real), ("r2", fake)):
                slopes = squared_slopes(critic, ecg, shifts, self.unit, condition)
                penalty = zero_centred_penalty(slopes, gamma, self.every)
                losses[name] = penalty / self.every
                loss = loss + penalty
        return {"critic_loss": loss, **losses}

    def generator_loss(
        self,
        critic: Discriminator | MultiscaleDiscriminator,
        real: Float[Tensor, "batch lead time"],
        fake: Float[Tensor, "batch lead time"],
        rng: torch.Generator,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> Float[Tensor, ""]:
        shifts = critic.draw_shifts(len(real), rng)
        with torch.no_grad():
            real_scores = scores_of(critic, real, shifts, condition)
        return relativistic_generator_loss(real_scores, scores_of(critic, fake, shifts, condition))


@dataclass(frozen=True)
class HingeLoss:
    """Hinge, with a penalty on the slope at real records.

    Args:
        gamma: γ of the penalty; 0 for none.
        every: how often it is taken, in critic steps.
        unit: see [squared_slopes][].
    """

    gamma: int | float
    every: int
    unit: int | float

    def __post_init__(self) -> None:
        if not (self.gamma >= 0 and self.every >= 1 and self.unit > 0):
            raise ValueError(f"loss=hinge needs gamma from 0, every from 1 and unit above 0; got {self}")

    def critic_losses(
        self,
        critic: Discriminator | MultiscaleDiscriminator,
        real: Float[Tensor, "batch lead time"],
        fake: Float[Tensor, "batch lead time"],
        rng: torch.Generator,
        step: int,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> dict[str, Tensor]:
        shifts = critic.draw_shifts(len(real), rng)
        real_scores, fake_scores = (scores_of(critic, ecg, shifts, condition) for ecg in (real, fake))
        loss = hinge_critic_loss(real_scores, fake_scores)
        losses = {"told_apart": telling_apart(real_scores.detach(), fake_scores.detach())}
        if self.gamma and step % self.every == 0:
            slopes = squared_slopes(critic, real, shifts, self.unit, condition)
            penalty = zero_centred_penalty(slopes, self.gamma, self.every)
            losses["r1"] = penalty / self.every
            loss = loss + penalty
        return {"critic_loss": loss, **losses}

    def generator_loss(
        self,
        critic: Discriminator | MultiscaleDiscriminator,
        real: Float[Tensor, "batch lead time"],
        fake: Float[Tensor, "batch lead time"],
        rng: torch.Generator,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> Float[Tensor, ""]:
        shifts = critic.draw_shifts(len(fake), rng)
        return -widened(scores_of(critic, fake, shifts, condition)).mean()
