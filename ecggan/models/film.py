"""Condition a generator: each channel of each layer is scaled and shifted by what is asked for.

Source: Perez et al. 2018, FiLM: visual reasoning with a general conditioning layer.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

EMBEDDING_SIZE = 64
FILM = "film."
"""How the parameters of a generator begin that conditions have; a generator without has none."""


def embedding(condition_size: int) -> nn.Sequential:
    """A condition in numbers -> a vector; what is not known is a number of its own, and so has one of its own."""
    return nn.Sequential(
        nn.Linear(condition_size, EMBEDDING_SIZE),
        nn.LeakyReLU(0.2),
        nn.Linear(EMBEDDING_SIZE, EMBEDDING_SIZE),
        nn.LeakyReLU(0.2),
    )


class FiLM(nn.Module):
    """A condition -> for each layer the scale and shift of its channels; at first they change nothing.

    Args:
        condition_size: numbers of a condition.
        widths: channels of each layer.
    """

    def __init__(self, condition_size: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.embedding = embedding(condition_size)
        self.head = nn.Linear(EMBEDDING_SIZE, 2 * sum(widths))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, condition: Float[Tensor, "batch value"]) -> list[Float[Tensor, "batch _ 2"]]:
        """For each layer, of each channel what its scale is above one, and its shift."""
        return list(self.head(self.embedding(condition)).unflatten(1, (-1, 2)).split(self.widths, dim=1))


def modulated(
    x: Float[Tensor, "batch channel time"], change: Float[Tensor, "batch channel 2"]
) -> Float[Tensor, "batch channel time"]:
    """Channels scaled and shifted."""
    return x * (1 + change[..., :1]) + change[..., 1:]


class Projection(nn.Module):
    """A condition -> a direction of a critic's last features; along it, records score higher.

    Source: Miyato and Koyama 2018, cGANs with projection discriminator, equation 5.

    Args:
        condition_size: numbers of a condition.
        num_features: of the critic's last layer, the mean over time.
    """

    def __init__(self, condition_size: int, num_features: int) -> None:
        super().__init__()
        self.embedding = embedding(condition_size)
        self.head = nn.Linear(EMBEDDING_SIZE, num_features)

    def forward(self, condition: Float[Tensor, "batch value"]) -> Float[Tensor, "batch feature"]:
        return self.head(self.embedding(condition))


class Recognition(nn.Linear):
    """A critic's last features -> the condition that they show, in the same numbers.

    Source: Odena et al. 2017, Conditional image synthesis with auxiliary classifier GANs.

    Args:
        num_features: of the critic's last layer, the mean over time.
        condition_size: numbers of a condition.
    """

    def __init__(self, num_features: int, condition_size: int) -> None:
        super().__init__(num_features, condition_size)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


def check_condition(condition: Tensor | None, film: nn.Module | None) -> None:
    """Raise ValueError where a network is given a condition that it does not take, or lacks one that it takes."""
    if (condition is None) != (film is None):
        raise ValueError("this network takes a condition" if condition is None else "this network takes no condition")
