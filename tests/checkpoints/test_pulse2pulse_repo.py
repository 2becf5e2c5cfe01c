import re

import pytest
import torch

from ecggan.checkpoints.generator_file import read_tensors
from ecggan.checkpoints.open import open_generator
from ecggan.checkpoints.published import PUBLISHED_FORMAT, published_generator
from ecggan.checkpoints.pulse2pulse_repo import from_original_names
from tests.checkpoints.foreign_files import SIX_MV, difference, ecgen_file, info, published_file, repository_file
from tests.generation.original_layout import (
    draw_pulse2pulse,
    draw_wavegan_star,
    pulse2pulse_state,
    wavegan_star_state,
)


@pytest.mark.parametrize("model_size", [5, 10, 20])
def test_a_file_of_the_training_repository_draws_what_its_pulse2pulse_drew(tmp_path, model_size):
    state = pulse2pulse_state(model_size)
    path = repository_file(tmp_path / "run_epoch:950.pt", state)
    opened = open_generator(path, "ema", ecg=SIX_MV)
    assert difference(opened.network, lambda noise: draw_pulse2pulse(state, noise)) <= 1e-5
    assert opened.ecg == PUBLISHED_FORMAT
    assert opened.network.hyperparameters["model_size"] == model_size
    sha = opened.description.pop("weights_sha256")
    assert re.fullmatch("[0-9a-f]{64}", sha)
    assert opened.description == {
        "checkpoint": "run_epoch:950.pt",
        "layout": "Pulse2Pulse repository",
        "full_scale_mv": 6.0,
        "full_scale_told_by": "the user",
        "epochs": 950,
    }


@pytest.mark.parametrize(("model_size", "latent_size"), [(5, 100), (15, 7)])
def test_a_file_of_the_training_repository_draws_what_its_wavegan_star_drew(tmp_path, model_size, latent_size):
    state = wavegan_star_state(model_size, latent_size=latent_size)
    opened = open_generator(repository_file(tmp_path / "g.pt", state), "raw", ecg=SIX_MV)
    assert opened.network.latent_shape == (latent_size,)
    assert difference(opened.network, lambda noise: draw_wavegan_star(state, noise)) <= 1e-5
    assert opened.ecg == PUBLISHED_FORMAT


def test_what_data_parallel_and_compile_put_into_the_names_is_taken_out(tmp_path):
    state = pulse2pulse_state()
    plain = open_generator(repository_file(tmp_path / "g.pt", state), "raw", ecg=SIX_MV)
    wrapped = {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}
    several = open_generator(repository_file(tmp_path / "m.pt", wrapped), "raw", ecg=SIX_MV)
    assert several.description["weights_sha256"] == plain.description["weights_sha256"]
    lightning = ecgen_file(tmp_path / "m.ckpt", wrapped, info(scale=6))
    assert open_generator(lightning, "raw").description["weights_sha256"] == plain.description["weights_sha256"]


def test_the_published_file_given_by_its_path_is_the_published_generator():
    opened = open_generator(published_file(), "ema")
    published = published_generator()
    assert opened.ecg == published.ecg == PUBLISHED_FORMAT
    assert opened.description["weights_sha256"] == published.description["weights_sha256"]
    noise = torch.rand(1, 8, 5000)
    with torch.inference_mode():
        assert torch.equal(opened.network(noise), published.network(noise))


def test_full_scale_is_told_by_the_height_of_the_ecgs_and_said_aloud(tmp_path, caplog):
    weights = read_tensors(published_file())["stat_dict"]
    on_six_mv = repository_file(tmp_path / "six.pt", weights)
    opened = open_generator(on_six_mv, "ema")
    assert (opened.ecg.full_scale_mv, opened.description["full_scale_told_by"]) == (6.0, "the height of its ECGs")
    assert re.search(r"six\.pt does not say what its ±1 stands for: .* 6 mV", caplog.text)
    for name in ("weight", "bias"):  # as if it had learned from mV
        weights[f"deconv_7.conv1d.{name}"] *= 6
    on_one_mv = repository_file(tmp_path / "one.pt", weights)
    assert open_generator(on_one_mv, "ema").ecg.full_scale_mv == 1.0
    assert open_generator(on_one_mv, "ema", ecg=SIX_MV).ecg.full_scale_mv == 6.0


def test_original_names_become_ours_and_unused_layers_go():
    names = {
        "conv_1.weight": "encoder.0.weight",
        "conv_6.bias": "encoder.5.bias",
        "deconv_1.conv1d.weight": "decoder.layers.0.conv.weight",
        "deconv_5.conv1d.bias": "decoder.layers.3.conv.bias",
        "deconv_7.conv1d.weight": "decoder.layers.5.conv.weight",
    }
    unused = ["deconv_7.Conv1dTrans.weight", "deconv_7.conv1d_transpose.bias", "fc1.weight", "ppfilter1.bias"]
    tensors = {name: torch.zeros(1) for name in [*names, *unused]}
    renamed = from_original_names(tensors)
    assert set(renamed) == set(names.values())
    assert all(renamed[ours] is tensors[theirs] for theirs, ours in names.items())
