import numpy as np
import pytest
import torch

import ecggan
from ecggan.checkpoints import ptbxl
from ecggan.checkpoints.open import open_generator
from ecggan.checkpoints.ptbxl import FILE, ptbxl_generator
from ecggan.checkpoints.safetensors_file import load_transport_alone, save_transport_alone
from ecggan.data.sets.training_records import training_hashes
from ecggan.transport.beat_transport import BeatTransport


@pytest.fixture(scope="module")
def opened():
    return open_generator("ptbxl", "ema")


def test_it_is_the_published_generator_with_a_transport(opened):
    published = open_generator("published", "ema")
    for one, other in zip(opened.network.parameters(), published.network.parameters(), strict=True):
        assert torch.equal(one, other)
    BeatTransport.from_arrays({name: array.numpy() for name, array in opened.transport.items()})
    assert opened.description["checkpoint"] == "ptbxl"
    assert opened.description["weights_sha256"] == published.description["weights_sha256"]
    assert FILE.stat().st_size < 2e6


def test_it_knows_the_records_that_it_was_fitted_on_and_whose_they_are(opened):
    assert len(training_hashes(opened.description)) == 360
    assert "CC BY 4.0" in opened.description["fitted_on"]


def test_its_ecgs_differ_from_the_published_ones_of_the_same_seed():
    ours, published = (ecggan.generate(name, 2, seed=3, progress=False) for name in ("ptbxl", "published"))
    assert ours.manifest["made_by"]["transport_sha256"]
    apart = np.abs(ours.microvolts().astype(int) - published.microvolts()).mean(axis=(1, 2))
    assert (apart > 5).all()  # µV
    again = ecggan.generate("ptbxl", 2, seed=3, progress=False)
    assert np.array_equal(ours.microvolts(), again.microvolts())


def test_a_transport_for_other_weights_is_refused(tmp_path, monkeypatch):
    arrays, facts = load_transport_alone(FILE)
    save_transport_alone(tmp_path / "other.safetensors", arrays, facts | {"weights_sha256": "0"})
    monkeypatch.setattr(ptbxl, "FILE", tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"fitted on the weights of deepfake-ecg 1\.1\.2.*pip install"):
        ptbxl_generator()


def test_arrays_and_facts_come_back_as_they_were(tmp_path):
    arrays = {"rr": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}
    save_transport_alone(tmp_path / "t.safetensors", arrays, {"seed": 1, "whose": "µ"})
    found, facts = load_transport_alone(tmp_path / "t.safetensors")
    assert torch.equal(found["rr"], arrays["rr"])
    assert facts == {"seed": 1, "whose": "µ"}
