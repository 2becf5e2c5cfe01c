"""Where a generator comes from: ecggan's runs and files, the published weights, or what others' code has trained."""

import importlib.metadata
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from ecggan.checkpoints.generator_file import (
    FORMAT,
    KEY_IN_TRAINING_CHECKPOINT,
    generator_contents,
    generator_of,
    read_tensors,
    weights_sha256,
)
from ecggan.checkpoints.pulse2pulse_repo import ECG_KEYS, foreign_generator
from ecggan.checkpoints.safetensors_file import SUFFIX, load_safetensors, save_safetensors
from ecggan.ecg import EIGHT_LEADS, ECGFormat

log = logging.getLogger(__name__)

PUBLISHED = "published"
PUBLISHED_FORMAT = ECGFormat(leads=EIGHT_LEADS, sampling_rate=500, num_samples=5000, full_scale_mv=6.0)


@dataclass(frozen=True)
class TrainedGenerator:
    """A network ready to draw, and what a generated set tells of it."""

    network: nn.Module
    ecg: ECGFormat
    description: dict[str, Any]


def open_generator(
    checkpoint: str | Path, weights: str, epoch: int | str = "best", ecg: Mapping[str, Any] | None = None
) -> TrainedGenerator:
    """Load a generator. Nothing but tensors and plain values is ever unpickled.

    Args:
        checkpoint: "published", the folder of a training run, or a file: a generator file, a training checkpoint, a
            ``.safetensors`` of [convert_checkpoint][], or one of the layouts of
            [ecggan.checkpoints.pulse2pulse_repo][].
        weights: "ema" or "raw", of ecggan's runs and files; the others hold one set, which is taken whatever is asked.
        epoch: of a run's folder: a number, "last", or "best", the one whose ECGs had the smallest physiological
            distance to real ones; where none was looked at, the last.
        ecg: what a file of others does not say of its ECGs: any of leads, sampling_rate (Hz), num_samples and
            full_scale_mv, the mV that its ±1 stands for.

    Returns:
        The network and its format; the description holds the file's name, its layout, the SHA-256 of the weights, and
        what else the file tells.

    Raises:
        FileNotFoundError: nothing there.
        ValueError: not a generator, one that ecggan cannot draw from, or `ecg` is not what the file says.
    """
    given = dict(ecg or {})
    if unknown := [key for key in given if key not in ECG_KEYS]:
        raise ValueError(f"ecg says {', '.join(map(str, unknown))}; it can say {', '.join(ECG_KEYS)}")
    if not isinstance(given.get("leads", ()), list | tuple):
        raise ValueError(f"ecg's leads must be a list of names; got {given['leads']!r}")
    opened = published_generator() if checkpoint == PUBLISHED else _open_path(Path(checkpoint), weights, epoch, given)
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
    """Write any generator that [open_generator][] opens as one safetensors file, which draws the same ECGs.

    Args:
        checkpoint: what to open.
        out: a new file that ends in ``.safetensors``.
        weights: "ema" or "raw", as of [open_generator][].
        epoch: likewise.
        ecg: likewise; the new file says it.

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
    told = {key: value for key, value in opened.description.items() if key not in ("checkpoint", "weights_sha256")}
    source = {"checkpoint": opened.description["checkpoint"], "layout": told.pop("layout")}
    contents = generator_contents(opened.network, None, opened.ecg, {"converted_from": source, **told})
    save_safetensors(out, contents, "raw")
    return out


def _open_path(path: Path, weights: str, epoch: int | str, given: Mapping[str, Any]) -> TrainedGenerator:
    if path.is_dir():
        path = _generator_of_run(path, epoch)
    try:
        return _open_file(path, weights, given)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(
            f"{path} is damaged: what it says of its generator is not of the right kind ({error})"
        ) from error


def _open_file(path: Path, weights: str, given: Mapping[str, Any]) -> TrainedGenerator:
    if path.suffix == SUFFIX:
        network, ecg, told = load_safetensors(path)
        told = {"layout": "ecggan safetensors", **told}
    else:
        contents = read_tensors(path)
        if contents.get("format") == FORMAT or KEY_IN_TRAINING_CHECKPOINT in contents:
            network, ecg, trained = generator_of(contents, path, weights)
            which = "ecggan training checkpoint" if KEY_IN_TRAINING_CHECKPOINT in contents else FORMAT
            told = {"layout": which, "weights": weights, **trained}
        else:
            network, ecg, told = foreign_generator(contents, path, given)
    return TrainedGenerator(network, ecg, {"checkpoint": path.name, **told, "weights_sha256": weights_sha256(network)})


def published_generator() -> TrainedGenerator:
    """The Pulse2Pulse generator of the paper, from the weights that the package deepfake-ecg carries.

    The package is found without importing it: importing it needs packages that it does not declare.

    Raises:
        FileNotFoundError: the package is not installed, or without its weights.
    """
    try:
        package = importlib.metadata.distribution("deepfake-ecg")
    except importlib.metadata.PackageNotFoundError as error:
        raise FileNotFoundError(
            "the published weights come with the package deepfake-ecg, which is not installed: "
            "pip install deepfake-ecg==1.1.2"
        ) from error
    weights = Path(str(package.locate_file("deepfakeecg/checkpoints/g_stat.pt")))
    network, ecg, told = foreign_generator(read_tensors(weights), weights, {})
    assert ecg == PUBLISHED_FORMAT
    description = {"checkpoint": PUBLISHED, "package": f"deepfake-ecg {package.version}", "layout": told["layout"]}
    return TrainedGenerator(network, ecg, {**description, "weights_sha256": weights_sha256(network)})


def generators_of_run(run: str | Path) -> dict[int, Path]:
    """The generator files that a training run has kept, by epoch.

    Raises:
        FileNotFoundError: none.
    """
    files = sorted((Path(run) / "checkpoints").glob("generator_epoch_*.pt"))
    found = {int(match[1]): file for file in files if (match := re.fullmatch(r"generator_epoch_(\d+)", file.stem))}
    if not found:
        raise FileNotFoundError(
            f"{run} is not the folder of a training run: there is no checkpoints/generator_epoch_*.pt in it"
        )
    return dict(sorted(found.items()))


def _generator_of_run(run: Path, epoch: int | str) -> Path:
    found = generators_of_run(run)
    if epoch == "last":
        return found[max(found)]
    if epoch == "best":
        curve = run / "checkpoints" / "physiology.csv"
        if not curve.is_file():
            log.info("no checkpoint of %s was compared with real ECGs: the last is taken", run)
            return found[max(found)]
        try:
            known = pd.read_csv(curve)
            known = known[known["epoch"].isin(list(found)) & known["physiological_distance"].astype(float).notna()]
        except (ValueError, KeyError) as error:
            raise ValueError(f"{curve} is damaged ({error}); say which epoch: epoch=last or a number") from error
        if not len(known):
            log.info("no checkpoint in %s is one of those that are kept: the last is taken", curve)
            return found[max(found)]
        best = known.loc[known["physiological_distance"].idxmin()]
        log.info("epoch %d, physiological distance %.3f", best["epoch"], best["physiological_distance"])
        return found[int(best["epoch"])]
    if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch not in found:
        raise ValueError(
            f"epoch must be best, last, or one that {run} has kept ({', '.join(map(str, found))}); got {epoch}"
        )
    return found[epoch]
