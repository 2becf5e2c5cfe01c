"""A trained generator as plain values and tensors: what training writes and generation reads.

::

    format    "ecggan generator", and its version
    generator architecture and sizes, enough to build the network again
    ecg       leads, sampling rate, length and full scale of what it draws
    weights   {"raw": …, "ema": …}, each a state dict
    trained   epoch, steps, seed: whatever training wants to tell

A training checkpoint holds the same under the key ``ecggan_generator``, so either can be given to generation. Nothing
but tensors and plain values is ever unpickled.
"""

import os
import pickle
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ecggan.atomic import atomic_file
from ecggan.ecg import ECGFormat
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.wavegan_star import WaveGANStarGenerator

FORMAT, FORMAT_VERSION = "ecggan generator", 1
KEY_IN_TRAINING_CHECKPOINT = "ecggan_generator"

ARCHITECTURES: dict[str, type[nn.Module]] = {
    "pulse2pulse": Pulse2PulseGenerator,
    "wavegan_star": WaveGANStarGenerator,
}


def generator_contents(
    generator: nn.Module, ema: nn.Module | None, ecg: ECGFormat, trained: dict[str, Any]
) -> dict[str, Any]:
    """The contents of a generator file, on the CPU.

    Raises:
        ValueError: the generator is of a class that no architecture name stands for.
    """
    names = [name for name, architecture in ARCHITECTURES.items() if type(generator) is architecture]
    if not names:
        raise ValueError(f"{type(generator).__name__} is not among the architectures; add it to ARCHITECTURES")
    networks = {"raw": generator} if ema is None else {"raw": generator, "ema": ema}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "generator": {"architecture": names[0], **_plain(generator.hyperparameters)},
        "ecg": {**asdict(ecg), "leads": list(ecg.leads)},
        "weights": {
            which: {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
            for which, network in networks.items()
        },
        "trained": trained,
    }


def save_generator(path: str | Path, contents: dict[str, Any]) -> None:
    """Write a generator file, whole or not at all."""
    with atomic_file(path) as unfinished:
        torch.save(contents, unfinished)


def load_generator(path: str | Path, weights: str) -> tuple[nn.Module, ECGFormat, dict[str, Any]]:
    """Build the generator of a generator file or a training checkpoint, in evaluation mode on the CPU.

    Args:
        path: the file.
        weights: "ema" or "raw".

    Returns:
        The network, the format of what it draws, and what training told of it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a file, damaged, or without these weights; the message says which.
    """
    contents = read_tensors(path)
    contents = contents.get(KEY_IN_TRAINING_CHECKPOINT, contents)
    if contents.get("format") != FORMAT:
        raise ValueError(f"{path} is no generator of ecggan; it holds {', '.join(map(str, list(contents)[:8]))}")
    missing = [key for key in ("format_version", "generator", "ecg", "weights", "trained") if key not in contents]
    if missing:
        raise ValueError(f"{path} is damaged: {', '.join(missing)} is missing")
    if contents["format_version"] != FORMAT_VERSION:
        raise ValueError(f"{path} has format version {contents['format_version']}; this ecggan reads {FORMAT_VERSION}")
    if weights not in contents["weights"]:
        raise ValueError(f"{path} holds the weights {', '.join(contents['weights'])}; weights={weights} is not there")
    sizes = dict(contents["generator"])
    name = sizes.pop("architecture")
    if name not in ARCHITECTURES:
        raise ValueError(f"{path} is of the architecture {name!r}; known are {', '.join(ARCHITECTURES)}")
    try:
        generator = ARCHITECTURES[name](**sizes)
        generator.load_state_dict(contents["weights"][weights])
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged: its weights do not fit a {name} of {sizes}") from error
    return generator.eval(), ECGFormat(**contents["ecg"]), contents["trained"]


def read_tensors(path: str | Path) -> dict[str, Any]:
    """Read a torch file of tensors and plain values; code in it is refused, never run.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged, is no dictionary, or holds more than tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} holds more than tensors and plain values, or is no checkpoint at all; it is not opened, since "
            "it could run code"
        ) from error
    except (RuntimeError, EOFError, ValueError, OSError) as error:
        size = os.path.getsize(path)
        raise ValueError(
            f"{path} cannot be read as a torch file ({size} bytes): {str(error).strip().splitlines()[0]}"
        ) from error
    if not isinstance(contents, dict):
        raise ValueError(f"{path} holds a {type(contents).__name__}, not a dictionary of weights")
    return contents


def _plain(hyperparameters: Any) -> dict[str, Any]:
    assert isinstance(hyperparameters, dict)
    return dict(hyperparameters)
