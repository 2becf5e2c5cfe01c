"""Early end of a run that is worse than most other runs of its study were at the same epoch."""

import logging

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from ecggan.run_folder import DISTANCE
from ecggan.training.callbacks.physiology import find_physiology_callback
from ecggan.training.sweeps.study import StudyRun

log = logging.getLogger(__name__)


class Pruning(Callback):
    """Reports each distance of a run to the study, and ends the run when the study prunes it.

    Args:
        run: of the study.
    """

    def __init__(self, run: StudyRun) -> None:
        self.run = run
        self.is_pruned = False

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check that there is a distance.

        Raises:
            ValueError: the trainer has no Physiology callback.
        """
        if find_physiology_callback(trainer) is None:
            raise ValueError("sweep= makes the physiological distance small: it needs callbacks.physiology")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        physiology = find_physiology_callback(trainer)
        assert physiology is not None
        epoch = trainer.current_epoch + 1
        if not physiology.is_due(trainer):
            return
        is_hopeless = False
        if trainer.is_global_zero:
            is_hopeless = self.run.report(epoch, physiology.rows[-1][DISTANCE])
        if epoch != trainer.max_epochs and trainer.strategy.broadcast(is_hopeless):
            log.info("run %d of the sweep is pruned after epoch %d", self.run.number, epoch)
            self.is_pruned = trainer.should_stop = True
