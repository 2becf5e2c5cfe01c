"""WGAN-GP of Pulse2Pulse written out once more, as plainly as can be, without module, optimizer or trainer.

Gulrajani et al. 2017, algorithm 1, with Adam after Kingma & Ba 2015, algorithm 1. Upsampling and convolution are two
steps, phase shuffles are made record by record, real and generated records are scored apart. Only the random numbers
are drawn in the order in which the training draws them.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = dict[str, Tensor]
ENCODER_STRIDES, DECODER_FACTORS, CRITIC_STRIDES = (2, 5, 2, 5, 5, 5), (5, 5, 5, 2, 5, 2), (2, 2, 2, 2, 4, 4, 4)


def draw(w: Mapping[str, Tensor], noise: Tensor) -> Tensor:
    """Pulse2Pulse: a U-Net."""
    x, levels = noise, []
    for i, stride in enumerate(ENCODER_STRIDES):
        x = F.conv1d(x, w[f"encoder.{i}.weight"], w[f"encoder.{i}.bias"], stride=stride, padding=12)
        x = torch.where(x > 0, x, 0.01 * x)
        levels.append(x)
    for i, factor in enumerate(DECODER_FACTORS):
        if 1 <= i <= 4:
            x = torch.cat([x, levels[5 - i]], dim=1)
        x = F.pad(x.repeat_interleave(factor, dim=2), (12, 12))
        x = F.conv1d(x, w[f"decoder.layers.{i}.conv.weight"], w[f"decoder.layers.{i}.conv.bias"])
        x = torch.tanh(x) if i == 5 else x.clamp(min=0)
    return x


def score(w: Mapping[str, Tensor], x: Tensor, shifts: Sequence[Tensor]) -> Tensor:
    """The critic; `shifts` holds each layer's shift of each record, or nothing."""
    for i, stride in enumerate(CRITIC_STRIDES):
        x = F.conv1d(x, w[f"layers.{i}.weight"], w[f"layers.{i}.bias"], stride=stride, padding=11)
        x = torch.where(x > 0, x, 0.2 * x)
        if i < len(shifts):
            x = torch.cat([_shifted(x[k : k + 1], int(shifts[i][k])) for k in range(len(x))])
    return x.flatten(1) @ w["linear.weight"][0] + w["linear.bias"]


def _shifted(x: Tensor, shift: int) -> Tensor:
    time = x.shape[2]
    if shift >= 0:
        return F.pad(x, (shift, 0), mode="reflect")[..., :time]
    return F.pad(x, (0, -shift), mode="reflect")[..., -shift:]


class Adam:
    def __init__(self, w: Weights, rate: float, beta1: float, beta2: float) -> None:
        self.w, self.rate, self.beta1, self.beta2, self.steps = w, rate, beta1, beta2, 0
        self.first = {name: torch.zeros_like(value) for name, value in w.items()}
        self.second = {name: torch.zeros_like(value) for name, value in w.items()}

    def step(self, loss: Tensor) -> None:
        self.steps += 1
        slopes = torch.autograd.grad(loss, list(self.w.values()))
        for (name, value), slope in zip(self.w.items(), slopes, strict=True):
            self.first[name] = self.beta1 * self.first[name] + (1 - self.beta1) * slope
            self.second[name] = self.beta2 * self.second[name] + (1 - self.beta2) * slope**2
            first = self.first[name] / (1 - self.beta1**self.steps)
            second = self.second[name] / (1 - self.beta2**self.steps)
            with torch.no_grad():
                value.sub_(self.rate * first / (second.sqrt() + 1e-8))


def train(
    generator: Weights,
    critic: Weights,
    batches: Sequence[Sequence[Tensor]],
    streams: Callable[[int, int], torch.Generator],
    n_critic: int,
    penalty_weight: float,
    rate: float,
    betas: tuple[float, float],
    ema_decay: float,
    max_shift: int,
) -> tuple[Weights, Weights, Weights, list[dict[str, float]]]:
    """Train on batches that are joined over ranks: ``batches[step][rank]``, ``streams(rank, step)``.

    Returns the generator's weights, the critic's, the moving average's, and the losses of each step.
    """
    generator, critic = ({n: v.clone().requires_grad_() for n, v in w.items()} for w in (generator, critic))
    adam_critic, adam_generator = Adam(critic, rate, *betas), Adam(generator, rate, *betas)
    average: Weights | None = None
    logged = []
    for step, parts in enumerate(batches):
        rngs = [streams(rank, step) for rank in range(len(parts))]
        real, size = torch.cat(list(parts)), len(parts[0])
        noise = torch.cat([_noise(size, real, rng) for rng in rngs])
        fake = draw(generator, noise).detach()
        # real and generated records of a rank are shuffled by one draw, those between them by a later one
        both = [_shifts(2 * size, max_shift, rng) for rng in rngs]
        of_real, of_fake = (
            [torch.cat([s[part] for s in layer]) for layer in zip(*both, strict=True)]
            for part in (slice(size), slice(size, None))
        )
        share = torch.cat([torch.rand(size, 1, 1, generator=rng, dtype=real.dtype) for rng in rngs])
        between = (share * real + (1 - share) * fake).requires_grad_()
        of_between = [torch.cat(layer) for layer in zip(*[_shifts(size, max_shift, rng) for rng in rngs], strict=True)]
        (slope,) = torch.autograd.grad(score(critic, between, of_between).sum(), between, create_graph=True)
        penalty = ((slope.flatten(1).square().sum(1).sqrt() - 1) ** 2).mean()
        loss = score(critic, fake, of_fake).mean() - score(critic, real, of_real).mean() + penalty_weight * penalty
        losses = {"critic_loss": float(loss.detach()), "gradient_penalty": float(penalty.detach())}
        adam_critic.step(loss)
        if (step + 1) % n_critic == 0:
            noise = torch.cat([_noise(size, real, rng) for rng in rngs])
            shifts = [torch.cat(layer) for layer in zip(*[_shifts(size, max_shift, rng) for rng in rngs], strict=True)]
            loss = -score(critic, draw(generator, noise), shifts).mean()
            losses["generator_loss"] = float(loss.detach())
            adam_generator.step(loss)
            now = {name: value.detach().clone() for name, value in generator.items()}
            average = (
                now
                if average is None
                else {name: ema_decay * average[name] + (1 - ema_decay) * value for name, value in now.items()}
            )
        logged.append(losses)
    assert average is not None
    return generator, critic, average, logged


def _noise(size: int, like: Tensor, rng: torch.Generator) -> Tensor:
    return torch.rand((size, *like.shape[1:]), generator=rng, dtype=like.dtype) * 2 - 1


def _shifts(size: int, max_shift: int, rng: torch.Generator) -> list[Tensor]:
    if not max_shift:
        return []
    return [torch.randint(-max_shift, max_shift + 1, (size, 1), generator=rng)[:, 0] for _ in range(6)]
