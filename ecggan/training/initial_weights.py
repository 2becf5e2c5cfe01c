"""Begin a training from trained networks in place of random ones."""

import logging
from pathlib import Path

from torch import nn

from ecggan.checkpoints.generator_file import KEY_IN_TRAINING_CHECKPOINT, TrainedGenerator, read_tensors
from ecggan.checkpoints.open import open_generator
from ecggan.checkpoints.published import PUBLISHED
from ecggan.data.sets.training_records import training_hashes
from ecggan.models.film import FILM
from ecggan.training.averaging import continue_from
from ecggan.training.wgan_gp import WGANGP

log = logging.getLogger(__name__)

_CRITIC = "discriminator."
_OF_CONDITIONS = ("projection.", "recognition.")


def start_from(gan: WGANGP, init: str, epoch: int | str = "best") -> None:
    """Give a GAN the weights of a trained generator, and of its critic if the file has one of the same shape.

    The generator and its moving average both start from the file's moving average, the better of the two. What the
    generator was trained on counts as what this one is trained on too. Optimizers start anew.

    Args:
        gan: of the same architecture.
        init: "published", a run's folder, or a generator file or training checkpoint.
        epoch: of a run's folder.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the generator is of another architecture, size or format, has other conditions (a generator without
            may become one with), or its ECGs pass through a beat transport.
    """
    opened = open_generator(init, "ema", epoch)
    _check_format(gan, opened, init)
    _load(gan.generator, opened.network, init)
    continue_from(gan.ema, gan.generator)
    gan.restart()
    gan.trained_on |= training_hashes(opened.description)
    if init != PUBLISHED and Path(init).is_file() and Path(init).suffix == ".ckpt":
        _load_critic(gan, Path(init))


def _check_format(gan: WGANGP, opened: TrainedGenerator, init: str) -> None:
    if opened.transport is not None:
        raise ValueError(
            f"the ECGs of {init} pass through a beat transport, which a training would not see; init= needs the "
            "generator that it was fitted on"
        )
    if opened.conditions is not None and (
        gan.conditions is None or gan.conditions.plain() != opened.conditions.plain()
    ):
        raise ValueError(
            f"init={init} is conditioned on {', '.join(opened.conditions.names)} of other training records than this "
            "training's; begin with a generator without conditions, or resume its training"
        )
    if opened.ecg != gan.ecg:
        raise ValueError(f"init={init} draws {opened.ecg}; this training is of {gan.ecg}: change ecg=…")


def _load(network: nn.Module, trained: nn.Module, init: str) -> None:
    if type(network) is not type(trained):
        raise ValueError(
            f"init={init} is a {type(trained).__name__}, the model a {type(network).__name__}: change model=…"
        )
    found, wanted = ({name: tuple(x.shape) for name, x in one.state_dict().items()} for one in (trained, network))
    # at first they change nothing, so that a generator without may become one with conditions
    is_new = {name for name in wanted.keys() - found.keys() if name.startswith(FILM)}
    if found != {name: shape for name, shape in wanted.items() if name not in is_new}:
        different = next(name for name in {**found, **wanted} if found.get(name) != wanted.get(name))
        raise ValueError(
            f"init={init} is of another size: {different} is {found.get(different)} there and {wanted.get(different)} "
            "here; change model.model_size"
        )
    network.load_state_dict({**network.state_dict(), **trained.state_dict()})


def _load_critic(gan: WGANGP, path: Path) -> None:
    contents = read_tensors(path)
    if KEY_IN_TRAINING_CHECKPOINT not in contents:
        return
    weights = contents["state_dict"]
    critic = {name.removeprefix(_CRITIC): x for name, x in weights.items() if name.startswith(_CRITIC)}
    own = gan.discriminator.state_dict()
    new = {name for name in own if any(part in name for part in _OF_CONDITIONS)} - critic.keys()
    critic |= {name: own[name] for name in new}  # of a critic without conditions, that of a new one
    if {name: x.shape for name, x in critic.items()} == {name: x.shape for name, x in own.items()}:
        gan.discriminator.load_state_dict(critic)
    else:
        log.warning("the critic of %s is of another shape: this training's critic starts from random weights", path)
