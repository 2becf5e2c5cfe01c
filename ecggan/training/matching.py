"""A loss without a critic: the energy distance between features of real and of generated ECGs.

Fast, for nothing has to be learned before it teaches; but it moves only what its features see.

Source: Székely and Rizzo 2013, Energy statistics; Li et al. 2015, Generative moment matching networks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ecggan import checks
from ecggan.training.features import features, floors
from ecggan.training.losses import widened


def energy_distance(x: Float[Tensor, "n value"], y: Float[Tensor, "m value"]) -> Float[Tensor, ""]:
    """2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖, without bias: 0 in the mean for two samples of one law, so at times below.

    Args:
        x: at least two points.
        y: likewise.
    """
    within = [_distances(z, z).sum() / (len(z) * (len(z) - 1)) for z in (x, y)]
    return 2 * _distances(x, y).mean() - within[0] - within[1]


def _distances(x: Tensor, y: Tensor) -> Tensor:
    squared = (x[:, None] - y[None]).square().sum(dim=2)
    return torch.where(squared > 0, squared, 1).sqrt() * (squared > 0)  # a root has no slope at 0


@dataclass(frozen=True)
class MatchingLoss:
    """The sum of the energy distances of each kind of feature, in SDs of the batch's real ECGs.

    Args:
        leads: of the records.
        sampling_rate: in Hz.
        full_scale_mv: the amplitude of the records' ±1.
        weights: of "beats", "rhythm" and "spectrum"; 0 leaves one out.
    """

    leads: Sequence[str]
    sampling_rate: int
    full_scale_mv: int | float
    weights: Mapping[str, int | float]

    def __post_init__(self) -> None:
        unknown = [name for name in self.weights if name not in floors()]
        if unknown:
            raise ValueError(f"loss=matching knows the features {', '.join(floors())}; got a weight of {unknown[0]!r}")
        for name, weight in self.weights.items():
            checks.number(f"model.gan.loss.weights.{name}", weight, at_least=0)
        if not any(self.weights.values()):
            raise ValueError("loss=matching needs a weight above 0: with none there is nothing to match")

    def distances(
        self, real: Float[Tensor, "real lead time"], fake: Float[Tensor, "fake lead time"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The energy distance of each kind of feature, over the root of the number of its values."""
        leads = list(self.leads)
        limb_leads = (leads.index("I"), leads.index("II")) if {"I", "II"} <= set(leads) else None
        seen = [features(widened(ecg), self.sampling_rate, self.full_scale_mv, limb_leads) for ecg in (real, fake)]
        found = {}
        for name, floor in floors().items():
            x, y = (each[name] for each in seen)
            unit = x.std(dim=0) + floor
            found[name] = energy_distance(x / unit, y / unit) / x.shape[1] ** 0.5
        return found

    def generator_losses(
        self, real: Float[Tensor, "real lead time"], fake: Float[Tensor, "fake lead time"]
    ) -> dict[str, Tensor]:
        """What the generator makes small, as ``generator_loss``, and each distance beside it."""
        distances = self.distances(real, fake)
        loss = torch.stack([weight * distances[name] for name, weight in self.weights.items() if weight]).sum()
        return {"generator_loss": loss, **{f"distance_of_{name}": value for name, value in distances.items()}}
