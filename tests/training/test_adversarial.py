import math

import numpy as np
import pytest
import torch

from ecggan.training import adversarial as losses


def pairs(*shape, seed=0):
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(6,), (6, 3)])
def test_relativistic_losses_are_the_logistic_loss_of_each_pair(shape):
    real, fake = pairs(*shape)
    apart = (real - fake).flatten().tolist()
    critic = np.mean([math.log(1 + math.exp(-d)) for d in apart])
    generator = np.mean([math.log(1 + math.exp(d)) for d in apart])
    assert losses.relativistic_critic_loss(real, fake).item() == pytest.approx(critic)
    assert losses.relativistic_generator_loss(real, fake).item() == pytest.approx(generator)


def test_relativistic_losses_depend_on_differences_alone():
    real, fake = pairs(5)
    assert torch.allclose(
        losses.relativistic_critic_loss(real + 7, fake + 7), losses.relativistic_critic_loss(real, fake)
    )


def test_hinge_loss_asks_no_more_than_a_margin_of_one():
    assert losses.hinge_critic_loss(torch.tensor([1.0, 5.0]), torch.tensor([-1.0, -9.0])) == 0
    assert losses.hinge_critic_loss(torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 2.0])) == 0.5 + 1.5


def test_penalty_is_half_gamma_times_the_squared_slope():
    slopes = torch.tensor([[1.0, 3.0], [4.0, 0.0]])
    assert losses.zero_centred_penalty(slopes, gamma=3.0) == 3 / 2 * 2


def test_a_lazy_penalty_weighs_as_much_over_its_steps():
    slopes = torch.rand(5)
    always = sum(losses.zero_centred_penalty(slopes, gamma=0.1) for _ in range(4))
    assert torch.allclose(losses.zero_centred_penalty(slopes, gamma=0.1, every=4), always)


def test_scores_of_16_bits_are_summed_in_32():
    real, fake = (scores.bfloat16() for scores in pairs(64))
    for loss in (
        losses.relativistic_critic_loss,
        losses.relativistic_generator_loss,
        losses.hinge_critic_loss,
        losses.telling_apart,
    ):
        assert loss(real, fake).dtype == torch.float32
        assert torch.allclose(loss(real, fake), loss(real.float(), fake.float()))


def test_telling_apart_is_the_share_of_pairs_in_order_ties_halved():
    assert losses.telling_apart(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 0.0])) == (2 + 1.5) / 4
    same = torch.zeros(4, 2)
    assert losses.telling_apart(same, same) == 0.5
