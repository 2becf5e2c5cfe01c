"""The generator file, of plain values and tensors, which training writes and generation reads.

::

    format    "ecggan generator", and its version
    generator architecture and sizes, enough to build the network again
    ecg       leads, sampling rate, length and full scale of what it draws
    weights   {"raw": …, "ema": …}, each a state dict
    trained   epoch, steps, seed and other facts of the training
    transport the arrays of a beat transport, which every ECG passes through; if there is one, the version is 2, so
              that no older ecggan draws without it
    conditions  what it takes beside noise, and what of it was trained on; if there are any, the version is 3

A training checkpoint holds the same under the key ``ecggan_generator``, so generation opens both. Nothing but tensors
and plain values is ever unpickled.
"""

import hashlib
import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ecggan.data.sets.conditions import Conditions
from ecggan.ecg import ECGFormat
from ecggan.files.atomic import atomic_file
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.wavegan_star import WaveGANStarGenerator

FORMAT, FORMAT_VERSION, VERSION_WITH_TRANSPORT, VERSION_WITH_CONDITIONS = "ecggan generator", 1, 2, 3
TRANSPORT, CONDITIONS = "transport", "conditions"
KEY_IN_TRAINING_CHECKPOINT = "ecggan_generator"

ARCHITECTURES: dict[str, type[nn.Module]] = {
    "pulse2pulse": Pulse2PulseGenerator,
    "wavegan_star": WaveGANStarGenerator,
}


@dataclass(frozen=True)
class TrainedGenerator:
    """A network ready to draw, and its description for the manifest of the sets that it draws.

    Attributes:
        network: noise to an ECG in ±1.
        ecg: the format of its ECGs.
        description: plain values.
        transport: arrays of the beat transport that its ECGs pass through; None if there is none.
        conditions: that the network takes beside noise; None if there are none.
    """

    network: nn.Module
    ecg: ECGFormat
    description: dict[str, Any]
    transport: Mapping[str, Tensor] | None = None
    conditions: Conditions | None = None


