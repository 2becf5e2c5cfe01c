import shutil
from types import SimpleNamespace

import pytest
import torch

from ecggan.checkpoints.open import open_generator
from ecggan.ecg import ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.wavegan_star import WaveGANStarGenerator
from ecggan.training.callbacks import Checkpoints, ECGPictures, TrainingProgressBar
from ecggan.training.wgan_gp import WGANGP
from tests.training.quiet import quiet_trainer


def train(tmp_path, epochs: int, learning_rate: float = 1e-3, **options) -> WGANGP:
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
            Checkpoints(tmp_path / "checkpoints", every_n_epochs=2),
        ],
    )
    trainer.fit(gan, torch.utils.data.DataLoader([torch.zeros(2, 2, 2500)] * 3, batch_size=None), **options)
    return gan


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_checkpoints_and_pictures_are_kept_every_so_often_and_at_the_end(tmp_path, capfd):
    gan = train(tmp_path, epochs=5)
    generators = [f"generator_epoch_000{epoch}.pt" for epoch in (2, 4, 5)]
    assert names(tmp_path / "checkpoints") == [*generators, "last.ckpt"]
    assert names(tmp_path / "pictures") == [f"epoch_000{epoch}.png" for epoch in (1, 2, 4, 5)]
    last = open_generator(tmp_path, "raw")
    assert last.description["epochs"] == 5
    assert last.description["generator_steps"] == 15
    for ours, theirs in zip(last.network.parameters(), gan.generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    shown = capfd.readouterr().err
    assert "15/15" in shown
    assert all(word in shown for word in ("epoch=5/5", "gap=", "penalty=", "generator="))


def test_a_training_that_goes_on_counts_on(tmp_path):
    train(tmp_path / "first", epochs=2)
    gan = train(tmp_path / "second", 4, ckpt_path=tmp_path / "first" / "checkpoints" / "last.ckpt", weights_only=True)
    assert (gan.critic_steps, gan.generator_steps) == (12, 12)
    assert open_generator(tmp_path / "second", "ema").description["epochs"] == 4


def test_a_training_that_diverges_stops_and_keeps_nothing_of_it(tmp_path):
    with pytest.raises(ValueError, match="became infinite or NaN in epoch 1: the training diverged; lower"):
        train(tmp_path, epochs=2, learning_rate=1e30)
    assert not names(tmp_path / "checkpoints")


def test_a_folder_that_cannot_be_written_is_found_before_training(tmp_path):
    (tmp_path / "checkpoints").write_text("a file in the place of the folder")
    with pytest.raises(OSError, match=r"no checkpoint can be kept in .*checkpoints \(File exists\); give another out="):
        train(tmp_path, epochs=1)


def test_a_disk_without_room_is_found_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=r"no room for checkpoints in .*: \d+ MB are needed, 0 MB are free"):
        train(tmp_path, epochs=1)
    assert not list(tmp_path.rglob("*.ckpt"))
