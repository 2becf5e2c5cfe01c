import pytest
import torch

from ecggan.checkpoints.generator_file import KEY_IN_TRAINING_CHECKPOINT, generator_contents, save_generator
from ecggan.data.sets.training_records import KEY, encode_hashes
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.wavegan_star import WaveGANStarGenerator
from ecggan.training.initial_weights import start_from
from ecggan.training.wgan_gp import WGANGP

SEEN = "00000000000000ff"


def gan(generator=None, full_scale_mv=6.0, critic_size=1):
    generator = generator or Pulse2PulseGenerator(8, 5000, 5)
    ecg = ECGFormat(EIGHT_LEADS, 500, 5000, full_scale_mv)
    return WGANGP(generator, Discriminator(8, 5000, critic_size, 2), ecg, 1, 10.0, 1e-4, (0.5, 0.9), 0.9, 0)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.fixture
def trained(tmp_path):
    """The file of a generator, its raw weights and their average, and of the training with its critic."""
    raw, ema, critic = Pulse2PulseGenerator(8, 5000, 5), Pulse2PulseGenerator(8, 5000, 5), Discriminator(8, 5000, 1, 2)
    facts = {"epochs": 7, KEY: encode_hashes([SEEN])}
    contents = generator_contents(raw, ema, ECGFormat(EIGHT_LEADS, 500, 5000, 6.0), facts)
    save_generator(tmp_path / "checkpoints" / "generator_epoch_0007.pt", contents)
    state = {f"discriminator.{name}": tensor for name, tensor in critic.state_dict().items()}
    torch.save({KEY_IN_TRAINING_CHECKPOINT: contents, "state_dict": state}, tmp_path / "checkpoints" / "last.ckpt")
    return tmp_path, ema, critic


def test_generator_and_average_start_from_the_trained_average(trained):
    folder, ema, critic = trained
    new = gan()
    start_from(new, str(folder))
    assert same(new.generator, ema)
    assert same(new.ema.module, ema)
    assert not same(new.discriminator, critic)
    assert new.trained_on == {SEEN}


def test_the_critic_comes_with_a_training_checkpoint(trained):
    folder, ema, critic = trained
    new = gan()
    start_from(new, str(folder / "checkpoints/last.ckpt"))
    assert same(new.generator, ema)
    assert same(new.discriminator, critic)


def test_a_critic_of_another_size_stays_random_and_says_so(trained, caplog):
    folder, ema, _ = trained
    new = gan(critic_size=2)
    start_from(new, str(folder / "checkpoints/last.ckpt"))
    assert same(new.generator, ema)
    assert "critic starts from random weights" in caplog.text.replace("'s", "")


def test_the_average_does_not_move_away_before_the_first_step(trained):
    new = gan()
    start_from(new, str(trained[0]))
    new.ema.update_parameters(new.generator)
    assert same(new.ema.module, new.generator)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"generator": Pulse2PulseGenerator(8, 5000, 10)}, r"is of another size: .* change model\.model_size"),
        ({"generator": WaveGANStarGenerator(8, 5000, 5, latent_size=10)}, "change model="),
        ({"full_scale_mv": 3.0}, "change ecg="),
    ],
)
def test_a_generator_that_does_not_fit_is_refused(trained, other, told):
    with pytest.raises(ValueError, match=told):
        start_from(gan(**other), str(trained[0]))


def test_a_generator_with_a_transport_is_refused(trained, tmp_path):
    contents = generator_contents(
        Pulse2PulseGenerator(8, 5000, 5), None, ECGFormat(EIGHT_LEADS, 500, 5000, 6.0), {}, {"rr": torch.zeros(1)}
    )
    contents["weights"]["ema"] = contents["weights"]["raw"]
    save_generator(tmp_path / "moved.pt", contents)
    with pytest.raises(ValueError, match="pass through a beat transport"):
        start_from(gan(), str(tmp_path / "moved.pt"))
