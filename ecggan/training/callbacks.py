"""What is watched and kept while the networks learn."""

import logging
import shutil
import signal
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ProgressBar
from torch import Tensor
from tqdm import tqdm

from ecggan.checkpoints.generator_file import save_generator
from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT
from ecggan.plotting import plot_ecg_grid, save_figure
from ecggan.run_folder import generator_path
from ecggan.tracking.wandb_logger import WandbLog
from ecggan.training import slurm
from ecggan.training.wgan_gp import WGANGP

log = logging.getLogger(__name__)

_STEPS_BETWEEN_ASKING = 10


class DivergedError(ValueError):
    """The losses went beyond all bounds: nothing good will come of this training."""


class TrainingProgressBar(ProgressBar):
    """One bar for the whole training: epoch, losses, rate and the time that is left.

    Args:
        refresh_rate: batches between updates of the losses, which wait for the device.
    """

    def __init__(self, refresh_rate: int) -> None:
        super().__init__()
        self.refresh_rate = refresh_rate
        self.enabled = True
        self._bar: tqdm | None = None
        self._losses: dict[str, Tensor] = {}

    def disable(self) -> None:
        """Show nothing; Lightning calls it on every rank but the first."""
        self.enabled = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epochs, batches = trainer.max_epochs, trainer.num_training_batches
        total = int(epochs * batches) if epochs and epochs > 0 and batches != float("inf") else None
        done = cast(WGANGP, pl_module).critic_steps
        self._bar = tqdm(total=total, initial=done, unit="step", desc="training", disable=not self.enabled)

    def on_train_batch_end(  # the base class's names
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Tensor, batch_idx: int
    ) -> None:
        assert self._bar is not None
        self._bar.update(1)
        shown = {"critic_gap": "gap", "gradient_penalty": "penalty", "generator_loss": "generator"}
        self._losses |= {shown[name]: outputs[name] for name in shown if name in outputs}
        if self.enabled and self._bar.n % self.refresh_rate == 0:
            if "physiological_distance" in trainer.callback_metrics:
                self._losses["distance"] = trainer.callback_metrics["physiological_distance"]
            epoch = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
            losses = {name: f"{float(loss):.3g}" for name, loss in self._losses.items()}  # waits for the device
            self._bar.set_postfix({"epoch": epoch} | losses, refresh=False)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if self._bar is not None:
            self._bar.close()


