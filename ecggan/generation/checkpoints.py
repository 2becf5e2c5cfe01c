"""Where a generator comes from: the published weights, a generator file, a training checkpoint, or a run's folder."""

import importlib.metadata
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor, nn

from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.generator_file import load_generator, read_tensors
from ecggan.models.pulse2pulse import Pulse2PulseGenerator

log = logging.getLogger(__name__)

PUBLISHED = "published"
PUBLISHED_FORMAT = ECGFormat(leads=EIGHT_LEADS, sampling_rate=500, num_samples=5000, full_scale_mv=6.0)
_PUBLISHED_MODEL_SIZE = 50


@dataclass(frozen=True)
class TrainedGenerator:
    """A network ready to draw, and what a generated set tells of it."""

    network: nn.Module
    ecg: ECGFormat
    description: dict[str, Any]


def open_generator(checkpoint: str | Path, weights: str, epoch: int | str = "best") -> TrainedGenerator:
    """Load a generator.

    Args:
        checkpoint: "published", a generator file, a training checkpoint, or the folder of a training run.
        weights: "ema" or "raw"; the published weights are one set, whatever is asked.
        epoch: of a run's folder: a number, "last", or "best", the one whose ECGs had the smallest physiological
            distance to real ones; where none was looked at, the last.

    Raises:
        FileNotFoundError: nothing there.
        ValueError: not a generator.
    """
    if checkpoint == PUBLISHED:
        return published_generator()
    path = Path(checkpoint)
    if path.is_dir():
        path = _generator_of_run(path, epoch)
    network, ecg, trained = load_generator(path, weights)
    return TrainedGenerator(network, ecg, {"checkpoint": path.name, "weights": weights, **trained})


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
    contents = read_tensors(Path(str(package.locate_file("deepfakeecg/checkpoints/g_stat.pt"))))
    network = Pulse2PulseGenerator(
        len(PUBLISHED_FORMAT.leads), PUBLISHED_FORMAT.num_samples, model_size=_PUBLISHED_MODEL_SIZE
    )
    network.load_state_dict(from_original_names(contents["stat_dict"]))
    description = {"checkpoint": PUBLISHED, "package": f"deepfake-ecg {package.version}"}
    return TrainedGenerator(network.eval(), PUBLISHED_FORMAT, description)


def from_original_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A Pulse2Pulse state dict of the original code, under our names, without the layers that it never uses.

    Never used are a transposed convolution beside each upsampling one (`Conv1dTrans`), a linear layer (`fc1`) and a
    512-tap filter (`ppfilter1`). Anything else that is unknown is kept, so that strict loading names it.
    """
    renamed = {}
    for name, tensor in state.items():
        if ".Conv1dTrans." in name or name.startswith(("fc1.", "ppfilter1.")):
            continue
        new = re.sub(r"^conv_([1-6])\.", lambda match: f"encoder.{int(match[1]) - 1}.", name)
        # There is no deconv_4.
        new = re.sub(
            r"^deconv_([123567])\.conv1d\.",
            lambda match: f"decoder.layers.{'123567'.index(match[1])}.conv.",
            new,
        )
        renamed[new] = tensor
    return renamed


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
        known = pd.read_csv(curve).query("epoch in @kept", local_dict={"kept": list(found)})
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
