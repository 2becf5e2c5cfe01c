"""Which weights learn, and how far from the start."""

from copy import deepcopy

import pytest
import torch

from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.training.trainable import ChannelScales, StartWeights, learned_parameters
from ecggan.training.wgan_gp import WGANGP
from tests.training.test_adversarial_training import ECG, critic_of, fit, loss_of, records


def gan(trainable="all", start_penalty=0.0, learning_rate=1e-3):
    torch.manual_seed(0)
    return WGANGP(
        Pulse2PulseGenerator(8, 2500, 5),
        critic_of("multiscale"),
        ECG,
        1,
        10.0,
        learning_rate,
        (0.0, 0.99),
        0.5,
        3,
        loss=loss_of("r3gan"),
        trainable=trainable,
        start_penalty=start_penalty,
    )


def moved(before, after):
    return {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}


@pytest.mark.parametrize(("trainable", "layers"), [("decoder", "12345"), ("last_layers", "345")])
def test_only_those_layers_of_the_decoder_move_that_are_to_learn(trainable, layers):
    network = gan(trainable)
    before = deepcopy(network.generator.state_dict())
    fit(network, records(1, size=2))
    names = moved(before, network.generator.state_dict())
    assert names == {name for name in before if name.startswith("decoder.layers.") and name[15] in layers}
    assert all(p.requires_grad for p in learned_parameters(network.generator, "all"))


def test_channels_are_scaled_and_shifted_and_nothing_else():
    network = gan("affine")
    before = deepcopy(network.generator.state_dict())
    fit(network, records(2, size=2))
    after = network.generator.state_dict()
    assert len(moved(before, after)) > len(before) / 2
    for name, weight in after.items():
        if weight.ndim > 1:
            factors = (weight / before[name]).flatten(1)
            assert torch.allclose(factors, factors[:, :1].expand_as(factors), rtol=1e-4)
    num_numbers = sum(p.numel() for p in network.configure_optimizers()[1].param_groups[0]["params"])
    assert num_numbers == 2 * sum(tensor.numel() for tensor in before.values() if tensor.ndim == 1)


def test_a_factors_gradient_is_that_of_the_weights_along_them():
    network = gan("affine")
    noise = torch.rand(2, 8, 2500) * 2 - 1
    scaled = torch.func.functional_call(network.generator, network.scales.weights(), (noise,))
    scaled.square().sum().backward()
    plain = deepcopy(network.generator).requires_grad_()
    plain.zero_grad()
    plain(noise).square().sum().backward()
    weights = [p for p in plain.parameters() if p.ndim > 1]
    for factor, weight in zip(network.scales.factors, weights, strict=True):
        along = (weight.grad * weight).flatten(1).sum(dim=1)
        assert torch.allclose(factor.grad.flatten(), along, rtol=1e-3, atol=1e-6)


def test_the_penalty_is_half_its_weight_times_the_squared_distance_from_the_start():
    generator = Pulse2PulseGenerator(8, 2500, 5)
    start = StartWeights(generator)
    assert start.penalty(dict(generator.named_parameters()), 3.0) == 0
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.1)
    count = sum(parameter.numel() for parameter in generator.parameters())
    assert start.penalty(dict(generator.named_parameters()), 3.0).item() == pytest.approx(1.5 * 0.01 * count, rel=1e-3)


@pytest.mark.parametrize("trainable", ["all", "affine"])
def test_a_heavy_penalty_holds_the_generator_where_it_started(trainable):
    distances = []
    for penalty in (0.0, 1e6):
        network = gan(trainable, penalty, learning_rate=1e-4)
        start = StartWeights(network.generator)
        fit(network, records(4, size=2))
        distances.append(start.penalty(dict(network.generator.named_parameters()), 1.0).item())
    assert distances[1] < 0.3 * distances[0]


def test_another_start_is_taken_where_other_weights_are_loaded():
    network, other = gan("affine", 1.0), gan()
    with torch.no_grad():
        for parameter in other.generator.parameters():
            parameter.add_(0.1)
    network.generator.load_state_dict(other.generator.state_dict())
    network.restart()
    assert network.start.penalty(dict(other.generator.named_parameters()), 1.0) == 0
    fresh = ChannelScales(other.generator)
    for one, two in zip(network.scales.state_dict().values(), fresh.state_dict().values(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("trainable", ["decoder", "last_layers", "affine"])
def test_a_resumed_training_is_bit_identical(tmp_path, trainable):
    whole, first, second = (gan(trainable, 0.1) for _ in range(3))
    fit(whole, records(1, size=2), epochs=2)
    fit(first, records(1, size=2), epochs=1).save_checkpoint(tmp_path / "last.ckpt")
    fit(second, records(1, size=2), epochs=2, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    for one, other in zip(whole.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_a_critic_is_made_for_a_generator_that_stays_as_it_is():
    network = gan("none")
    generator, critic = (deepcopy(one.state_dict()) for one in (network.generator, network.discriminator))
    fit(network, records(2, size=2))
    assert not moved(generator, network.generator.state_dict())
    assert moved(critic, network.discriminator.state_dict())
    assert (network.critic_steps, network.generator_steps) == (2, 0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"trainable": "conditions"}, "with trainable=conditions nothing would learn"),
        ({"trainable": "encoder"}, "trainable must be all, decoder, last_layers, affine, conditions or none"),
        ({"start_penalty": -1}, "start_penalty"),
    ],
)
def test_what_cannot_learn_is_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        gan(**changes)
