"""The progress bar of a training."""

from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar
from torch import Tensor
from tqdm import tqdm

from ecggan.run_folder import DISTANCE
from ecggan.training.wgan_gp import WGANGP

_SHORT_NAMES = {"critic_gap": "gap", "gradient_penalty": "penalty", "generator_loss": "generator"}


class TrainingProgressBar(ProgressBar):
    """One bar for the whole training: epoch, losses, rate and remaining time.

    Args:
        refresh_rate: batches between updates of the losses; reading them waits for the device.
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
        self._losses |= {short: outputs[name] for name, short in _SHORT_NAMES.items() if name in outputs}
        if self.enabled and self._bar.n % self.refresh_rate == 0:
            if DISTANCE in trainer.callback_metrics:
                self._losses["distance"] = trainer.callback_metrics[DISTANCE]
            epoch = f"{trainer.current_epoch + 1}/{trainer.max_epochs}"
            losses = {name: f"{float(loss):.3g}" for name, loss in self._losses.items()}  # waits for the device
            self._bar.set_postfix({"epoch": epoch} | losses, refresh=False)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if self._bar is not None:
            self._bar.close()
