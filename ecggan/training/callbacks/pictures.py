"""Pictures of generated ECGs while training."""

from pathlib import Path
from typing import cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT
from ecggan.plotting import plot_ecg_grid, save_figure
from ecggan.tracking.wandb_logger import WandbLog
from ecggan.training.callbacks.schedule import is_due
from ecggan.training.wgan_gp import WGANGP


class ECGPictures(Callback):
    """Plots ECGs from the same noise every so many epochs, on ECG paper, to a folder and to W&B.

    Args:
        folder: of the pictures, ``epoch_0025.png`` and so on.
        every_n_epochs: how often; the first epoch is always plotted.
        num_records: ECGs in a picture.
        seed: of the noise.
    """

    def __init__(self, folder: str | Path, every_n_epochs: int, num_records: int, seed: int) -> None:
        self.folder = Path(folder)
        self.every_n_epochs = every_n_epochs
        self.num_records = num_records
        self.seed = seed

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if not (trainer.is_global_zero and (epoch == 1 or is_due(trainer, self.every_n_epochs))):
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
