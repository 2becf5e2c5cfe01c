import pytest
import torch

from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.wavegan_star import WaveGANStarGenerator
from ecggan.training.wgan_gp import WGANGP
from tests.training.quiet import quiet_trainer
from tests.training.test_exactness import Log

ECG = ECGFormat(EIGHT_LEADS, 500, 2500, 6.0)


def small_gan(n_critic=2, seed=0, generator=None, learning_rate=1e-3) -> WGANGP:
    torch.manual_seed(0)
    return WGANGP(
        generator=generator or WaveGANStarGenerator(8, 2500, 5, latent_size=4),
        discriminator=Discriminator(8, 2500, 1, max_shift=2),
        ecg=ECG,
        n_critic=n_critic,
        gradient_penalty_weight=10.0,
        learning_rate=learning_rate,
        betas=(0.5, 0.9),
        ema_decay=0.5,
        seed=seed,
    )


def last_bias(generator) -> torch.Tensor:
    """A weight that always has a gradient: no ReLU, which may be dead in so small a network, lies behind it."""
    return generator.decoder.layers[5].conv.bias


def fit(gan, batches, epochs=1, **options):
    trainer = quiet_trainer(max_epochs=epochs, **options.pop("trainer", {}))
    trainer.fit(gan, torch.utils.data.DataLoader(batches, batch_size=None), **options)
    return trainer


def records(count, size=4) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(size, 8, 2500, generator=rng) / 6 for _ in range(count)]


def test_generator_learns_every_n_critic_steps_counted_over_epochs():
    gan = small_gan(n_critic=5)
    before = last_bias(gan.generator).clone()
    fit(gan, records(2), epochs=4)  # two batches an epoch: never five in one
    assert (gan.critic_steps, gan.generator_steps) == (8, 1)
    assert not torch.equal(before, last_bias(gan.generator))


def test_generator_step_leaves_the_critic_alone_and_the_critic_step_the_generator():
    gan = small_gan(n_critic=2)
    start = [p.clone() for p in gan.generator.parameters()]
    fit(gan, records(1))
    assert all(torch.equal(a, b) for a, b in zip(start, gan.generator.parameters(), strict=True))
    assert all(p.requires_grad for p in gan.discriminator.parameters())


def test_one_critic_step_is_adam_on_the_published_loss():
    """The plain way: two passes and a penalty, each with the random numbers that the module draws."""
    gan, batch = small_gan(n_critic=9), records(1)[0]
    gan.discriminator.max_shift = 0
    reference = small_gan().discriminator
    reference.load_state_dict(gan.discriminator.state_dict())
    reference.max_shift = 0
    rng = gan._random_stream()
    noise = torch.rand(4, 4, generator=rng) * 2 - 1
    fake = gan.generator(noise).detach()
    share = torch.rand(4, 1, 1, generator=rng)
    between = (share * batch + (1 - share) * fake).requires_grad_(True)
    slope = torch.autograd.grad(reference(between).sum(), between, create_graph=True)[0]
    penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
    optimizer = torch.optim.Adam(reference.parameters(), lr=1e-3, betas=(0.5, 0.9))
    (reference(fake).mean() - reference(batch).mean() + 10 * penalty).backward()
    optimizer.step()
    fit(gan, [batch])
    for ours, theirs in zip(gan.discriminator.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-6)
        # Adam's first step is the learning rate times the gradient's sign, but where it is as small as rounding.
        clear = theirs.grad.abs() > 1e-4
        torch.testing.assert_close(ours[clear], theirs[clear], rtol=0, atol=1e-6)


def test_critic_learns_to_tell_one_batch_from_the_generator():
    gan = small_gan(n_critic=1000)
    batch = records(1)[0]
    stream = torch.Generator().manual_seed(3)
    before = gan._losses_of_critic(batch, stream)["critic_loss"].item()
    fit(gan, [batch] * 20)
    assert gan._losses_of_critic(batch, stream.manual_seed(3))["critic_loss"].item() < before - 0.1


