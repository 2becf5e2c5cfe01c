"""A training that was cut short and goes on must end as one that never was: to the bit, on a CPU."""

import itertools
import signal
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from ecggan.checkpoints.generator_file import load_generator
from ecggan.checkpoints.open import open_generator
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.wavegan_star import WaveGANStarGenerator
from ecggan.run_folder import RunFolder
from ecggan.training.callbacks.checkpoint_writer import CheckpointWriter
from ecggan.training.callbacks.graceful_stop import GracefulStop
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.wgan_gp import WGANGP
from tests.training.quiet import quiet_trainer

pytestmark = pytest.mark.slow

ECG = ECGFormat(EIGHT_LEADS, 500, 2500, 6.0)
RECORDS, BATCH = 22, 4  # five batches an epoch, two records left over


class Watcher(pl.Callback):
    """Notes what each batch held, and does something at one of them."""

    def __init__(self, at_step: int = -1, action=None) -> None:
        self.batches: list[list[float]] = []
        self.at_step, self.action = at_step, action

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        self.batches.append(batch[:, 0, 0].tolist())
        if pl_module.critic_steps == self.at_step:
            self.action()


def train(
    folder: Path, epochs: int, watcher: Watcher, resume: Path | None = None, batches: float = 1.0, every: int = 1
) -> WGANGP:
    signals = np.arange(1, RECORDS + 1)[:, None, None] * np.sin(np.arange(2500) / 20) / 10 * np.ones((8, 1))
    ecgs = ECGSet.from_arrays(signals + np.arange(1, RECORDS + 1)[:, None, None] / 100, EIGHT_LEADS, 500)
    torch.manual_seed(0)
    gan = WGANGP(
        WaveGANStarGenerator(8, 2500, 5, latent_size=4),
        Discriminator(8, 2500, 1, max_shift=2),
        ECG,
        n_critic=2,
        gradient_penalty_weight=10.0,
        learning_rate=1e-3,
        betas=(0.5, 0.9),
        ema_decay=0.9,
        seed=3,
    )
    trainer = quiet_trainer(
        max_epochs=epochs,
        limit_train_batches=batches,
        callbacks=[CheckpointWriter(folder, every_n_epochs=every), GracefulStop(folder), watcher],
    )
    data = ECGDataModule(lambda: ecgs, ECG, BATCH, num_workers=0, seed=5)
    trainer.fit(gan, data, ckpt_path=resume, weights_only=True)
    return gan


def contents(folder: Path) -> dict:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def assert_same(one: object, other: object, where: str = "") -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_same(a, b, f"{where}[{i}]")
    else:
        assert one == other, where


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[float]]]:
    folder, watcher = tmp_path_factory.mktemp("straight"), Watcher()
    train(folder, 3, watcher)
    return folder, watcher.batches


