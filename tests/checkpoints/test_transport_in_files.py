import pytest
import torch

import ecggan
from ecggan.checkpoints.generator_file import generator_contents, save_generator
from ecggan.checkpoints.open import open_generator
from ecggan.checkpoints.safetensors_file import save_safetensors
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.pulse2pulse import Pulse2PulseGenerator

ECG = ECGFormat(EIGHT_LEADS, 500, 5000, 6.0)
ARRAYS = {"linear": torch.eye(3), "rr": torch.tensor([[1.0, 2.0], [3.0, 4.0]])}


@pytest.fixture(params=["pt", "safetensors", "converted"])
def opened(request, tmp_path):
    contents = generator_contents(Pulse2PulseGenerator(8, 5000, 5), None, ECG, {"epochs": 3}, ARRAYS)
    if request.param == "safetensors":
        save_safetensors(tmp_path / "g.safetensors", contents, "raw")
        return open_generator(tmp_path / "g.safetensors", "raw")
    save_generator(tmp_path / "g.pt", contents)
    if request.param == "converted":
        return open_generator(ecggan.convert_checkpoint(tmp_path / "g.pt", tmp_path / "c.safetensors", "raw"), "raw")
    return open_generator(tmp_path / "g.pt", "raw")


def test_a_transport_stays_with_its_generator_in_every_kind_of_file(opened):
    assert opened.transport.keys() == ARRAYS.keys()
    assert all(torch.equal(opened.transport[name], array) for name, array in ARRAYS.items())
    assert len(opened.description["transport_sha256"]) == 64
    assert isinstance(opened.network, Pulse2PulseGenerator)


def test_one_hash_stands_for_one_transport(tmp_path):
    found = []
    for scale in (1, 1, 2):
        arrays = {name: array * scale for name, array in ARRAYS.items()}
        save_generator(tmp_path / "g.pt", generator_contents(Pulse2PulseGenerator(8, 5000, 5), None, ECG, {}, arrays))
        found.append(open_generator(tmp_path / "g.pt", "raw").description["transport_sha256"])
    assert found[0] == found[1] != found[2]


def test_a_file_without_a_transport_is_what_it_was(tmp_path):
    contents = generator_contents(Pulse2PulseGenerator(8, 5000, 5), None, ECG, {})
    assert (contents["format_version"], "transport" in contents) == (1, False)
    save_generator(tmp_path / "g.pt", contents)
    opened = open_generator(tmp_path / "g.pt", "raw")
    assert opened.transport is None
    assert "transport_sha256" not in opened.description


def test_a_file_whose_transport_was_lost_is_refused(tmp_path):
    contents = generator_contents(Pulse2PulseGenerator(8, 5000, 5), None, ECG, {}, ARRAYS)
    del contents["transport"]
    save_generator(tmp_path / "g.pt", contents)
    with pytest.raises(ValueError, match=r"g\.pt is damaged: version 2 needs a transport"):
        open_generator(tmp_path / "g.pt", "raw")
