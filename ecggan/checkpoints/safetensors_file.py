"""A trained generator as safetensors: one set of weights, no pickle, readable without torch.

The metadata, JSON by key, are what a generator file holds beside its weights: format and version, generator, ecg and
trained; and the weights' SHA-256, to detect damage.

Source: https://huggingface.co/docs/safetensors
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ecggan.checkpoints.generator_file import (
    CONDITIONS,
    FORMAT,
    TRANSPORT,
    build_generator,
    check_version,
    weights_sha256,
)
from ecggan.ecg import ECGFormat
from ecggan.files.atomic import atomic_file

SUFFIX = ".safetensors"
_PREFIX = f"{TRANSPORT}."  # of the names of a beat transport's arrays, beside the weights
_KEYS = ("format", "format_version", "generator", "ecg", "trained", "weights_sha256")


def save_safetensors(path: str | Path, contents: dict[str, Any], weights: str) -> None:
    """Write one set of weights, whole or not at all.

    Args:
        path: the file; an existing one is replaced.
        contents: from [generator_contents][ecggan.checkpoints.generator_file.generator_contents].
        weights: "raw" or "ema".
    """
    state = contents["weights"][weights]
    values = {key: contents[key] for key in (*_KEYS, CONDITIONS) if key in contents}
    values["weights_sha256"] = weights_sha256(build_generator(contents["generator"], state, path))
    metadata = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
    tensors = {**state, **{_PREFIX + name: tensor for name, tensor in contents.get(TRANSPORT, {}).items()}}
    with atomic_file(path) as unfinished:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, unfinished, metadata)


def load_safetensors(path: str | Path) -> tuple[nn.Module, ECGFormat, dict[str, Any]]:
    """Build the generator, in evaluation mode on the CPU.

    Returns:
        The network, the format of what it draws, and the facts of its training.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a safetensors file, not one of ecggan, or damaged; the message says which and what is missing.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            names = list(file.keys())
            state = {name: file.get_tensor(name) for name in names if not name.startswith(_PREFIX)}
    except SafetensorError as error:
        raise ValueError(f"{path} cannot be read as a safetensors file: {error}") from error
    missing = [key for key in _KEYS if key not in metadata]
    if missing:
        raise ValueError(
            f"{path} is no generator of ecggan: {', '.join(missing)} is missing from its metadata; "
            f"it holds {', '.join(sorted(state)[:3])} … ({len(state)} tensors)"
        )
    try:
        values = {key: json.loads(metadata[key]) for key in _KEYS}
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged: its metadata are not JSON") from error
    if values["format"] != FORMAT:
        raise ValueError(
            f"{path} is {values['format']!r} of version {values['format_version']}; this ecggan reads {FORMAT!r}"
        )
    check_version(values["format_version"], len(state) < len(names), CONDITIONS in metadata, path)
    generator, ecg, trained = (values[key] for key in ("generator", "ecg", "trained"))
    if not (isinstance(generator, dict) and isinstance(ecg, dict) and isinstance(trained, dict)):
        raise ValueError(f"{path} is damaged: generator, ecg and trained must be JSON objects")
    try:
        ecg_format = ECGFormat(**ecg)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: its ecg is {ecg}") from error
    network = build_generator(generator, state, path)
    if weights_sha256(network) != values["weights_sha256"]:
        raise ValueError(f"{path} is damaged: its weights are not those that were written")
    return network, ecg_format, trained


def load_transport(path: str | Path) -> dict[str, Tensor] | None:
    """The arrays of the beat transport in a file that [load_safetensors][] opens; None if there is none."""
    with safe_open(path, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(_PREFIX)]  # noqa: SIM118  it is no dictionary
        return {name.removeprefix(_PREFIX): file.get_tensor(name) for name in names} or None


def load_conditions(path: str | Path) -> Any:
    """The plain values of the conditions in a file that [load_safetensors][] opens; None if there are none.

    Raises:
        ValueError: the file is damaged.
    """
    with safe_open(path, framework="pt") as file:
        written = (file.metadata() or {}).get(CONDITIONS)
    try:
        return None if written is None else json.loads(written)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged: its conditions are not JSON") from error


def save_transport_alone(path: str | Path, arrays: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write the arrays of a beat transport without the generator that they belong to, and facts as its metadata."""
    tensors = {_PREFIX + name: tensor.contiguous() for name, tensor in arrays.items()}
    with atomic_file(path) as unfinished:
        save_file(tensors, unfinished, {"facts": json.dumps(facts, ensure_ascii=False)})


def load_transport_alone(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What [save_transport_alone][] wrote."""
    with safe_open(path, framework="pt") as file:
        facts = json.loads(file.metadata()["facts"])
    arrays = load_transport(path)
    assert arrays is not None
    return arrays, facts