def test_each_epoch_has_an_order_of_its_own_and_every_record_once(straight) -> None:
    _, batches = straight
    epochs = [list(itertools.chain(*batches[start : start + 5])) for start in (0, 5, 10)]
    assert all(len(set(epoch)) == 20 for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize("step", [1, 4, 5, 8, 12])
def test_stopped_at_any_step_it_goes_on_to_the_same_end(straight, tmp_path: Path, step: int) -> None:
    folder, batches = straight

    def stop() -> None:
        raise KeyboardInterrupt

    first, second = Watcher(step, stop), Watcher()
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        train(tmp_path / "first", 3, first)
    train(tmp_path / "second", 3, second, resume=tmp_path / "first" / "checkpoints" / "last.ckpt")
    assert first.batches[:step] + second.batches == batches
    one, other = contents(folder), contents(tmp_path / "second")
    for part in ("state_dict", "optimizer_states", "wgan_gp_steps", "wgan_gp_epoch", "ecggan_generator"):
        assert_same(one[part], other[part], part)


def stopped(folder: Path, step: int, every: int) -> RunFolder:
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        train(folder, 3, Watcher(step, lambda: signal.raise_signal(signal.SIGINT)), every=every)
    return RunFolder(folder)


@pytest.mark.parametrize(("every", "whole", "at_the_end"), [(1, [1], [1, 2, 3]), (10, [], [3])])
def test_a_generator_of_an_unfinished_epoch_is_none_of_that_epoch(tmp_path, every, whole, at_the_end) -> None:
    run = stopped(tmp_path, 6, every)  # two steps into the second epoch
    unfinished = load_generator(run.unfinished_generator_path, "raw")[2]
    assert (unfinished["epochs"], unfinished["critic_steps"]) == (1, 7)
    assert open_generator(run.last_checkpoint, "ema").description["epochs"] == 1
    assert run.epochs() == whole
    last = load_generator(run.generator("last"), "raw")[2]
    assert (last["epochs"], last["critic_steps"]) == ((1, 5) if whole else (1, 7))
    train(tmp_path, 3, Watcher(), resume=run.last_checkpoint, every=every)
    assert run.epochs() == at_the_end
    assert not run.unfinished_generator_path.exists()
    for epoch, path in run.generators().items():
        trained = load_generator(path, "raw")[2]
        assert (trained["epochs"], trained["critic_steps"]) == (epoch, 5 * epoch)


def test_a_training_stopped_within_its_first_epoch_can_be_drawn_from(tmp_path) -> None:
    run = stopped(tmp_path, 2, every=1)
    assert run.epochs() == []
    assert run.generator() == run.generator("last") == run.unfinished_generator_path
    assert open_generator(tmp_path, "ema").description["epochs"] == 0
    with pytest.raises(FileNotFoundError, match="has no generator of a whole epoch yet; resume its training"):
        run.generators()


def test_a_training_stopped_between_two_epochs_leaves_a_whole_one(tmp_path) -> None:
    run = stopped(tmp_path, 4, every=10)  # in the last step of the first
    assert run.epochs() == [1]
    assert not run.unfinished_generator_path.exists()
    assert load_generator(run.generator_path(1), "raw")[2]["critic_steps"] == 5
    train(tmp_path, 3, Watcher(), resume=run.last_checkpoint, every=10)
    assert run.epochs() == [1, 3]


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_epochs_of_a_few_batches_go_on_too(tmp_path: Path, step: int) -> None:
    straight, first, second = Watcher(), Watcher(step, lambda: signal.raise_signal(signal.SIGINT)), Watcher()
    train(tmp_path / "straight", 3, straight, batches=3)
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        train(tmp_path / "first", 3, first, batches=3)
    train(tmp_path / "second", 3, second, resume=tmp_path / "first" / "checkpoints" / "last.ckpt", batches=3)
    assert first.batches + second.batches == straight.batches
    assert_same(contents(tmp_path / "straight")["state_dict"], contents(tmp_path / "second")["state_dict"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_within_a_step_waits_for_its_end(straight, tmp_path: Path, number: int) -> None:
    folder, batches = straight
    first, second = Watcher(7, lambda: signal.raise_signal(number)), Watcher()

    def at_once(*_: object) -> None:
        raise SystemExit("not waited for")

    before = signal.signal(number, at_once)  # as the commands stop on SIGTERM
    try:
        with pytest.raises((SystemExit, KeyboardInterrupt)):
            train(tmp_path / "first", 3, first)
        assert signal.getsignal(number) is at_once  # put back
    finally:
        signal.signal(number, before)
    assert contents(tmp_path / "first")["wgan_gp_steps"]["critic"] == 8  # the step that it came in is done
    train(tmp_path / "second", 3, second, resume=tmp_path / "first" / "checkpoints" / "last.ckpt")
    assert first.batches + second.batches == batches
    assert_same(contents(folder)["state_dict"], contents(tmp_path / "second")["state_dict"])
