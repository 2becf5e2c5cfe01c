from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch

from ecggan.checkpoints.open import open_generator
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.training.callbacks.checkpoint_writer import CheckpointWriter
from ecggan.training.callbacks.physiology import Physiology
from ecggan.training.datamodule import ECGDataModule
from tests.training.quiet import quiet_trainer
from tests.training.test_wgan_gp import ECG, small_gan


def real_set(splits: tuple[str, ...]) -> ECGSet:
    signals = np.random.default_rng(0).normal(0, 0.2, (len(splits), 8, 2500))
    ecgs = ECGSet.from_arrays(signals, EIGHT_LEADS, 500)
    return ECGSet(ecgs.records.assign(split=list(splits)), ecgs.manifest, None, ecgs.signals, ecgs.rows)


class Judge:
    """In the place of the measurements: what it was given, and distances that fall and rise again."""

    def __init__(self, *distances: float) -> None:
        self.distances = list(distances)
        self.seen: list[tuple[ECGSet, ECGSet]] = []
        self.training: list[ECGSet | None] = []

    def __call__(self, real: ECGSet, generated: ECGSet, training: ECGSet | None) -> Mapping[str, float]:
        self.seen.append((real, generated))
        self.training.append(training)
        distance = 0.0 if generated.kind == "real" else self.distances.pop(0)
        figures = {"share_measurable": 1.0, "share_normal": 0.5, "physiological_distance": distance}
        return figures | {"wasserstein_qt_interval_ms": float("nan")}


def train(
    folder: Path,
    judge: Judge,
    epochs: int,
    splits: tuple[str, ...] = ("train",) * 4 + ("validation",) * 3,
    keep_best: int | None = None,
) -> tuple[pl.Trainer, Physiology]:
    looking = Physiology(judge, folder, every_n_epochs=1, num_records=2, seed=3, keep_best=keep_best)
    trainer = quiet_trainer(max_epochs=epochs, callbacks=[looking, CheckpointWriter(folder, 1)])
    data = ECGDataModule(lambda: real_set(splits), ECG, batch_size=2, num_workers=0, seed=0)
    trainer.fit(small_gan(n_critic=1), data)
    return trainer, looking


def test_the_epoch_of_the_smallest_distance_is_kept_in_mind_and_drawn_from(tmp_path: Path) -> None:
    trainer, looking = train(tmp_path, Judge(0.9, 0.4, 0.6), epochs=3)
    assert looking.best is not None
    assert (looking.best["epoch"], looking.best["physiological_distance"]) == (2, 0.4)
    assert float(trainer.callback_metrics["physiological_distance"]) == pytest.approx(0.6)
    assert "wasserstein_qt_interval_ms" not in trainer.callback_metrics  # NaN is no sign of a training that diverged
    curve = pd.read_csv(tmp_path / "checkpoints" / "physiology.csv")
    assert list(curve["epoch"]) == [1, 2, 3]
    assert list(curve["physiological_distance"]) == [0.9, 0.4, 0.6]
    for epoch, expected in (("best", 2), ("last", 3), (1, 1)):
        assert open_generator(tmp_path, "ema", epoch).description["epochs"] == expected
    with pytest.raises(ValueError, match=r"epoch must be best, last, or one that .* has kept \(1, 2, 3\); got 4"):
        open_generator(tmp_path, "ema", 4)


def test_ecgs_of_the_moving_average_are_compared_with_the_validation_split_each_time_of_the_same_noise(
    tmp_path: Path,
) -> None:
    judge = Judge(0.9, 0.4)
    train(tmp_path, judge, epochs=2)
    (real, _), (again, first), (_, second) = judge.seen
    assert real is again
    assert set(real.records["split"]) == {"validation"}
    assert len(real) == 2  # of three: no more than are drawn
    assert [training is None or set(training.records["split"]) for training in judge.training] == [
        True,
        {"train"},
        {"train"},
    ]
    assert first.microvolts().shape == (2, 8, 2500)
    assert first.kind == "generated"
    assert not np.array_equal(first.microvolts(), second.microvolts())
    gan = small_gan()
    assert np.array_equal(gan.draw_microvolts(5, 3, batch_size=2)[:2], gan.draw_microvolts(2, 3))


def test_without_a_validation_split_the_training_records_are_the_reference(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judge = Judge(0.9)
    with caplog.at_level("INFO"):
        train(tmp_path, judge, epochs=1, splits=("train",) * 5)
    assert set(judge.seen[0][0].records["split"]) == {"train"}
    assert judge.training == [None, None]  # all of it would be copies
    assert "there is no validation split" in caplog.text


def test_only_the_best_and_the_last_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    train(tmp_path, Judge(0.3, 0.9, 0.2, 0.8), epochs=4, keep_best=2)
    kept = sorted(path.name for path in (tmp_path / "checkpoints").glob("*.pt"))
    assert kept == ["generator_epoch_0001.pt", "generator_epoch_0003.pt", "generator_epoch_0004.pt"]
    assert open_generator(tmp_path, "ema").description["epochs"] == 3
    assert len(pd.read_csv(tmp_path / "checkpoints" / "physiology.csv")) == 4
    with pytest.raises(
        ValueError, match=r"callbacks\.physiology\.keep_best must be a whole number, at least 1, or null; got 0"
    ):
        train(tmp_path / "none", Judge(), epochs=1, keep_best=0)


def test_looking_does_not_change_what_is_learned(tmp_path: Path) -> None:
    train(tmp_path / "seen", Judge(0.9, 0.4), epochs=2)
    data = ECGDataModule(lambda: real_set(("train",) * 4), ECG, batch_size=2, num_workers=0, seed=0)
    gan = small_gan(n_critic=1)
    quiet_trainer(max_epochs=2).fit(gan, data)
    seen = open_generator(tmp_path / "seen", "raw", "last").network
    assert all(torch.equal(a, b) for a, b in zip(seen.parameters(), gan.generator.parameters(), strict=True))


def test_a_reference_that_cannot_be_measured_stops_before_training(tmp_path: Path) -> None:
    def refuse(real: ECGSet, generated: ECGSet, training: ECGSet | None) -> Mapping[str, float]:
        raise ValueError("none of the 2 real ECGs can be measured")

    with pytest.raises(ValueError, match=r"none of the 2 real ECGs can be measured; leave this out with ~callbacks"):
        train(tmp_path, refuse, epochs=1)  # type: ignore[arg-type]


def test_where_no_checkpoint_was_looked_at_the_last_is_drawn_from(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(tmp_path, Judge(0.4, 0.9), epochs=2)
    (tmp_path / "checkpoints" / "generator_epoch_0001.pt").unlink()
    assert open_generator(tmp_path, "ema").description["epochs"] == 2  # the best of those that are kept
    (tmp_path / "checkpoints" / "physiology.csv").unlink()
    with caplog.at_level("INFO"):
        assert open_generator(tmp_path, "ema").description["epochs"] == 2
    assert "the last is taken" in caplog.text
