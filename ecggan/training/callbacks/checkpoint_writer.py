"""Checkpoints of a training: the last state of all networks, and the generator of every so many epochs."""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from ecggan.checkpoints.generator_file import save_generator
from ecggan.quoting import as_argument
from ecggan.run_folder import RunFolder
from ecggan.training.callbacks.schedule import is_due
from ecggan.training.wgan_gp import WGANGP

log = logging.getLogger(__name__)


class CheckpointWriter(Callback):
    """Writes ``last.ckpt`` and a generator file every so many epochs, at the end, and when training is interrupted.

    ``last.ckpt`` holds both networks and their optimizers and is replaced each time. The generator files
    (``generator_epoch_0025.pt`` …) stay: each is a fiftieth of it (53 MB against 2.5 GB at the paper's size), so a
    hundred can be kept to choose from. Lightning's ModelCheckpoint writes everything each time.

    A training stopped within an epoch leaves ``generator_unfinished.pt`` in the place of that epoch's generator, so
    that no epoch is given weights that are not its own; it goes when a whole epoch's is kept.

    It belongs after the callbacks whose work at the end of an epoch a checkpoint counts as done, and before
    [GracefulStop][ecggan.training.callbacks.graceful_stop.GracefulStop], which requeues the job.

    Args:
        folder: of the run.
        every_n_epochs: how often.
    """

    def __init__(self, folder: str | Path, every_n_epochs: int) -> None:
        self.run = RunFolder(folder)
        self.every_n_epochs = every_n_epochs

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find out now, and not after hours, whether checkpoints can be written.

        Raises:
            OSError: the folder cannot be written to, or its disk has no room for two of them (one replaces the other).
        """
        if not trainer.is_global_zero:
            return
        folder = self.run.checkpoints
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise OSError(f"no checkpoint can be kept in {folder} ({error.strerror}); give another out=") from error
        module = cast(WGANGP, pl_module)
        # Adam's two moments triple what is learned; the moving average, and a generator file, are kept once
        learned, kept = _megabytes(module.generator) + _megabytes(module.discriminator), _megabytes(module.ema)
        needed, free = 2 * (3 * learned + kept), shutil.disk_usage(folder).free / 1e6
        if free < needed:
            raise OSError(
                f"no room for checkpoints in {folder}: {needed:.0f} MB are needed, {free:.0f} MB are free; "
                "make room or give another out="
            )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if is_due(trainer, self.every_n_epochs):
            self._save(trainer, pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        is_interrupted = isinstance(exception, KeyboardInterrupt | SystemExit)  # Ctrl-C or a signal
        if is_interrupted and cast(WGANGP, pl_module).critic_steps:
            self._save(trainer, pl_module)
            log.info("interrupted; resume with %s", as_argument("resume", self.run.last_checkpoint))

    def _save(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loop = trainer.fit_loop
        epochs: Any = loop.epoch_progress.current  # which counts more than its type knows
        has_begun = loop.epoch_loop.batch_progress.current.completed > 0 or epochs.processed == 0
        within_an_epoch = epochs.started > epochs.processed and has_begun
        unfinished = self.run.unfinished_generator_path
        if trainer.is_global_zero:  # before the checkpoint: a training that is killed between them writes it again
            path = unfinished if within_an_epoch else self.run.generator_path(epochs.processed)
            save_generator(path, cast(WGANGP, pl_module).generator_contents())
        # Lightning writes a temporary file and renames it
        trainer.save_checkpoint(self.run.last_checkpoint, weights_only=False)
        if trainer.is_global_zero and not within_an_epoch:
            unfinished.unlink(missing_ok=True)


def _megabytes(network: torch.nn.Module) -> float:
    return sum(parameter.nbytes for parameter in network.parameters()) / 1e6
