import pytest
import torch

from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.generation.checkpoints import from_original_names, open_generator
from ecggan.models.generator_file import generator_contents, save_generator
from ecggan.models.pulse2pulse import Pulse2PulseGenerator


def save(path, epochs):
    contents = generator_contents(
        Pulse2PulseGenerator(8, 5000, 5), None, ECGFormat(EIGHT_LEADS, 500, 5000, 6.0), {"epochs": epochs}
    )
    save_generator(path, contents)


def test_a_runs_folder_stands_for_its_last_generator(tmp_path):
    for epochs in (25, 100, 50):
        save(tmp_path / "checkpoints" / f"generator_epoch_{epochs:04d}.pt", epochs)
    assert open_generator(tmp_path, "raw").description["epochs"] == 100


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is not the folder of a training run: there is no checkpoints/gen"):
        open_generator(tmp_path, "ema")


def test_original_names_become_ours_and_unused_layers_go():
    names = {
        "conv_1.weight": "encoder.0.weight",
        "conv_6.bias": "encoder.5.bias",
        "deconv_1.conv1d.weight": "decoder.layers.0.conv.weight",
        "deconv_5.conv1d.bias": "decoder.layers.3.conv.bias",
        "deconv_7.conv1d.weight": "decoder.layers.5.conv.weight",
    }
    unused = ["deconv_7.Conv1dTrans.weight", "fc1.weight", "ppfilter1.bias"]
    tensors = {name: torch.zeros(1) for name in [*names, *unused]}
    renamed = from_original_names(tensors)
    assert set(renamed) == set(names.values())
    assert all(renamed[ours] is tensors[theirs] for theirs, ours in names.items())


def test_an_unknown_weight_is_not_dropped_in_silence():
    network = Pulse2PulseGenerator(8, 5000, 5)
    state = from_original_names({**network.state_dict(), "deconv_9.weight": torch.zeros(1)})
    with pytest.raises(RuntimeError, match=r"Unexpected key.*deconv_9\.weight"):
        network.load_state_dict(state)
