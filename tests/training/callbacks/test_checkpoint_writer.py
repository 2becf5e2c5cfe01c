import shutil
from types import SimpleNamespace

import pytest
import torch

from ecggan.checkpoints.open import open_generator
from tests.training.callbacks.small_training import names, train


def test_generators_and_the_last_checkpoint_are_kept_every_so_often_and_at_the_end(tmp_path):
    gan = train(tmp_path, epochs=5)
    generators = [f"generator_epoch_000{epoch}.pt" for epoch in (2, 4, 5)]
    assert names(tmp_path / "checkpoints") == [*generators, "last.ckpt"]
    last = open_generator(tmp_path, "raw")
    assert last.description["epochs"] == 5
    assert last.description["generator_steps"] == 15
    for ours, theirs in zip(last.network.parameters(), gan.generator.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_resumed_training_continues_its_count_of_steps_and_epochs(tmp_path):
    train(tmp_path / "first", epochs=2)
    gan = train(tmp_path / "second", 4, ckpt_path=tmp_path / "first" / "checkpoints" / "last.ckpt", weights_only=True)
    assert (gan.critic_steps, gan.generator_steps) == (12, 12)
    assert open_generator(tmp_path / "second", "ema").description["epochs"] == 4


def test_a_folder_that_cannot_be_written_is_found_before_training(tmp_path):
    (tmp_path / "checkpoints").write_text("a file in the place of the folder")
    with pytest.raises(OSError, match=r"no checkpoint can be kept in .*checkpoints \(File exists\); give another out="):
        train(tmp_path, epochs=1)


def test_a_disk_without_room_is_found_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match=r"no room for checkpoints in .*: \d+ MB are needed, 0 MB are free"):
        train(tmp_path, epochs=1)
    assert not list(tmp_path.rglob("*.ckpt"))
