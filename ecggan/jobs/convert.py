"""A generator as one safetensors file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecggan import checks
from ecggan.jobs.base import Result
from ecggan.run_folder import as_folder


@dataclass(frozen=True, kw_only=True)
class Convert:
    """Write a generator as one safetensors file, which draws the same ECGs.

    Args:
        out: a new file that ends in ``.safetensors``.
        checkpoint: "published", "ptbxl" or a file; see [generate][ecggan.generate].
        run_folder: in its place, the folder of a training run.
        epoch: of the run: a number, "last" or "best".
        weights: the generator's moving average over training ("ema"), or its last state ("raw").
        ecg: what a file of others does not say of its ECGs, such as `full_scale_mv`.
    """

    out: str | Path | None = None
    checkpoint: str | Path | int | None = None
    run_folder: str | Path | int | None = None
    epoch: int | str = "best"
    weights: str = "ema"
    ecg: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        checks.given("out", self.out, "out=FILE.safetensors, a new file")
        generator_source(self.checkpoint, self.run_folder)
        checks.one_of("weights", self.weights, ("ema", "raw"))

    def run(self) -> Result[Path]:
        """Write the file.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: no such checkpoint.
            ValueError: `out` has another ending, or the checkpoint cannot be opened.
        """
        from ecggan.checkpoints.open import convert_checkpoint

        source = generator_source(self.checkpoint, self.run_folder)
        path = convert_checkpoint(source, str(self.out), weights=self.weights, epoch=self.epoch, ecg=self.ecg)
        return Result(path, path, f"Saved to {path}")


def generator_source(checkpoint: str | Path | int | None, run_folder: str | Path | int | None) -> str:
    """The one of both that is given; what looks like a number is a name.

    Raises:
        FileNotFoundError: the run is no folder.
        ValueError: both or none are given.
    """
    if (checkpoint is None) == (run_folder is None):
        both = "both" if checkpoint is not None else "none"
        raise ValueError(f"one generator must be given: checkpoint=published, checkpoint=FILE or run=RUN; got {both}")
    if run_folder is not None and not Path(str(run_folder)).is_dir():
        raise FileNotFoundError(f"run={run_folder} is not a folder; it must be that of a training run")
    if checkpoint is not None:
        return str(checkpoint)
    return as_folder(str(run_folder))
