"""One training from start to end: build its parts, fit, summarise.

The parts are built by a function of the caller, after the seed is set, so that this module knows no configuration and
a training can be started from Python alone.
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.loggers import Logger

from ecggan.quoting import as_argument
from ecggan.run_folder import DISTANCE, RunFolder, best_row
from ecggan.tracking.csv_logger import CSVLog
from ecggan.training.callbacks.checkpoint_writer import CheckpointWriter
from ecggan.training.callbacks.divergence import DivergenceCheck
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.ddp import is_first_process
from ecggan.training.initial_weights import start_from
from ecggan.training.provenance import RunRecord
from ecggan.training.resume import AUTO, TrainingProgress, resolve_resume_checkpoint, training_progress
from ecggan.training.slurm import cluster_environment, job_id
from ecggan.training.trainable import NONE
from ecggan.training.wgan_gp import WGANGP


@dataclass(frozen=True, kw_only=True)
class TrainingParts:
    """What one training is made of.

    Attributes:
        data: the batches.
        gan: the networks and how they learn.
        callbacks: in the order of [ecggan.training.callbacks][].
        loggers: of the epochs' metrics.
        trainer: makes the trainer, given its callbacks, loggers and plugins.
        hyperparameters: plain values, into the logs and the checkpoints.
    """

    data: ECGDataModule
    gan: WGANGP
    callbacks: Sequence[Callback]
    loggers: Sequence[Logger]
    trainer: Callable[..., Trainer]
    hyperparameters: Mapping[str, Any]


@dataclass(frozen=True)
class RunResult:
    """What a training came to.

    Attributes:
        folder: of the run.
        epochs: trained, over all its starts.
        was_complete: there was nothing left to train.
        distance: physiological, of its best epoch (smallest checkpoint score); None if none was computed.
    """

    folder: RunFolder
    epochs: int
    was_complete: bool
    distance: float | None

    def __str__(self) -> str:
        folder = os.path.relpath(self.folder.path)
        if self.was_complete:
            return f"The run in {folder} is complete: {self.epochs} epochs"
        return f"Saved to {folder}; draw ECGs from it with: python generate.py {as_argument('run', folder)} out=DIR"


def train(
    build: Callable[[], TrainingParts],
    folder: str | Path,
    *,
    seed: int,
    init: str | None = None,
    resume: str | None = None,
    out: str | None = None,
    record: Mapping[str, Any] | None = None,
    more_callbacks: Sequence[Callback] = (),
) -> RunResult:
    """Train a GAN, or resume its training.

    Args:
        build: makes the parts; called once, after the seed is set.
        folder: of the run.
        seed: of the initial weights.
        init: a trained generator to start from ("published", a run's folder or a file); None for random weights. A
            training that resumes has started already.
        resume: None, "auto" (the last checkpoint in the folder, if there is one) or a training checkpoint.
        out: what the user calls the folder, for messages.
        record: what ``run.json`` is to hold of this start.
        more_callbacks: called before the checkpoints are written.

    Raises:
        FileExistsError: the folder holds files, and `resume` is not "auto".
        ValueError: the checkpoint does not fit the parts, or the generator took no step.
    """
    run = RunFolder(folder)
    if "::" in str(run.path.absolute()):  # fsspec, with which Lightning writes, reads a chain of protocols in it
        raise ValueError(
            f"checkpoints cannot be written to a path with two colons in a row: {run.path}; give another out="
        )
    checkpoint = resolve_resume_checkpoint(resume, run, out or str(folder), is_first_process())
    torch.set_float32_matmul_precision("high")
    seed_everything(seed, workers=True, verbose=False)  # the initial weights
    parts = build()
    if init is not None and checkpoint is None:
        start_from(parts.gan, init)
    parts.gan.save_hyperparameters(dict(parts.hyperparameters))
    resumed_from = None if checkpoint is None else str(checkpoint)
    start = RunRecord(run.path, {**(record or {}), "resumed_from": resumed_from})
    trainer = _build_trainer(parts, [start, *_before_checkpoints(parts.callbacks, more_callbacks)])
    steps_before = 0 if checkpoint is None else parts.gan.check_resumable(checkpoint, trainer.max_epochs)
    if resume == AUTO:
        steps_before = 0  # the training may have been stopped in its very last steps
        progress = training_progress(checkpoint)
        if progress.is_complete(trainer.max_epochs):
            return _summarise(run, progress.epochs, was_complete=True)
        _resume_tables(trainer, progress)
    if is_first_process():
        start.begin()
    trainer.fit(parts.gan, parts.data, ckpt_path=checkpoint, weights_only=True)
    if parts.gan.generator_steps == steps_before and parts.gan.trainable != NONE:
        raise ValueError(
            f"the generator took no step: after {parts.gan.critic_steps} critic steps, one generator step every "
            f"{parts.gan.n_critic} (model.gan.n_critic), training ended; raise trainer.max_epochs. The run is in "
            f"{os.path.relpath(run.path)}"
        )
    return _summarise(run, trainer.current_epoch, was_complete=False)


def _build_trainer(parts: TrainingParts, callbacks: Sequence[Callback]) -> Trainer:
    if job_id() is None:  # on the login node of a cluster: Lightning would advise to use srun
        warnings.filterwarnings("ignore", ".*`srun` command is available.*")
    environment = cluster_environment()
    trainer = parts.trainer(
        callbacks=list(callbacks),
        logger=list(parts.loggers),
        plugins=None if environment is None else [environment],
    )
    warnings.filterwarnings("ignore", ".*treespec.*")  # Lightning's, of torch, on each start
    return trainer


def _before_checkpoints(callbacks: Sequence[Callback], more: Sequence[Callback]) -> list[Callback]:
    """The callbacks with more of them ahead of those that check and write checkpoints, which hold what is done."""
    places = [i for i, each in enumerate(callbacks) if isinstance(each, DivergenceCheck | CheckpointWriter)]
    first = min(places, default=len(callbacks))
    return [*callbacks[:first], *more, *callbacks[first:]]


def _resume_tables(trainer: Trainer, progress: TrainingProgress) -> None:
    for logger in trainer.loggers:
        if isinstance(logger, CSVLog):
            logger.resume(progress.epochs, progress.last_row)


def _summarise(run: RunFolder, epochs: int, was_complete: bool) -> RunResult:
    best = best_row(run.curve())
    return RunResult(run, epochs, was_complete, None if best is None else best[DISTANCE])
