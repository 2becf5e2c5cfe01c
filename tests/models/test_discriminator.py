import pytest
import torch
import torch.nn.functional as F

from ecggan.models.discriminator import Discriminator


def test_critic_has_the_published_size():
    with torch.device("meta"):  # no memory for 204 million weights
        critic = Discriminator(num_leads=8, num_samples=5000, model_size=50, max_shift=2)
    channels = [layer.out_channels for layer in critic.layers]
    assert channels == [50, 100, 250, 500, 1000, 1250, 5000]
    assert critic.linear.in_features == 25_000
    assert sum(p.numel() for p in critic.parameters()) == 203_918_151


def test_critic_shortens_as_published():
    critic = Discriminator(8, 5000, 1, max_shift=2)
    x, lengths = torch.zeros(1, 8, 5000), []
    for layer in critic.layers:
        x = layer(x)
        lengths.append(x.shape[2])
    assert lengths == [2499, 1249, 624, 311, 78, 19, 5]


def test_critic_without_shuffle_is_plain_convolutions():
    critic = Discriminator(8, 5000, 2, max_shift=0)
    ecg = x = torch.randn(3, 8, 5000)
    for layer, stride in zip(critic.layers, (2, 2, 2, 2, 4, 4, 4), strict=True):
        x = F.leaky_relu(F.conv1d(x, layer.weight, layer.bias, stride=stride, padding=11), 0.2)
    torch.testing.assert_close(critic(ecg), critic.linear(x.flatten(1))[:, 0])


def test_critic_scores_each_record_by_itself():
    critic = Discriminator(8, 5000, 2, max_shift=0)
    ecgs = torch.randn(4, 8, 5000)
    torch.testing.assert_close(critic(ecgs)[1:2], critic(ecgs[1:2]), rtol=1e-4, atol=1e-5)


def test_critic_repeats_its_scores_by_the_shuffles_seed():
    critic = Discriminator(8, 5000, 2, max_shift=2)
    ecgs = torch.randn(4, 8, 5000)
    first, again, other = (critic(ecgs, shifts(critic, 4, seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_critic_shifts_each_record_after_each_layer_but_the_last():
    drawn = shifts(Discriminator(8, 5000, 1, max_shift=2), 200, seed=0)
    assert drawn.shape == (6, 200)
    assert all(set(layer.tolist()) == {-2, -1, 0, 1, 2} for layer in drawn)
    assert shifts(Discriminator(8, 5000, 1, max_shift=0), 200, seed=0) is None


def shifts(critic: Discriminator, count: int, seed: int) -> torch.Tensor | None:
    return critic.draw_shifts(count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("num_samples", "max_shift"), [(5000, 0), (5000, 2), (7513, 2)])
def test_slope_and_its_derivatives_are_those_of_the_score(num_samples, max_shift):
    critic = Discriminator(3, num_samples, 2, max_shift).double()
    ecgs = torch.randn(4, 3, num_samples, dtype=torch.double, requires_grad=True)
    drawn = shifts(critic, 4, seed=0)
    slope = critic.slope(ecgs, drawn)
    (expected,) = torch.autograd.grad(critic(ecgs, drawn).sum(), ecgs, create_graph=True)
    torch.testing.assert_close(slope, expected, rtol=1e-10, atol=1e-12)
    weights = [p for name, p in critic.named_parameters() if name.endswith("weight")]
    ours, autograds = (torch.autograd.grad(_penalty(s), weights) for s in (slope, expected))
    for one, other in zip(ours, autograds, strict=True):
        assert other.abs().max() > 0
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def _penalty(slope: torch.Tensor) -> torch.Tensor:
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def test_critic_refuses_records_that_are_too_short():
    with pytest.raises(ValueError, match=r"num_samples = 500 is too short.*need more than max_shift = 2"):
        Discriminator(8, 500, 1, max_shift=2)
    with pytest.raises(ValueError, match="max_shift must be a whole number, at least 0; got -1"):
        Discriminator(8, 5000, 1, max_shift=-1)
