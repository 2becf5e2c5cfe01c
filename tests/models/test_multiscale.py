import pytest
import torch
import torch.nn.functional as F

from ecggan.models.multiscale import MultiscaleDiscriminator, SmallCritic
from ecggan.models.views import View

VIEWS = (View(1.0, 1, False), View(None, 4, False), View(None, 20, True))


def critics(views=VIEWS, baseline_hz=0.5, **changes):
    arguments = {"num_leads": 8, "num_samples": 2500, "sampling_rate": 500, "full_scale_mv": 6.0, "knee_mv": 0.15}
    arguments |= {"views": views, "widths": (6, 8, 10), "stride": 3, "baseline_hz": baseline_hz} | changes
    torch.manual_seed(0)
    return MultiscaleDiscriminator(**arguments)


def plain_score(critic, x):
    """One small critic written out."""
    w = critic.state_dict()
    for i in range(3):
        x = F.conv1d(x, w[f"layers.{i}.weight"], w[f"layers.{i}.bias"], stride=3, padding=12)
        x = torch.where(x > 0, x, 0.2 * x)
    return x.mean(dim=2) @ w["linear.weight"][0] + w["linear.bias"]


def test_each_critic_scores_what_it_sees_as_a_plain_one_would():
    network = critics(baseline_hz=None).double()
    ecg = torch.randn(4, 8, 2500, dtype=torch.float64) * 0.05
    shifts = network.draw_shifts(4, torch.Generator().manual_seed(1))
    mv = torch.asinh(ecg * 6 / 0.15)
    window = torch.stack([record[:, start : start + 500] for record, start in zip(mv, shifts[0], strict=True)])
    slow = mv.unflatten(2, (-1, 4)).mean(dim=3)
    envelope = ((mv**2).mean(dim=1, keepdim=True) + 1e-6).sqrt().unflatten(2, (-1, 20)).mean(dim=3)
    wanted = [plain_score(c, x) for c, x in zip(network.critics, (window, slow, envelope), strict=True)]
    assert torch.allclose(network(ecg, shifts), torch.stack(wanted, dim=1), rtol=1e-10)


def test_a_slope_is_the_gradient_of_the_score():
    critic = SmallCritic(3, (4, 5, 6), 3).double()
    x = torch.randn(2, 3, 300, dtype=torch.float64, requires_grad=True)
    wanted = torch.autograd.grad(critic(x).sum(), x)[0]
    assert torch.allclose(critic.slope(x), wanted, rtol=1e-10, atol=1e-14)


def test_a_penalty_on_the_slope_teaches_what_second_derivatives_would():
    critic = SmallCritic(3, (4, 5, 6), 3).double()
    x = torch.randn(2, 3, 300, dtype=torch.float64, requires_grad=True)
    weights = [layer.weight for layer in (*critic.layers, critic.linear)]
    slope = torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0]
    wanted = torch.autograd.grad(slope.square().sum(), weights)
    found = torch.autograd.grad(critic.slope(x.detach()).square().sum(), weights)
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, rtol=1e-8)


def test_squared_slopes_are_taken_along_what_each_critic_sees():
    network = critics().double()
    ecg = torch.randn(3, 8, 2500, dtype=torch.float64) * 0.05
    shifts = network.draw_shifts(3)
    found = network.squared_slopes(ecg, shifts)
    for i, (critic, x) in enumerate(zip(network.critics, network.inputs(ecg, shifts), strict=True)):
        x.requires_grad_()
        slope = torch.autograd.grad(critic(x).sum(), x)[0]
        assert torch.allclose(found[:, i], slope.square().sum(dim=(1, 2)), rtol=1e-9)


def test_wander_changes_no_score_where_the_baseline_is_hidden():
    ecg = torch.randn(2, 8, 2500) * 0.02
    time = torch.arange(2500) / 500
    wander = 0.05 * torch.sin(2 * torch.pi * 0.2 * time + 1)

    def moved(network):
        shifts = torch.stack([torch.full((2,), 1000), torch.zeros(2, dtype=int), torch.zeros(2, dtype=int)])
        return (network(ecg + wander, shifts) - network(ecg, shifts))[:, 0].abs().max().item()

    assert moved(critics(baseline_hz=0.5)) < 0.1 * moved(critics(baseline_hz=None))


def test_what_critics_see_has_an_sd_of_about_a_half_whatever_the_full_scale():
    beat = torch.randn(16, 8, 2500) * 0.1 * (torch.rand(16, 1, 2500) < 0.3)  # mV
    found = []
    for full_scale_mv in (6.0, 2.0):
        network = critics(full_scale_mv=full_scale_mv, baseline_hz=None)
        shifts = network.draw_shifts(16, torch.Generator().manual_seed(0))
        found.append(network.inputs(beat / full_scale_mv, shifts)[0])
    assert torch.allclose(*found, atol=1e-5)
    assert 0.2 < found[0].std() < 1


def test_windows_cover_the_record_and_stay_within_it():
    network = critics()
    starts = network.draw_shifts(50_000, torch.Generator().manual_seed(0))[0]
    assert starts.min() == 0
    assert starts.max() == 2500 - 500


def test_gradients_reach_the_generator_through_every_view():
    network = critics()
    for i in range(len(VIEWS)):
        ecg = (torch.randn(2, 8, 2500) * 0.05).requires_grad_()
        network(ecg, network.draw_shifts(2))[:, i].sum().backward()
        assert torch.isfinite(ecg.grad).all()
        assert ecg.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"views": ()}, "at least one view"),
        ({"knee_mv": 0.0}, "knee_mv above 0"),
        ({"views": (View(0.02, 1, False),)}, "a view of 10 samples is too short"),
        ({"views": (View(9.0, 1, False),)}, "longer than a record of 5 s"),
    ],
)
def test_critics_that_cannot_see_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        critics(**changes)
