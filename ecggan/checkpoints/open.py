"""Open a generator: a run's folder, a file of ecggan, the published weights, or a file of another project."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecggan.checkpoints.generator_file import (
    CONDITIONS,
    FORMAT,
    KEY_IN_TRAINING_CHECKPOINT,
    TrainedGenerator,
    conditions_of,
    generator_contents,
    generator_of,
    read_tensors,
    tensors_sha256,
    transport_of,
    weights_sha256,
)
from ecggan.checkpoints.ptbxl import PTBXL, ptbxl_generator
from ecggan.checkpoints.published import PUBLISHED, published_generator
from ecggan.checkpoints.safetensors_file import (
    SUFFIX,
    load_conditions,
    load_safetensors,
    load_transport,
    save_safetensors,
)
from ecggan.checkpoints.third_party import ECG_KEYS, third_party_generator
from ecggan.run_folder import RunFolder

NAMED = {PUBLISHED: published_generator, PTBXL: ptbxl_generator}
"""Generators that go by a word, which a path of the same name has to be told from: ``./ptbxl``."""


def open_generator(
    checkpoint: str | Path, weights: str, epoch: int | str = "best", ecg: Mapping[str, Any] | None = None
) -> TrainedGenerator:
    """Load a generator. Nothing but tensors and plain values is ever unpickled.

    Args:
        checkpoint: "published", "ptbxl", the folder of a training run, or a file: a generator file, a training
            checkpoint, a ``.safetensors`` of [convert_checkpoint][], or one of the layouts of
            [ecggan.checkpoints.third_party][].
        weights: "ema" or "raw", for ecggan's runs and files; other files hold one set, which is used for both.
        epoch: of a run's folder: a number, "last", or "best", the smallest checkpoint score; the last if no distance to
            real ECGs was measured.
        ecg: the facts that a file of another project lacks: any of leads, sampling_rate (Hz), num_samples and
            full_scale_mv, the mV that its ±1 stands for.

    Returns:
        The network and its format; the description holds the file's name, its layout, the SHA-256 of the weights, and
        the file's other facts.

    Raises:
        FileNotFoundError: no such file or folder.
        ValueError: not a generator, one that ecggan cannot draw from, or `ecg` contradicts the file.
    """
    given = dict(ecg or {})
    if unknown := [key for key in given if key not in ECG_KEYS]:
        raise ValueError(f"ecg says {', '.join(map(str, unknown))}; it can say {', '.join(ECG_KEYS)}")
    if not isinstance(given.get("leads", ()), list | tuple):
        raise ValueError(f"ecg's leads must be a list of names; got {given['leads']!r}")
    named = NAMED.get(str(checkpoint))
    opened = _open_path(Path(checkpoint), weights, epoch, given) if named is None else named()
    for key, value in given.items():
        known = getattr(opened.ecg, key)
        if (tuple(value) if key == "leads" else value) != known:
            raise ValueError(f"{checkpoint} says that {key} is {known}; ecg says {value}")
    return opened


def convert_checkpoint(
    checkpoint: str | Path,
    out: str | Path,
    weights: str = "ema",
    epoch: int | str = "best",
    ecg: Mapping[str, Any] | None = None,
) -> Path:
    """Write any generator that [open_generator][] opens as a safetensors file, which draws the same ECGs.

    Args:
        checkpoint: as for [open_generator][].
        out: a new file that ends in ``.safetensors``.
        weights: "ema" or "raw", as for [open_generator][].
        epoch: of a run's folder, as for [open_generator][].
        ecg: the facts that the file lacks, as for [open_generator][]; the new file holds them.

    Raises:
        FileExistsError: `out` is there already. Nothing is overwritten.
        FileNotFoundError: no such checkpoint.
        ValueError: `out` has another ending, or the checkpoint cannot be opened.
    """
    out = Path(out)
    if out.suffix != SUFFIX:
        raise ValueError(f"out must end in {SUFFIX}; got {out}")
    if out.exists():
        raise FileExistsError(f"{out} exists; give another name or remove it first")
    opened = open_generator(checkpoint, weights, epoch, ecg)
    description = dict(opened.description)
    for computed in ("weights_sha256", "transport_sha256", "conditions"):
        description.pop(computed, None)
    source = {"checkpoint": description.pop("checkpoint"), "layout": description.pop("layout")}
    trained = {"converted_from": source, **description}
    contents = generator_contents(opened.network, None, opened.ecg, trained, opened.transport, opened.conditions)
    save_safetensors(out, contents, "raw")
    return out


def _open_path(path: Path, weights: str, epoch: int | str, given: Mapping[str, Any]) -> TrainedGenerator:
    if path.is_dir():
        path = RunFolder(path).generator(epoch)
    try:
        return _open_file(path, weights, given)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{path} is damaged: its facts of the generator have the wrong type ({error})") from error


def _open_file(path: Path, weights: str, given: Mapping[str, Any]) -> TrainedGenerator:
    if path.suffix == SUFFIX:
        network, ecg, trained = load_safetensors(path)
        transport, plain = load_transport(path), load_conditions(path)
        description = {"layout": "ecggan safetensors", **trained}
    else:
        contents = read_tensors(path)
        if contents.get("format") == FORMAT or KEY_IN_TRAINING_CHECKPOINT in contents:
            network, ecg, trained = generator_of(contents, path, weights)
            transport = transport_of(contents)
            plain = contents.get(KEY_IN_TRAINING_CHECKPOINT, contents).get(CONDITIONS)
            layout = "ecggan training checkpoint" if KEY_IN_TRAINING_CHECKPOINT in contents else FORMAT
            description = {"layout": layout, "weights": weights, **trained}
        else:
            network, ecg, description = third_party_generator(contents, path, given)
            transport, plain = None, None
    described = {"checkpoint": path.name, **description, "weights_sha256": weights_sha256(network)}
    if transport is not None:
        described["transport_sha256"] = tensors_sha256(transport)
    conditions = conditions_of(plain, network, path)
    if conditions is not None:
        described["conditions"] = list(conditions.names)
    return TrainedGenerator(network, ecg, described, transport, conditions)
