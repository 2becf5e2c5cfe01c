"""ECG sets and a generator small enough to be used in every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ecggan.checkpoints.generator_file import generator_contents, save_generator
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.wavegan_star import WaveGANStarGenerator
from tests.runs import unchecked


@pytest.fixture(autouse=True)
def as_users_have_it() -> Iterator[None]:
    """Without checks of types: a configuration may give a job anything, and the job says what is wrong with it."""
    with unchecked():
        yield


@pytest.fixture(scope="session")
def real(known_ecg) -> ECGSet:
    """Four records, two of each of two splits."""
    ecgs = ECGSet.from_arrays(known_ecg(num_records=4), EIGHT_LEADS, 500)
    ecgs.records["split"] = ["train", "train", "test", "test"]
    return ecgs


@pytest.fixture(scope="session")
def generated(known_ecg) -> ECGSet:
    return ECGSet.from_arrays(known_ecg(num_records=3, heart_rate_bpm=80, seed=1), EIGHT_LEADS, 500, kind="generated")


@pytest.fixture
def training_run(tmp_path) -> Path:
    """A run's folder that holds an untrained generator of 2 leads."""
    torch.manual_seed(0)
    network = WaveGANStarGenerator(2, 2500, 20, latent_size=4)
    folder = tmp_path / "run" / "checkpoints"
    folder.mkdir(parents=True)
    contents = generator_contents(network, network, ECGFormat(("I", "II"), 500, 2500, 6.0), {"epochs": 1})
    save_generator(folder / "generator_epoch_0001.pt", contents)
    return folder.parent