def test_moving_average_follows_the_generator():
    gan = small_gan(n_critic=1)
    fit(gan, records(1))  # the first update copies
    first = last_bias(gan.generator).clone()
    assert torch.equal(last_bias(gan.ema.module), first)
    fit(gan, records(1))
    expected = torch.lerp(first, last_bias(gan.generator), 0.5)
    torch.testing.assert_close(last_bias(gan.ema.module), expected)


def test_noise_depends_on_seed_rank_and_step():
    class OtherRank(WGANGP):
        global_rank = 1

    def first_number(gan) -> float:
        return torch.rand(1, generator=gan._random_stream()).item()

    one, later, other_seed, other_rank = small_gan(), small_gan(), small_gan(seed=1), small_gan()
    later.critic_steps = 1
    other_rank.__class__ = OtherRank
    assert len({first_number(gan) for gan in (one, later, other_seed, other_rank)}) == 4
    assert first_number(one) == first_number(small_gan())


def test_training_goes_on_from_a_checkpoint_as_if_never_stopped(tmp_path):
    straight = small_gan()
    fit(straight, records(3), epochs=2)
    gan = small_gan()
    fit(gan, records(3), epochs=1).save_checkpoint(tmp_path / "last.ckpt")
    resumed = small_gan(seed=0)
    fit(resumed, records(3), epochs=2, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert (resumed.critic_steps, resumed.generator_steps) == (6, 3)
    for ours, theirs in zip(resumed.state_dict().values(), straight.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_pulse2pulse_trains_too():
    gan = small_gan(n_critic=1, generator=Pulse2PulseGenerator(8, 2500, 5))
    before = last_bias(gan.generator).clone()
    fit(gan, records(1))
    assert not torch.equal(before, last_bias(gan.generator))


def test_n_critic_below_one_is_refused():
    with pytest.raises(ValueError, match="n_critic must be a whole number, at least 1; got 0"):
        small_gan(n_critic=0)


def test_a_checkpoint_of_another_model_is_refused_before_training(tmp_path):
    fit(small_gan(), records(2)).save_checkpoint(tmp_path / "last.ckpt")
    assert small_gan().check_resumable(tmp_path / "last.ckpt", 5) == 1
    other = small_gan(generator=WaveGANStarGenerator(8, 2500, 5, latent_size=7))
    with pytest.raises(
        ValueError, match=r"is of another model: generator\.linear\.weight is \(25, 4\) there and \(25, 7\)"
    ):
        other.check_resumable(tmp_path / "last.ckpt", 5)
    torch.save({"weights": 1}, tmp_path / "generator.pt")
    with pytest.raises(ValueError, match=r"is no training checkpoint; resume needs the last\.ckpt of a run"):
        small_gan().check_resumable(tmp_path / "generator.pt", None)


def test_a_checkpoint_beyond_the_end_is_refused_before_training(tmp_path):
    fit(small_gan(), records(2), epochs=3).save_checkpoint(tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match=r"has trained 3 epochs already, trainer\.max_epochs is 2; raise it"):
        small_gan().check_resumable(tmp_path / "last.ckpt", 2)
    for max_epochs in (3, 4, -1, None):
        assert small_gan().check_resumable(tmp_path / "last.ckpt", max_epochs) == 3


def losses_of(precision, steps):
    torch.manual_seed(0)
    gan = small_gan(n_critic=1, generator=Pulse2PulseGenerator(8, 2500, 5), learning_rate=1e-4)
    log = Log()
    fit(gan, records(steps), trainer={"precision": precision, "callbacks": [log]})
    assert all(parameter.dtype == parameter.grad.dtype == torch.float32 for parameter in gan.generator.parameters())
    return log.losses


def test_mixed_precision_trains_near_32_bits():
    for wide, narrow in zip(losses_of("32-true", 6), losses_of("bf16-mixed", 6), strict=True):
        assert narrow == pytest.approx(wide, rel=0.15)
