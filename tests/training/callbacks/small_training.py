"""A small training with all callbacks."""

from pathlib import Path

import torch

from ecggan.ecg import ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.wavegan_star import WaveGANStarGenerator
from ecggan.training.callbacks.checkpoint_writer import CheckpointWriter
from ecggan.training.callbacks.divergence import DivergenceCheck
from ecggan.training.callbacks.pictures import ECGPictures
from ecggan.training.callbacks.progress import TrainingProgressBar
from ecggan.training.wgan_gp import WGANGP
from tests.training.quiet import quiet_trainer


def train(tmp_path: Path, epochs: int, learning_rate: float = 1e-3, **options) -> WGANGP:
    torch.manual_seed(0)
    gan = WGANGP(
        generator=WaveGANStarGenerator(2, 2500, 5, latent_size=4),
        discriminator=Discriminator(2, 2500, 1, max_shift=2),
        ecg=ECGFormat(("V1", "V2"), 500, 2500, 6.0),
        n_critic=1,
        gradient_penalty_weight=10.0,
        learning_rate=learning_rate,
        betas=(0.5, 0.9),
        ema_decay=0.5,
        seed=0,
    )
    trainer = quiet_trainer(
        max_epochs=epochs,
        enable_progress_bar=True,  # ours
        callbacks=[
            TrainingProgressBar(refresh_rate=1),
            ECGPictures(tmp_path / "pictures", every_n_epochs=2, num_records=2, seed=0),
            DivergenceCheck(tmp_path),
            CheckpointWriter(tmp_path, every_n_epochs=2),
        ],
    )
    trainer.fit(gan, torch.utils.data.DataLoader([torch.zeros(2, 2, 2500)] * 3, batch_size=None), **options)
    return gan


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
