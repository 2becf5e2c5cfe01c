import pytest
import torch

from ecggan.training.losses import critic_gap, critic_loss, generator_loss, gradient_penalty


def test_critic_gap_is_how_much_higher_real_records_score():
    assert critic_gap(torch.tensor([3.0, 5.0]), torch.tensor([1.0])) == 3


def test_critic_loss_falls_as_real_records_score_higher():
    none = torch.tensor(0.0)
    good = critic_loss(torch.tensor([2.0]), torch.tensor([-2.0]), none, 10.0)
    bad = critic_loss(torch.tensor([-2.0]), torch.tensor([2.0]), none, 10.0)
    assert (good, bad) == (-4, 4)


def test_critic_loss_weighs_the_penalty():
    same = torch.tensor([1.0])
    assert critic_loss(same, same, torch.tensor(0.5), 10.0) == 5


def test_generator_loss_falls_as_its_records_score_higher():
    assert generator_loss(torch.tensor([3.0, 1.0])) == -2


@pytest.mark.parametrize("steepness", [0.0, 1.0, 3.0])
def test_gradient_penalty_is_the_squared_distance_of_the_slope_from_one(steepness):
    direction = torch.nn.functional.normalize(torch.randn(8 * 50), dim=0).view(8, 50)
    real, fake = torch.randn(2, 4, 8, 50)
    penalty = gradient_penalty(lambda ecg: (steepness * direction).expand_as(ecg), real, fake, torch.rand(4, 1, 1))
    assert penalty.item() == pytest.approx((steepness - 1) ** 2, abs=1e-5)


def test_gradient_penalty_is_taken_between_real_and_fake():
    seen = []
    real, fake = torch.ones(3, 2, 1), torch.full((3, 2, 1), 3.0)
    share = torch.tensor([0.0, 0.25, 1.0])[:, None, None]
    gradient_penalty(lambda ecg: seen.append(ecg) or ecg, real, fake, share)
    assert seen[0][:, :, 0].tolist() == [[3.0, 3.0], [2.5, 2.5], [1.0, 1.0]]


def test_gradient_penalty_reaches_the_critics_weights():
    weight = torch.full((1,), 2.0, requires_grad=True)
    real, fake = torch.randn(2, 4, 1, 1)
    gradient_penalty(lambda ecg: weight.expand_as(ecg), real, fake, torch.rand(4, 1, 1)).backward()
    assert weight.grad.item() == pytest.approx(2 * (2 - 1))


def test_gradient_penalty_of_16_bit_records_is_taken_in_32():
    real, fake = torch.randn(2, 4, 8, 50)
    direction = torch.randn(8, 50).bfloat16()

    def slope(ecg):
        assert ecg.dtype == torch.float32
        return direction.expand_as(ecg)

    narrow = gradient_penalty(slope, real, fake.bfloat16(), torch.rand(4, 1, 1))
    assert narrow.dtype == torch.float32
    assert narrow.item() == pytest.approx((direction.float().norm().item() - 1) ** 2, rel=1e-5)


def test_the_gap_of_16_bit_scores_is_summed_in_32():
    scores = torch.tensor([256.0, 257.0, 258.0]).bfloat16()  # 257 is no number of bfloat16
    assert critic_gap(scores, torch.zeros(3).bfloat16()).dtype == torch.float32
    assert critic_gap(scores, torch.zeros(3).bfloat16()) == scores.float().mean()
    assert critic_gap(scores.double(), scores.double()).dtype == torch.float64