class Checkpoints(Callback):
    """Keeps what is needed to go on, and the generator as it was, every so many epochs and at the end.

    ``last.ckpt`` holds both networks and their optimizers and is replaced each time; Ctrl-C and SIGTERM write it too.
    Beside it ``generator_epoch_0025.pt`` and the like stay. A generator is a fiftieth of it (53 MB against 2.5 GB at
    the paper's size): a hundred of them can be kept to choose from, which Lightning's ModelCheckpoint, writing
    everything each time, could not.

    Ctrl-C and SIGTERM wait for the end of the step that they come in, or what is kept would be half a step, and a
    training that goes on from it would end elsewhere; a second one does not wait.

    In a Slurm job, SIGUSR1 (``#SBATCH --signal=USR1@120``: two minutes before the time is up) and SIGUSR2 (with which
    submitit says the same, and whose own handler would cut a step in half) do so too and queue the job again; so does
    SIGTERM (pre-emption) where the job may be requeued and was not cancelled. There a second signal changes nothing but
    for Ctrl-C: Slurm sends some twice, and will kill in the end.

    Args:
        folder: where they go.
        every_n_epochs: how often.
    """

    def __init__(self, folder: str | Path, every_n_epochs: int) -> None:
        self.folder = Path(folder)
        self.every_n_epochs = every_n_epochs
        self._stopped_by: signal.Signals | None = None
        self._requeue_after: set[signal.Signals] = set()  # the signals that came to any process of the job
        self._handlers_before: dict[signal.Signals, Any] = {}

    @property
    def last(self) -> Path:
        return self.folder / "last.ckpt"

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find out now, and not after hours, whether checkpoints can be kept.

        Raises:
            OSError: the folder cannot be written to, or its disk has no room for two of them (one replaces the other).
        """
        if not trainer.is_global_zero:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise OSError(
                f"no checkpoint can be kept in {self.folder} ({error.strerror}); give another out="
            ) from error
        module = cast(WGANGP, pl_module)
        # what is learned with Adam's two moments, the moving average, and a generator's file
        learned, kept = _megabytes(module.generator) + _megabytes(module.discriminator), _megabytes(module.ema)
        needed, free = 2 * (3 * learned + kept), shutil.disk_usage(self.folder).free / 1e6
        if free < needed:
            raise OSError(
                f"no room for checkpoints in {self.folder}: {needed:.0f} MB are needed, {free:.0f} MB are free; "
                "make room or give another out="
            )

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if threading.current_thread() is threading.main_thread():  # no other may set a handler
            numbers = [signal.SIGINT, signal.SIGTERM, *(slurm.BEFORE_THE_END if slurm.job_id() is not None else ())]
            for number in numbers:
                self._handlers_before[number] = signal.signal(number, self._wait_for_the_step)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        self._handlers_before = {}

    def _wait_for_the_step(self, number: int, frame: object) -> None:
        if self._stopped_by is None:
            self._stopped_by = signal.Signals(number)
        elif number == signal.SIGINT or slurm.job_id() is None:
            self._stop()

    def _stop(self) -> None:
        if self._stopped_by != signal.SIGINT and self._stopped_by is not None:
            raise SystemExit(f"stopped by {self._stopped_by.name}")
        raise KeyboardInterrupt

    def on_train_batch_start(  # when Lightning has counted the step before as completed
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Tensor, batch_idx: int
    ) -> None:
        if trainer.world_size > 1 and batch_idx % _STEPS_BETWEEN_ASKING:  # as asking the others waits for them
            return
        on_any = partial(trainer.strategy.reduce_boolean_decision, all=False)
        if on_any(self._stopped_by is not None):  # then all stop here
            signals = (*slurm.BEFORE_THE_END, signal.SIGTERM)
            self._requeue_after = {number for number in signals if on_any(self._stopped_by == number)}
            self._stop()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        diverged = [name for name, value in trainer.callback_metrics.items() if not torch.isfinite(value)]
        if diverged:  # before anything good is replaced
            raise DivergedError(
                f"{', '.join(diverged)} became infinite or NaN in epoch {trainer.current_epoch + 1}: the training "
                f"diverged; lower model.gan.learning_rate. What was kept before it lies in {self.folder}"
            )
        if _is_due(trainer, self.every_n_epochs):
            self._save(trainer, pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        stopped = isinstance(exception, KeyboardInterrupt | SystemExit)  # Ctrl-C or SIGTERM
        if stopped and cast(WGANGP, pl_module).critic_steps:
            self._save(trainer, pl_module)
            log.info("interrupted; go on with resume=%s", self.last)
            if trainer.is_global_zero and self._requeue_after:
                self._requeue()

    def _requeue(self) -> None:
        job = slurm.job_id()
        if job is not None and (self._requeue_after & set(slurm.BEFORE_THE_END) or slurm.may_be_requeued(job)):
            slurm.requeue(job, self.last)

    def _save(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:  # before the checkpoint: a training that is killed between them writes it again
            path = generator_path(self.folder, trainer.current_epoch + 1)
            save_generator(path, cast(WGANGP, pl_module).generator_contents())
        trainer.save_checkpoint(self.last, weights_only=False)  # Lightning writes a temporary file and renames it


class ECGPictures(Callback):
    """Draws the same noise every so many epochs, on ECG paper, to a folder and to W&B where it logs.

    Args:
        folder: where they go, as ``epoch_0025.png``.
        every_n_epochs: how often; the first epoch is always drawn.
        num_records: ECGs on a picture.
        seed: of the noise.
    """

    def __init__(self, folder: str | Path, every_n_epochs: int, num_records: int, seed: int) -> None:
        self.folder = Path(folder)
        self.every_n_epochs = every_n_epochs
        self.num_records = num_records
        self.seed = seed

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if not (trainer.is_global_zero and (epoch == 1 or _is_due(trainer, self.every_n_epochs))):
            return
        module = cast(WGANGP, pl_module)
        ecg = module.ecg
        figure = plot_ecg_grid(
            module.draw_microvolts(self.num_records, self.seed) / MICROVOLTS_PER_MILLIVOLT,
            ecg.leads,
            ecg.sampling_rate,
            lead="II" if "II" in ecg.leads else ecg.leads[0],
            titles=[f"epoch {epoch}, noise {i}" for i in range(self.num_records)],
        )
        path = self.folder / f"epoch_{epoch:04d}.png"
        save_figure(figure, path, dpi=100)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLog):
                logger.log_picture("generated ECGs", path, epoch)


def _megabytes(network: torch.nn.Module) -> float:
    return sum(parameter.nbytes for parameter in network.parameters()) / 1e6


def _is_due(trainer: pl.Trainer, every_n_epochs: int) -> bool:
    epoch = trainer.current_epoch + 1
    return epoch % every_n_epochs == 0 or epoch == trainer.max_epochs
