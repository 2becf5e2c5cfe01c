import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ecggan.checkpoints.generator_file import generator_contents
from ecggan.checkpoints.safetensors_file import load_safetensors, save_safetensors
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.wavegan_star import WaveGANStarGenerator

ECG = ECGFormat(EIGHT_LEADS, 500, 5000, 6.0)


def metadata_of(path):
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "g.safetensors"
    save_safetensors(path, generator_contents(Pulse2PulseGenerator(8, 5000, 5), None, ECG, {"epochs": 3}), "raw")
    return path


@pytest.mark.parametrize(
    "generator", [Pulse2PulseGenerator(8, 5000, 5), WaveGANStarGenerator(8, 5000, 5, latent_size=10)]
)
def test_a_saved_generator_draws_the_same_again(tmp_path, generator):
    path = tmp_path / "g.safetensors"
    save_safetensors(path, generator_contents(generator, None, ECG, {"epochs": 3, "site": "Århus"}), "raw")
    loaded, ecg, trained = load_safetensors(path)
    noise = torch.rand(2, *generator.latent_shape)
    assert torch.equal(loaded(noise), generator(noise))
    assert (ecg, trained) == (ECG, {"epochs": 3, "site": "Århus"})
    assert not loaded.training


def test_the_set_of_weights_that_is_asked_for_is_written(tmp_path):
    raw, ema = Pulse2PulseGenerator(8, 5000, 5), Pulse2PulseGenerator(8, 5000, 5)
    for which, network in (("raw", raw), ("ema", ema)):
        path = tmp_path / f"{which}.safetensors"
        save_safetensors(path, generator_contents(raw, ema, ECG, {}), which)
        assert torch.equal(load_safetensors(path)[0].encoder[0].weight, network.encoder[0].weight)


def test_the_metadata_are_json_that_any_reader_understands(saved):
    metadata, _ = metadata_of(saved)
    assert json.loads(metadata["generator"]) == {
        "architecture": "pulse2pulse",
        "num_leads": 8,
        "num_samples": 5000,
        "model_size": 5,
    }
    assert json.loads(metadata["ecg"])["leads"] == list(EIGHT_LEADS)


def test_files_of_others_are_named_with_what_is_missing(tmp_path, saved):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*gone\.safetensors"):
        load_safetensors(tmp_path / "gone.safetensors")
    save_file({"unet.weight": torch.zeros(2)}, tmp_path / "image.safetensors")
    with pytest.raises(
        ValueError, match=r"format, format_version, generator, ecg, trained, weights_sha256 is missing.*unet"
    ):
        load_safetensors(tmp_path / "image.safetensors")
    metadata, state = metadata_of(saved)
    for key in metadata:
        without = {name: value for name, value in metadata.items() if name != key}
        save_file(state, tmp_path / "part.safetensors", without)
        with pytest.raises(ValueError, match=rf"part\.safetensors is no generator of ecggan: {key} is missing"):
            load_safetensors(tmp_path / "part.safetensors")


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("format_version", "4", "has format version 4; this ecggan reads 1, 2 and 3"),
        ("format_version", "2", "is damaged: version 2 needs a transport"),
        ("format", '"other"', "is 'other' of version 1"),
        ("ecg", "{", "is damaged: its metadata are not JSON"),
        ("ecg", "[]", "is damaged: generator, ecg and trained must be JSON objects"),
        ("ecg", '{"leads": ["I"]}', "is damaged: its ecg is"),
        ("generator", '{"architecture": "unet"}', "is of the architecture 'unet'; known are"),
        ("generator", '{"architecture": "pulse2pulse", "num_leads": 8}', "is damaged: its weights do not fit"),
    ],
)
def test_metadata_that_cannot_be_are_refused(tmp_path, saved, key, value, complaint):
    metadata, state = metadata_of(saved)
    save_file(state, tmp_path / "bad.safetensors", {**metadata, key: value})
    with pytest.raises(ValueError, match=rf"bad\.safetensors.*{complaint}"):
        load_safetensors(tmp_path / "bad.safetensors")


def test_damage_to_the_weights_is_seen(tmp_path, saved):
    content = saved.read_bytes()
    (tmp_path / "half.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"half\.safetensors cannot be read as a safetensors file"):
        load_safetensors(tmp_path / "half.safetensors")
    (tmp_path / "bit.safetensors").write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.raises(ValueError, match="its weights are not those that were written"):
        load_safetensors(tmp_path / "bit.safetensors")
    torch.save({"stat_dict": {}}, tmp_path / "torch.safetensors")
    with pytest.raises(ValueError, match=r"torch\.safetensors cannot be read as a safetensors file"):
        load_safetensors(tmp_path / "torch.safetensors")


def test_a_failed_write_leaves_what_was_there(tmp_path, saved, monkeypatch):
    before = saved.read_bytes()

    def full_disk(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("ecggan.checkpoints.safetensors_file.save_file", full_disk)
    contents = generator_contents(Pulse2PulseGenerator(8, 5000, 5), None, ECG, {})
    with pytest.raises(OSError, match="no space left"):
        save_safetensors(saved, contents, "raw")
    assert saved.read_bytes() == before
    assert list(tmp_path.iterdir()) == [saved]
