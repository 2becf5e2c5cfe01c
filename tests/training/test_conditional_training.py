"""Training with conditions: what it learns from, that it learns, resumes exactly, and leaves others as they were."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecggan.checkpoints.open import open_generator
from ecggan.data.sets.conditions import Conditions
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.multiscale import MultiscaleDiscriminator
from ecggan.models.views import View
from ecggan.models.wavegan_star import WaveGANStarGenerator
from ecggan.training.adversarial import HingeLoss, R3GANLoss
from ecggan.training.callbacks.checkpoint_writer import CheckpointWriter
from ecggan.training.callbacks.critic_scores import CriticScores
from ecggan.training.conditioning import learn_conditions
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.initial_weights import start_from
from ecggan.training.wgan_gp import WGANGP
from tests.training.quiet import quiet_trainer
from tests.training.test_resume import assert_same

ECG = ECGFormat(EIGHT_LEADS, 500, 2500, 6.0)
LOSSES = {
    "wgan_gp": None,
    "r3gan": R3GANLoss(gamma=1.0, last_gamma=1.0, gamma_steps=0, every=2, unit=0.08),
    "hinge": HingeLoss(gamma=1.0, every=2, unit=0.08),
}


@pytest.fixture(scope="module")
def ecgs() -> ECGSet:
    """Records of an amplitude by their age, the last four for validation."""
    ages = np.linspace(20, 80, 20)
    signals = ages[:, None, None] / 50 * np.sin(np.arange(2500) / 20) * np.ones((8, 1))
    made = ECGSet.from_arrays(signals, EIGHT_LEADS, 500)
    split = ["train"] * 16 + ["validation"] * 4
    return replace(made, records=made.records.assign(age=ages, sex=["male", "female"] * 10, split=split))


def gan_of(
    conditions: Conditions | None, loss: str = "wgan_gp", critic: str = "wavegan", **options: float | str
) -> WGANGP:
    size = 0 if conditions is None else conditions.size
    torch.manual_seed(0)
    generator = WaveGANStarGenerator(8, 2500, 10, latent_size=4, condition_size=size)
    views = [View(window_s=1.0, step=1, envelope=False), View(window_s=None, step=20, envelope=True)]
    discriminator = (
        Discriminator(8, 2500, 1, max_shift=2, condition_size=size)
        if critic == "wavegan"
        else MultiscaleDiscriminator(8, 2500, 500, 6.0, views, (3, 4), 4, 0.15, 0.5, size)
    )
    return WGANGP(
        generator,
        discriminator,
        ECG,
        n_critic=1,
        gradient_penalty_weight=10.0,
        learning_rate=1e-3,
        betas=(0.5, 0.9),
        ema_decay=0.5,
        seed=0,
        loss=LOSSES[loss],
        conditions=conditions,
        **{"recognition_weight": 1.0, **options},
    )


def train(
    ecgs: ECGSet, folder: Path, epochs: int, resume: Path | None = None, on_device: bool = False, **kinds: str
) -> WGANGP:
    source, conditions = learn_conditions(lambda: ecgs, ["sex", "age"], None, None)
    gan = gan_of(conditions, **kinds)
    data = ECGDataModule(source, ECG, 4, num_workers=0, seed=1, on_device=on_device, conditions=conditions)
    callbacks = [CriticScores(1, num_records=3, seed=0), CheckpointWriter(folder, every_n_epochs=1)]
    quiet_trainer(max_epochs=epochs, callbacks=callbacks).fit(gan, data, ckpt_path=resume, weights_only=True)
    return gan


@pytest.mark.parametrize(
    ("loss", "critic"), [("wgan_gp", "wavegan"), ("r3gan", "wavegan"), ("r3gan", "multiscale"), ("hinge", "multiscale")]
)
def test_every_loss_and_critic_trains_what_hears_the_condition(ecgs, tmp_path, loss, critic):
    _, conditions = learn_conditions(lambda: ecgs, ["sex", "age"], None, None)
    before = {name: value.clone() for name, value in gan_of(conditions, loss, critic).named_parameters()}
    after = dict(train(ecgs, tmp_path, 1, loss=loss, critic=critic).named_parameters())
    heard = [name for name in before if any(part in name for part in ("film.head", "projection", "recognition"))]
    assert len(heard) >= 8
    assert [name for name in heard if torch.equal(before[name], after[name])] == []


def test_a_generator_learns_to_be_recognised(ecgs):
    """Of a critic that recognises something in its features, and whose scores say next to nothing beside it."""
    _, conditions = learn_conditions(lambda: ecgs, ["sex", "age"], None, None)
    gan = gan_of(conditions, recognition_weight=1e3)
    torch.nn.init.normal_(gan.discriminator.recognition.weight)
    learned, condition = torch.optim.Adam(gan.generator.parameters(), 1e-3), gan.draw_conditions(2, 0)
    errors = []
    for _ in range(6):
        losses = gan._losses_of_generator(torch.zeros(2, 8, 2500), torch.Generator().manual_seed(0), condition)
        errors.append(float(losses["recognition_error_generated"].detach()))
        learned.zero_grad()
        losses["generator_loss"].backward()
        learned.step()
    assert errors[-1] < 0.8 * errors[0]


def test_without_weight_nothing_is_recognised_and_a_critic_of_ones_own_need_not(ecgs):
    class Own(Discriminator):
        recognised = property()  # which it does not have

    _, conditions = learn_conditions(lambda: ecgs, ["age"], None, None)
    arguments = (WaveGANStarGenerator(8, 2500, 5, 4, conditions.size), Own(8, 2500, 1, 2, conditions.size), ECG)
    settings = {"n_critic": 1, "gradient_penalty_weight": 10.0, "learning_rate": 1e-3, "betas": (0.5, 0.9)}
    settings |= {"ema_decay": 0.5, "seed": 0, "conditions": conditions}
    assert WGANGP(*arguments, **settings).recognition is None
    with pytest.raises(ValueError, match="the critic, Own, has no method `recognised`, which recognition_weight = 1"):
        WGANGP(*arguments, **settings, recognition_weight=1)


def test_what_conditions_do_may_learn_alone(ecgs, tmp_path):
    before = dict(gan_of(learn_conditions(lambda: ecgs, ["sex", "age"], None, None)[1]).generator.named_parameters())
    after = dict(train(ecgs, tmp_path, 1, trainable="conditions").generator.named_parameters())
    assert {n for n in before if not torch.equal(before[n], after[n])} == {n for n in before if n.startswith("film.")}


def test_a_training_that_resumes_ends_as_one_that_was_never_stopped(ecgs, tmp_path):
    whole = train(ecgs, tmp_path / "whole", 2)
    train(ecgs, tmp_path / "first", 1)
    resumed = train(ecgs, tmp_path / "second", 2, resume=tmp_path / "first" / "checkpoints" / "last.ckpt")
    assert_same(whole.state_dict(), resumed.state_dict())
    for one, other in zip(whole.optimizers(), resumed.optimizers(), strict=True):
        assert_same(one.state_dict()["state"], other.state_dict()["state"])


def test_where_records_lie_makes_no_difference(ecgs, tmp_path):
    there, here = (train(ecgs, tmp_path / str(on), 1, on_device=on) for on in (True, False))
    assert_same(there.state_dict(), here.state_dict())


def test_other_conditions_are_not_resumed(ecgs, tmp_path):
    train(ecgs, tmp_path, 1)
    older = replace(ecgs, records=ecgs.records.assign(age=ecgs.records["age"] + 1))
    _, conditions = learn_conditions(lambda: older, ["sex", "age"], None, None)
    with pytest.raises(ValueError, match=r"last\.ckpt was trained on other conditions than those of these training"):
        gan_of(conditions).check_resumable(tmp_path / "checkpoints" / "last.ckpt", 5)


def test_a_generator_file_holds_what_it_was_trained_on(ecgs, tmp_path):
    gan = train(ecgs, tmp_path, 1)
    opened = open_generator(tmp_path, "ema")
    assert opened.conditions.plain() == gan.conditions.plain()
    assert opened.conditions.ranges == {"age": (20.0, float(ecgs.records["age"][15]))}  # of the training records
    assert opened.description["conditions"] == ["sex", "age"]
    np.testing.assert_allclose(gan.draw_microvolts(3, 5, batch_size=2), gan.draw_microvolts(3, 5), atol=1)


def test_a_generator_without_conditions_may_become_one_with(ecgs, tmp_path):
    plain = gan_of(None)
    plain_file = tmp_path / "plain.pt"
    torch.save(plain.generator_contents(), plain_file)
    _, conditions = learn_conditions(lambda: ecgs, ["age"], None, None)
    gan = gan_of(conditions)
    for parameter in gan.generator.parameters():
        torch.nn.init.ones_(parameter)
    torch.nn.init.zeros_(gan.generator.film.head.weight)
    torch.nn.init.zeros_(gan.generator.film.head.bias)
    start_from(gan, str(plain_file))
    noise = torch.rand(2, 4)
    assert torch.equal(gan(noise, torch.zeros(2, conditions.size)), plain.generator(noise))
    conditional_file = tmp_path / "conditional.pt"
    torch.save(gan.generator_contents(), conditional_file)
    start_from(gan_of(conditions), str(conditional_file))
    with pytest.raises(ValueError, match=r"conditional\.pt is conditioned on age of other training records"):
        start_from(gan_of(None), str(conditional_file))


def test_networks_and_conditions_must_fit(ecgs):
    _, conditions = learn_conditions(lambda: ecgs, ["age"], None, None)
    with pytest.raises(ValueError, match="the generator takes 0 numbers of a condition; the conditions are 2"):
        WGANGP(
            WaveGANStarGenerator(8, 2500, 5, latent_size=4),
            Discriminator(8, 2500, 1, max_shift=2),
            ECG,
            1,
            10.0,
            1e-3,
            (0.5, 0.9),
            0.5,
            0,
            conditions=conditions,
        )


def test_a_heart_rate_that_no_table_states_is_measured(known_ecg):
    ecgs = ECGSet.from_arrays(
        np.concatenate([known_ecg(1, heart_rate_bpm=rate, num_samples=2500, seed=int(rate)) for rate in (60, 75, 90)]),
        EIGHT_LEADS,
        500,
    )
    source, conditions = learn_conditions(lambda: ecgs, ["heart_rate"], 1, None)
    rates = source().records["heart_rate"].to_numpy()
    np.testing.assert_allclose(rates, [60, 75, 90], rtol=0.03)
    assert conditions.ranges["heart_rate"] == (rates.min(), rates.max())
