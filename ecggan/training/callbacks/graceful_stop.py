"""Stopping by a signal at the end of a step, and requeueing a Slurm job before its time is up."""

import signal
import threading
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from ecggan.run_folder import RunFolder
from ecggan.training import slurm
from ecggan.training.wgan_gp import WGANGP

_STEPS_BETWEEN_ASKING = 10


class GracefulStop(Callback):
    """Ends training after the current step when a signal arrives; in a Slurm job, requeues the job.

    Ctrl-C and SIGTERM wait for the end of the step: a checkpoint of half a step would resume to another end. A second
    signal does not wait.

    In a Slurm job, SIGUSR1 (``#SBATCH --signal=USR1@120``: two minutes before the time is up) and SIGUSR2 (submitit's,
    whose own handler would cut a step in half) stop training as well and requeue the job. SIGTERM (pre-emption)
    requeues it if the job may be requeued and was not cancelled. Slurm sends some signals twice and kills in the end,
    so there a second signal changes nothing, except Ctrl-C.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.run = RunFolder(folder)
        self._stopped_by: signal.Signals | None = None
        self._requeue_after: set[signal.Signals] = set()  # the signals that came to any process of the job
        self._handlers_before: dict[signal.Signals, Any] = {}

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

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Requeue the job; `CheckpointWriter`, called before, has written the checkpoint."""
        is_interrupted = isinstance(exception, KeyboardInterrupt | SystemExit)
        if not (is_interrupted and trainer.is_global_zero and cast(WGANGP, pl_module).critic_steps):
            return
        job = slurm.job_id()
        if job is None or not self._requeue_after:
            return
        if self._requeue_after & set(slurm.BEFORE_THE_END) or slurm.may_be_requeued(job):
            slurm.requeue(job, self.run.last_checkpoint)
