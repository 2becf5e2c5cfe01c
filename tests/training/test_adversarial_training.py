"""The losses, critics and augmentation that one swaps, in a training."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F

from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.multiscale import MultiscaleDiscriminator
from ecggan.models.views import View
from ecggan.models.wavegan_star import WaveGANStarGenerator
from ecggan.training.adversarial import HingeLoss, R3GANLoss
from ecggan.training.augmentation import ECGAugmentation
from ecggan.training.wgan_gp import WGANGP
from tests.training.quiet import quiet_trainer

ECG = ECGFormat(EIGHT_LEADS, 500, 2500, 6.0)
UNIT = 0.1


def critic_of(kind):
    if kind == "wavegan":
        return Discriminator(8, 2500, 1, max_shift=2)
    views = (View(1.0, 1, False), View(None, 20, True))
    return MultiscaleDiscriminator(8, 2500, 500, 6.0, views, (4, 6), 3, 0.15, 0.5)


def loss_of(kind):
    return HingeLoss(0.7, 2, UNIT) if kind == "hinge" else R3GANLoss(0.7, 0.07, 10, 2, UNIT)


def gan(loss="r3gan", critic="multiscale", augment=False, warmup_steps=0, n_critic=1):
    torch.manual_seed(0)
    augmentation = ECGAugmentation(500, 6.0, 0.5, 0.2, 0.2, 0.1, 0.2, 0.02) if augment else None
    return WGANGP(
        WaveGANStarGenerator(8, 2500, 5, latent_size=4),
        critic_of(critic),
        ECG,
        n_critic,
        10.0,
        1e-3,
        (0.0, 0.99),
        0.5,
        3,
        loss=loss_of(loss),
        augmentation=augmentation,
        critic_learning_rate=2e-3,
        warmup_steps=warmup_steps,
    )


def records(count, size=4):
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(size, 8, 2500, generator=rng) / 20 for _ in range(count)]


def fit(network, batches, epochs=1, **options):
    trainer = quiet_trainer(max_epochs=epochs)
    trainer.fit(network, torch.utils.data.DataLoader(batches, batch_size=None), **options)
    return trainer


def plain_squared_slopes(critic, ecg, shifts):
    """By second derivatives, along what each critic sees."""
    if isinstance(critic, MultiscaleDiscriminator):
        found = []
        for one, seen in zip(critic.critics, critic.inputs(ecg, shifts), strict=True):
            x = seen.detach().requires_grad_()
            found.append(torch.autograd.grad(one(x).sum(), x, create_graph=True)[0].flatten(1).norm(dim=1) ** 2)
        return torch.stack(found, dim=1)
    x = ecg.detach().requires_grad_()
    return (torch.autograd.grad(critic(x, shifts).sum(), x, create_graph=True)[0] * UNIT).flatten(1).norm(dim=1) ** 2


def plain_critic_loss(kind, critic, real, fake, shifts, with_penalty):
    r, f = critic(real, shifts), critic(fake, shifts)
    slopes = lambda ecg: plain_squared_slopes(critic, ecg, shifts).mean()  # noqa: E731
    if kind == "hinge":
        loss = torch.clamp(1 - r, min=0).mean() + torch.clamp(1 + f, min=0).mean()
        return loss + (0.7 / 2 * 2 * slopes(real) if with_penalty else 0)
    loss = -F.logsigmoid(r - f).mean()
    return loss + (0.7 / 2 * 2 * (slopes(real) + slopes(fake)) if with_penalty else 0)


@pytest.mark.parametrize("critic", ["wavegan", "multiscale"])
@pytest.mark.parametrize("loss", ["r3gan", "hinge"])
def test_a_first_step_of_both_networks_is_adams_on_the_plain_losses(loss, critic):
    network = gan(loss, critic)
    before = deepcopy(network)
    batch = records(1)[0]
    stream = before._random_stream()
    fake = before._draw(4, stream).detach()
    shifts = before.discriminator.draw_shifts(4, stream)
    wanted = plain_critic_loss(loss, before.discriminator, batch, fake, shifts, with_penalty=True)
    slopes = torch.autograd.grad(wanted, list(before.discriminator.parameters()), allow_unused=True)
    fit(network, [batch])
    for old, new, slope in zip(
        before.discriminator.parameters(), network.discriminator.parameters(), slopes, strict=True
    ):
        if slope is not None:  # a bias behind which everything cancels has none
            clear = slope.abs() > 1e-4 * slope.abs().max()  # elsewhere it is rounding
            assert torch.allclose(new[clear], (old - 2e-3 * slope / (slope.abs() + 1e-8))[clear], atol=1e-5)
    drawn = before._draw(4, stream)
    shifts = before.discriminator.draw_shifts(4, stream)
    r, f = network.discriminator(batch, shifts).detach(), network.discriminator(drawn, shifts)
    wanted = -f.mean() if loss == "hinge" else -F.logsigmoid(f - r).mean()
    slopes = torch.autograd.grad(wanted, list(before.generator.parameters()))
    for old, new, slope in zip(before.generator.parameters(), network.generator.parameters(), slopes, strict=True):
        clear = slope.abs() > 1e-3 * slope.abs().max()
        assert torch.allclose(new[clear], (old - 1e-3 * slope / (slope.abs() + 1e-8))[clear], atol=1e-5)


def test_penalties_are_taken_every_so_many_steps():
    network = gan()
    batch = records(1)[0]
    for step, is_taken in ((0, True), (1, False), (2, True)):
        network.critic_steps = step
        losses = network._losses_of_critic(batch, network._random_stream())
        assert ("r1" in losses, "r2" in losses) == (is_taken, is_taken)


def test_gamma_falls_to_its_last_value_and_stays():
    loss = R3GANLoss(1.0, 0.01, 100, 1, UNIT)
    assert [loss.gamma_at(step) for step in (0, 50, 100, 500)] == pytest.approx([1.0, 0.1, 0.01, 0.01])


def test_the_generator_waits_for_the_critic_to_warm_up():
    network = gan(warmup_steps=3)
    before = deepcopy(network.generator.state_dict())
    fit(network, records(3))
    assert network.generator_steps == 0
    assert all(torch.equal(before[name], tensor) for name, tensor in network.generator.state_dict().items())
    fit(network, records(2))
    assert network.generator_steps == 2


@pytest.mark.parametrize("loss", ["r3gan", "hinge"])
def test_a_resumed_training_is_bit_identical(tmp_path, loss):
    whole, first, second = (gan(loss, augment=True, warmup_steps=1) for _ in range(3))
    fit(whole, records(3), epochs=2)
    fit(first, records(3), epochs=1).save_checkpoint(tmp_path / "last.ckpt")
    fit(second, records(3), epochs=2, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    for one, other in zip(whole.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_augmentation_is_seen_by_the_critic_and_not_by_what_is_drawn():
    plain, changed = gan(), gan(augment=True)
    batch = records(1)[0]
    losses = [one._losses_of_critic(batch, one._random_stream())["critic_loss"].item() for one in (plain, changed)]
    assert losses[0] != losses[1]
    assert (plain.draw_microvolts(2, seed=1) == changed.draw_microvolts(2, seed=1)).all()


def test_small_critics_learn_to_tell_one_batch_from_the_generator():
    network = gan(warmup_steps=1000)
    batch = records(1, size=8)[0]
    fit(network, [batch] * 20)
    told = network._losses_of_critic(batch, network._random_stream())["told_apart"]
    assert told > 0.95


@pytest.mark.parametrize(
    "changes", [{"discriminator": critic_of("multiscale")}, {"augmentation": gan(augment=True).augmentation}]
)
def test_what_wgan_gp_cannot_do_is_refused(changes):
    arguments = {"discriminator": critic_of("wavegan")} | changes
    with pytest.raises(ValueError, match="need loss=r3gan or loss=hinge"):
        WGANGP(
            WaveGANStarGenerator(8, 2500, 5, latent_size=4),
            ecg=ECG,
            n_critic=1,
            gradient_penalty_weight=10.0,
            learning_rate=1e-3,
            betas=(0.5, 0.9),
            ema_decay=0.5,
            seed=0,
            **arguments,
        )


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: R3GANLoss(0.0, 1.0, 1, 1, 1.0), "gamma, last_gamma and unit above 0"),
        (lambda: HingeLoss(1.0, 0, 1.0), "every from 1"),
    ],
)
def test_penalties_that_mean_nothing_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()
