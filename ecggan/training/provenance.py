"""The record of a run, ``run.json``: code, data, devices and end of each of its starts."""

import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from ecggan._version import __version__
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.files.json_file import write_json
from ecggan.programs import ask
from ecggan.run_folder import RunFolder
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.slurm import job_id

_PACKAGES = ("torch", "pytorch-lightning", "numpy")


class RunRecord(Callback):
    """Writes ``run.json``: a list of starts, to which each start adds itself.

    A start is written when it begins; devices and data set follow before the first step, and the end (complete, ended
    early, interrupted, failed) when training ends. A start that was killed has no end. A run without a trainer calls
    `begin`, `describe` and `until_the_end` by hand.

    Args:
        folder: of the run.
        start: what the caller knows of this start: command, seed, name of the data, checkpoint.
    """

    def __init__(self, folder: str | Path, start: Mapping[str, Any]) -> None:
        self.run = RunFolder(folder)
        self.start = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **start}
        self.start |= {"slurm_job": job_id(), **versions()}
        self._earlier: list[Any] = []

    def begin(self) -> None:
        """Add this start to those before it."""
        self._earlier = self.run.starts()
        self._write()

    def describe(self, ecgs: ECGSet | None, device: torch.device, num_devices: int = 1) -> None:
        """Add devices and data set."""
        assert ecgs is not None
        self.start |= {"devices": [device_name(device)] * num_devices, "data_set": data_set(ecgs)}
        self._write()

    @contextmanager
    def until_the_end(self, epochs: int) -> Iterator[None]:
        """Add the end: complete after so many epochs; after none, failed or interrupted by what is raised within."""
        try:
            yield
        except BaseException as error:
            self._end(_broken_off(error), 0)
            raise
        self._end("complete", epochs)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            data = cast(ECGDataModule, trainer.datamodule)  # type: ignore[attr-defined]
            self.describe(data.ecgs, pl_module.device, trainer.world_size)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            is_complete = trainer.current_epoch == trainer.max_epochs
            self._end("complete" if is_complete else "ended early", trainer.current_epoch)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        if trainer.is_global_zero:
            self._end(_broken_off(exception), trainer.current_epoch)

    def _end(self, how: str, epochs: int) -> None:
        time = datetime.now(UTC).isoformat(timespec="seconds")
        self.start["end"] = {"time": time, "how": how, "epochs": epochs}
        self._write()

    def _write(self) -> None:
        write_json(self.run.record_path, {"starts": [*self._earlier, self.start]})


def _broken_off(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else f"failed: {error}"


def check_same_parameters(folder: str | Path, parameters: Sequence[str]) -> None:
    """Raise ValueError if the folder holds a run that was not given these parameters, written as ``name=value``."""
    starts = RunFolder(folder).starts()
    if not starts:
        return
    given = starts[-1].get("given", [])
    other = [parameter for parameter in parameters if parameter not in given]
    if other:
        raise ValueError(
            f"{folder} holds a run that was not given {other[0]}, the value in the study of this sweep: it belongs to "
            "another sweep; give another out="
        )


def versions() -> dict[str, Any]:
    """Versions of ecggan, of its code, of Python and of the packages that results depend on most."""
    packages = {name: metadata.version(name) for name in _PACKAGES}
    return {
        "ecggan": __version__,
        "code": code_revision(Path(__file__)),
        "versions": {"python": platform.python_version(), **packages},
    }


def code_revision(file: Path) -> dict[str, Any] | None:
    """The git revision of the checkout that a file belongs to, and whether the checkout has changes.

    None if git does not track the file: the package is installed, or git is not. A repository that merely encloses it
    does not count.
    """
    if _git(file, "ls-files", "--error-unmatch", file.name) is None:
        return None
    changes = _git(file, "status", "--porcelain", "--untracked-files=no")
    return {"revision": _git(file, "rev-parse", "HEAD"), "changed": changes != ""}


def device_name(device: torch.device) -> str:
    """The maker's name of a device; of the CPU, the architecture."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.processor() or platform.machine()})"


def data_set(ecgs: ECGSet) -> dict[str, Any]:
    """The set's hashes, its origin, and how many of its records are in which split and were excluded."""
    splits = ecgs.records["split"].tolist() if "split" in ecgs.records else []
    account = ecgs.manifest.get("account")
    return {
        "path": None if ecgs.path is None else str(ecgs.path),
        "sha256": ecgs.manifest.get("sha256"),
        "made_by": ecgs.manifest["made_by"],
        "account": account and {**account, "left_out": {rule: len(them) for rule, them in account["left_out"].items()}},
        "num_records": len(ecgs),
        "num_records_by_split": dict(sorted(Counter(splits).items())),
    }


def _git(file: Path, *arguments: str) -> str | None:
    try:
        done = ask(["git", *arguments], folder=file.parent)
    except OSError:  # no git
        return None
    return done.stdout.strip() if done.returncode == 0 else None