def generator_contents(
    generator: nn.Module,
    ema: nn.Module | None,
    ecg: ECGFormat,
    trained: dict[str, Any],
    transport: Mapping[str, Tensor] | None = None,
    conditions: Conditions | None = None,
) -> dict[str, Any]:
    """The contents of a generator file, on the CPU.

    Args:
        generator: its weights as they were trained.
        ema: their moving average.
        ecg: the format of its ECGs.
        trained: facts of the training, plain values.
        transport: arrays of the beat transport that its ECGs pass through.
        conditions: that the generator takes beside noise.

    Raises:
        ValueError: the generator's class is not in ARCHITECTURES.
    """
    names = [name for name, architecture in ARCHITECTURES.items() if type(generator) is architecture]
    if not names:
        raise ValueError(f"{type(generator).__name__} is not among the architectures; add it to ARCHITECTURES")
    networks = {"raw": generator} if ema is None else {"raw": generator, "ema": ema}
    return {
        "format": FORMAT,
        "format_version": _version(transport is not None, conditions is not None),
        "generator": {"architecture": names[0], **_plain(generator.hyperparameters)},
        "ecg": {**asdict(ecg), "leads": list(ecg.leads)},
        "weights": {
            which: {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
            for which, network in networks.items()
        },
        "trained": trained,
        **({} if transport is None else {TRANSPORT: dict(transport)}),
        **({} if conditions is None else {CONDITIONS: conditions.plain()}),
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
        The network, the format of what it draws, and the facts of its training.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a file, damaged, or without these weights; the message says which.
    """
    return generator_of(read_tensors(path), path, weights)


def generator_of(
    contents: dict[str, Any], path: str | Path, weights: str
) -> tuple[nn.Module, ECGFormat, dict[str, Any]]:
    """As [load_generator][], from a file's contents; `path` is for the messages."""
    contents = contents.get(KEY_IN_TRAINING_CHECKPOINT, contents)
    if contents.get("format") != FORMAT:
        raise ValueError(f"{path} is no generator of ecggan; it holds {', '.join(map(str, list(contents)[:8]))}")
    missing = [key for key in ("format_version", "generator", "ecg", "weights", "trained") if key not in contents]
    if missing:
        raise ValueError(f"{path} is damaged: {', '.join(missing)} is missing")
    check_version(contents["format_version"], TRANSPORT in contents, CONDITIONS in contents, path)
    if weights not in contents["weights"]:
        raise ValueError(f"{path} holds the weights {', '.join(contents['weights'])}; weights={weights} is not there")
    generator = build_generator(contents["generator"], contents["weights"][weights], path)
    return generator, ECGFormat(**contents["ecg"]), contents["trained"]


def transport_of(contents: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """The arrays of the beat transport, from a file's contents; None if there is none."""
    return contents.get(KEY_IN_TRAINING_CHECKPOINT, contents).get(TRANSPORT)


def conditions_of(plain: Mapping[str, Any] | None, network: nn.Module, path: str | Path) -> Conditions | None:
    """The conditions of a network, from the plain values in its file; None if it takes none.

    Raises:
        ValueError: the file is damaged.
    """
    size = getattr(network, "condition_size", 0)
    try:
        conditions = None if plain is None else Conditions.from_plain(plain)
        is_right = (0 if conditions is None else conditions.size) == size
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: its conditions cannot be read ({error})") from error
    if not is_right:
        raise ValueError(
            f"{path} is damaged: its network takes {size} numbers of a condition, its conditions are others"
        )
    return conditions


def check_version(version: Any, has_transport: bool, has_conditions: bool, path: str | Path) -> None:
    """Raise ValueError unless this ecggan reads the version, and the file has what the version says it has."""
    versions = (FORMAT_VERSION, VERSION_WITH_TRANSPORT, VERSION_WITH_CONDITIONS)
    if version not in versions:
        raise ValueError(
            f"{path} has format version {version}; this ecggan reads {', '.join(map(str, versions[:-1]))} and "
            f"{versions[-1]}"
        )
    for has, needed, what in (
        (has_transport, version == VERSION_WITH_TRANSPORT, "transport"),
        (has_conditions, version == VERSION_WITH_CONDITIONS, "list of conditions"),
    ):
        if has != needed:
            raise ValueError(f"{path} is damaged: version {version} {'has no' if has else 'needs a'} {what}")


def _version(has_transport: bool, has_conditions: bool) -> int:
    if has_transport and has_conditions:
        raise ValueError("a generator with conditions cannot have a beat transport, which knows none")
    return VERSION_WITH_TRANSPORT if has_transport else VERSION_WITH_CONDITIONS if has_conditions else FORMAT_VERSION


def build_generator(
    architecture_and_sizes: Mapping[str, Any], state: Mapping[str, Tensor], path: str | Path
) -> nn.Module:
    """The network, in evaluation mode.

    Raises:
        ValueError: an unknown architecture, or weights that do not fit it.
    """
    sizes = dict(architecture_and_sizes)
    name = sizes.pop("architecture", None)
    if name not in ARCHITECTURES:
        raise ValueError(f"{path} is of the architecture {name!r}; known are {', '.join(ARCHITECTURES)}")
    try:
        generator = ARCHITECTURES[name](**sizes)
        generator.load_state_dict(state)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged: its weights do not fit a {name} of {sizes}") from error
    return generator.eval()


def weights_sha256(generator: nn.Module) -> str:
    """SHA-256 over the generator's tensors by name: equal for equal weights, whatever the file format."""
    return tensors_sha256(generator.state_dict())


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """One SHA-256 over tensors by name, their types and shapes included."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


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
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f" ({found[1]})" if found else ", or is no checkpoint at all"
        raise ValueError(
            f"{path} holds more than tensors and plain values{what}; it is not opened, since it could run code. "
            f"Where you trust it, keep its tensors alone: c = torch.load({path.name!r}, map_location='cpu', "
            "weights_only=False); torch.save({'netG_state_dict': c['netG_state_dict']}, 'tensors.pt') "
            "(c.state_dict() where c is the network itself)"
        ) from error
    except Exception as error:  # a damaged file fails in a dozen ways
        size = os.path.getsize(path)
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{path} cannot be read as a torch file ({size} bytes): {why}") from error
    if not isinstance(contents, dict):
        raise ValueError(f"{path} holds a {type(contents).__name__}, not a dictionary of weights")
    return contents


def _plain(hyperparameters: Any) -> dict[str, Any]:
    assert isinstance(hyperparameters, dict)
    return dict(hyperparameters)
