"""The end of a training whose losses are no numbers any more."""

from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from ecggan.run_folder import RunFolder


class DivergedError(ValueError):
    """A loss became infinite or NaN; training cannot recover."""


class DivergenceCheck(Callback):
    """Ends training when a logged value of the epoch is infinite or NaN.

    It belongs before `CheckpointWriter`, or a diverged state would replace the last good checkpoint.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.run = RunFolder(folder)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check the epoch.

        Raises:
            DivergedError: naming the values.
        """
        diverged = [name for name, value in trainer.callback_metrics.items() if not torch.isfinite(value)]
        if diverged:
            raise DivergedError(
                f"{', '.join(diverged)} became infinite or NaN in epoch {trainer.current_epoch + 1}: the training "
                f"diverged; lower model.gan.learning_rate. Checkpoints of earlier epochs are in {self.run.checkpoints}"
            )
