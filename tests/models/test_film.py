"""Conditional networks: they begin as those without, use what they are told, and their slopes are exact."""

from itertools import pairwise

import pytest
import torch

from ecggan.models.discriminator import Discriminator
from ecggan.models.film import Projection, Recognition
from ecggan.models.multiscale import MultiscaleDiscriminator, SmallCritic
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.views import View
from ecggan.models.wavegan_star import WaveGANStarGenerator

GENERATORS = {
    "pulse2pulse": lambda size: Pulse2PulseGenerator(2, 2500, 20, condition_size=size),
    "wavegan_star": lambda size: WaveGANStarGenerator(2, 2500, 20, latent_size=4, condition_size=size),
}
CONDITION = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, -0.5]])


def made(name: str, size: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return GENERATORS[name](size)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_conditional_generator_begins_as_the_one_without(name):
    plain, conditional = made(name, 0), made(name, 3)
    noise = torch.rand(2, *plain.latent_shape) * 2 - 1
    assert torch.equal(plain(noise), conditional(noise, CONDITION))
    of_plain = plain.state_dict()
    assert all(torch.equal(conditional.state_dict()[key], value) for key, value in of_plain.items())
    assert set(conditional.state_dict()) - set(of_plain) == {
        k for k in conditional.state_dict() if k.startswith("film.")
    }


@pytest.mark.parametrize("name", GENERATORS)
def test_every_layer_but_the_last_hears_the_condition(name):
    generator = made(name, 3)
    noise = torch.rand(1, *generator.latent_shape).expand(2, *generator.latent_shape)
    ends = [0, *torch.tensor(generator.film.widths).cumsum(0).tolist()]
    for first, last in pairwise(ends):
        torch.nn.init.zeros_(generator.film.head.weight)
        with torch.no_grad():
            generator.film.head.weight[2 * first : 2 * last] = 1.0
            one, other = generator(noise, CONDITION)
        assert not torch.allclose(one, other)


def views() -> list[View]:
    return [View(window_s=0.5, step=1, envelope=False), View(window_s=None, step=4, envelope=True)]


CRITICS = {
    "wavegan": lambda size: Discriminator(2, 2500, 2, 1, condition_size=size),
    "multiscale": lambda size: MultiscaleDiscriminator(2, 2500, 500, 6.0, views(), (3, 4), 4, 0.15, None, size),
}


@pytest.mark.parametrize("name", CRITICS)
def test_a_critic_scores_the_same_record_by_its_condition(name):
    torch.manual_seed(1)
    critic, ecg = CRITICS[name](3), torch.randn(1, 2, 2500).expand(2, 2, 2500)
    shifts = critic.draw_shifts(1).expand(-1, 2)
    one, other = critic(ecg, shifts, CONDITION)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize("name", CRITICS)
def test_a_critic_recognises_a_condition_by_the_features_that_it_scores(name):
    torch.manual_seed(1)
    critic, ecg = CRITICS[name](3), torch.randn(2, 2, 2500)
    shifts = critic.draw_shifts(2)
    assert critic.recognised(ecg, shifts).abs().max() == 0  # as yet
    heads = [part for part in critic.modules() if isinstance(part, Recognition)]
    projections = [part for part in critic.modules() if isinstance(part, Projection)]
    for head, projection in zip(heads, projections, strict=True):
        torch.nn.init.ones_(head.weight)
        torch.nn.init.zeros_(projection.head.weight)
        torch.nn.init.zeros_(projection.head.bias)
    plain = critic(ecg, shifts, CONDITION)
    for projection in projections:
        torch.nn.init.ones_(projection.head.bias)
    added = (critic(ecg, shifts, CONDITION) - plain).reshape(2, -1, 1).expand(-1, -1, 3)
    torch.testing.assert_close(critic.recognised(ecg, shifts), added)


def test_the_slope_of_a_conditional_critic_is_autograds():
    torch.manual_seed(2)
    ecg = torch.randn(2, 2, 2500, requires_grad=True)
    critic = CRITICS["wavegan"](3)
    shifts = critic.draw_shifts(2)
    (expected,) = torch.autograd.grad(critic(ecg, shifts, CONDITION).sum(), ecg)
    torch.testing.assert_close(critic.slope(ecg, shifts, CONDITION), expected)
    small = SmallCritic(2, (3, 4), 4, condition_size=3)
    (expected,) = torch.autograd.grad(small(ecg, CONDITION).sum(), ecg)
    torch.testing.assert_close(small.slope(ecg, CONDITION), expected)


@pytest.mark.parametrize("make", [*GENERATORS.values(), *CRITICS.values()])
def test_a_condition_is_given_to_those_that_take_one_and_to_no_others(make):
    conditional, plain = make(3), make(0)
    is_generator = hasattr(plain, "latent_shape")
    inputs = (torch.rand(2, *plain.latent_shape),) if is_generator else (torch.rand(2, 2, 2500), plain.draw_shifts(2))
    with pytest.raises(ValueError, match="this network takes a condition"):
        conditional(*inputs)
    with pytest.raises(ValueError, match="this network takes no condition"):
        plain(*inputs, CONDITION)
