"""Which weights of a generator learn, and how far they may move from where they started.

A few hundred ECGs say little about 6.6 million weights. In fine-tuning it may be enough that channels become larger or
smaller, or that the layers learn that draw waves, while those that set the rhythm stay.
"""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ecggan.models.film import FILM

ALL, DECODER, LAST_LAYERS, AFFINE = "all", "decoder", "last_layers", "affine"
OF_CONDITIONS, NONE = "conditions", "none"
CHOICES = (ALL, DECODER, LAST_LAYERS, AFFINE, OF_CONDITIONS, NONE)
_LAST = tuple(f"decoder.layers.{number}." for number in (3, 4, 5))


def learned_parameters(generator: nn.Module, trainable: str) -> list[nn.Parameter]:
    """The generator's own parameters that learn; the others are frozen.

    Args:
        generator: of [ecggan.models][].
        trainable: "all"; "decoder", all of the decoder but its first layer, which with what is before it sets the
            rhythm; "last_layers", the three next to the ECG, which draw waves and move no beats; "affine", the biases,
            beside [ChannelScales][], which are no parameters of the generator; "conditions", what conditions do to
            channels, which learns with all but "none"; "none".
    """
    learned = []
    for name, parameter in generator.named_parameters():
        is_learned = {
            ALL: True,
            DECODER: name.startswith("decoder.") and not name.startswith("decoder.layers.0."),
            LAST_LAYERS: name.startswith(_LAST),
            AFFINE: parameter.ndim == 1,
            OF_CONDITIONS: False,
            NONE: False,
        }[trainable] or (trainable != NONE and name.startswith(FILM))
        parameter.requires_grad_(is_learned)
        if is_learned:
            learned.append(parameter)
    return learned


class ChannelScales(nn.Module):
    """A factor for each output channel of each layer, by which the weights that the training started from are scaled.

    With the biases these are the scale and shift of each channel: 2,000 numbers for the published generator.

    Source: Noguchi and Harada 2019, Image generation from small datasets via batch statistics adaptation.

    Args:
        generator: whose weights are the start.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.names = [name for name, _ in _weights(generator)]
        self.factors = nn.ParameterList()
        for i, (_, weight) in enumerate(_weights(generator)):
            self.register_buffer(f"start_{i}", weight.detach().clone())
            self.factors.append(torch.ones_like(weight[(slice(None), *([slice(1)] * (weight.ndim - 1)))]))

    def restart(self, generator: nn.Module) -> None:
        """Take other weights as the start."""
        with torch.no_grad():
            for i, (_, weight) in enumerate(_weights(generator)):
                self.get_buffer(f"start_{i}").copy_(weight)
                self.factors[i].fill_(1.0)

    def weights(self) -> dict[str, Tensor]:
        """The scaled weights by name, in the factors' graph."""
        return {name: self.get_buffer(f"start_{i}") * self.factors[i] for i, name in enumerate(self.names)}

    def write(self, generator: nn.Module) -> None:
        """Give the generator the scaled weights."""
        scaled = self.weights()
        with torch.no_grad():
            for name, weight in _weights(generator):
                weight.copy_(scaled[name])


class StartWeights(nn.Module):
    """The parameters that a training started from, to which a penalty ties it.

    Source: Li et al. 2018, Explicit inductive bias for transfer learning with convolutional networks (L2-SP).

    Args:
        generator: whose parameters are the start.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.names = [name for name, _ in generator.named_parameters()]
        for i, parameter in enumerate(generator.parameters()):
            self.register_buffer(f"start_{i}", parameter.detach().clone())

    def restart(self, generator: nn.Module) -> None:
        """Take other parameters as the start."""
        with torch.no_grad():
            for start, parameter in zip(self.buffers(), generator.parameters(), strict=True):
                start.copy_(parameter)

    def penalty(self, parameters: Mapping[str, Tensor], weight: float) -> Float[Tensor, ""]:
        """Half the weight times the squared distance of all parameters, by name, from the start."""
        moved = [
            (parameters[name] - start).square().sum() for name, start in zip(self.names, self.buffers(), strict=True)
        ]
        return torch.stack(moved).sum() * (weight / 2)


def _weights(generator: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    named = generator.named_parameters()
    return ((name, weight) for name, weight in named if weight.ndim > 1 and not name.startswith(FILM))
