"""Runs, generator files and ECG sets that version 0.1 wrote, before the modules moved, still open and resume."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ecggan
from ecggan.data.sets.training_records import training_hashes
from tests.runs import run_in_process

OLD = Path(__file__).parent / "data" / "version_0_1"
RUN = (
    "experiment=quickstart",
    "model.model_size=5",
    "model.gan.discriminator.model_size=1",
    "data.source.num_records=40",
    "batch_size=4",
    "trainer.limit_train_batches=3",
    "model.gan.n_critic=2",
    "callbacks.physiology.num_records=4",
    "callbacks.physiology.compare.num_workers=1",
)


@pytest.fixture
def old_run(tmp_path) -> Path:
    return Path(shutil.copytree(OLD / "run", tmp_path / "run"))


def test_a_set_opens_with_its_hashes_and_its_training_records():
    ecgs = ecggan.ECGSet.open(OLD / "ecgs")
    assert len(ecgs) == 3
    assert len(training_hashes(ecgs.manifest["made_by"])) == 24


@pytest.mark.parametrize("checkpoint", ["run", "run/checkpoints/generator_epoch_0002.pt", "run/checkpoints/last.ckpt"])
def test_a_run_its_generator_and_its_checkpoint_draw_what_they_drew(checkpoint):
    drawn = ecggan.generate(OLD / checkpoint, num_records=3, seed=1, progress=False).millivolts()
    expected = ecggan.ECGSet.open(OLD / "ecgs").millivolts()
    np.testing.assert_allclose(drawn, expected, atol=0.0011)  # µV; another processor rounds otherwise


@pytest.mark.slow
def test_a_run_resumes_in_its_folder(old_run):
    done = run_in_process("train", *RUN, "trainer.max_epochs=3", "resume=auto", "out=run", cwd=old_run.parent)
    assert done.returncode == 0, done.stderr
    assert list(pd.read_csv(old_run / "logs" / "metrics.csv")["epoch"]) == [0, 1, 2]
    assert list(pd.read_csv(old_run / "checkpoints" / "physiology.csv")["epoch"]) == [2, 3]
    assert (old_run / "checkpoints" / "generator_epoch_0003.pt").is_file()
