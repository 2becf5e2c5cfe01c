import contextlib
import importlib.metadata
import os
import re
from collections import OrderedDict

import numpy as np
import pytest
import torch

import ecggan
from ecggan.checkpoints.generator_file import read_tensors
from ecggan.checkpoints.open import PUBLISHED_FORMAT, open_generator, published_generator
from ecggan.checkpoints.pulse2pulse_repo import from_original_names
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat
from tests.generation.original_layout import (
    discriminator_state,
    draw_pulse2pulse,
    draw_wavegan_star,
    pulse2pulse_state,
    wavegan_star_state,
)

SIX_MV = {"full_scale_mv": 6.0}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def repository_file(path, state, epoch=950):
    weight = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()
    torch.save(
        {
            "epoch": epoch,
            "netG_state_dict": OrderedDict(state),
            "netD_state_dict": OrderedDict(discriminator_state()),
            "optimizerG_state_dict": optimizer.state_dict(),
            "optimizerD_state_dict": optimizer.state_dict(),
        },
        path,
    )
    return path


def ecgen_file(path, state, info=None, family="pulse2pulse", **options):
    """A checkpoint of ecgen; of before 1.1 where `info` is None."""
    tensors = {f"netG.{name}": tensor for name, tensor in state.items()}
    tensors |= {f"netD.{name}": tensor for name, tensor in discriminator_state().items()}
    contents = {
        "epoch": 2,
        "global_step": 12,
        "pytorch-lightning_version": "2.6.6",
        "state_dict": OrderedDict(tensors),
        "hparams_name": None,
        "hyper_parameters": {"model_size": 10, "num_channels": 8, "seq_length": 5000, "conditioning": None, **options},
    }
    if info is not None:
        contents |= {"ecgen_family": family, "ecgen_data_info": info}
    torch.save(contents, path)
    return path


def info(**changes):
    return {"lead_names": list(EIGHT_LEADS), "fs": 500, "seq_length": 5000, "scale": "none", **changes}


def published_file():
    return str(importlib.metadata.distribution("deepfake-ecg").locate_file("deepfakeecg/checkpoints/g_stat.pt"))


def difference(network, expected):
    noise = torch.rand(2, *network.latent_shape) * 2 - 1
    with torch.inference_mode():
        drawn = expected(noise)
        assert drawn.abs().max() > 0.1  # else nothing is compared
        return (network(noise) - drawn).abs().max()


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


def test_a_bare_state_dict_opens_too(tmp_path):
    state = pulse2pulse_state(unused="conv1d_transpose")
    torch.save(state, tmp_path / "bare.pt")
    torch.save({"state_dict": state}, tmp_path / "wrapped.pt")
    opened = [open_generator(tmp_path / name, "raw", ecg=SIX_MV) for name in ("bare.pt", "wrapped.pt")]
    for each in opened:
        assert each.description["layout"] == "state dict"
        assert difference(each.network, lambda noise: draw_pulse2pulse(state, noise)) <= 1e-5


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


def test_an_ecgen_checkpoint_draws_what_its_generator_drew_in_mv(tmp_path):
    state = pulse2pulse_state(unused="conv1d_transpose")
    leads = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2"]  # the order of MIMIC-IV-ECG
    path = ecgen_file(tmp_path / "last.ckpt", state, info(lead_names=leads), seq_length=2500, output_scale=4.0)
    opened = open_generator(path, "ema")
    assert difference(opened.network, lambda noise: draw_pulse2pulse(state, noise)) <= 1e-5
    assert opened.ecg == ECGFormat(leads, 500, 2500, 4.0)  # 4 · tanh, in mV
    assert opened.description["layout"] == "ecgen"
    assert opened.description["full_scale_told_by"] == "the file"
    assert opened.description["epochs"] == 3  # it counts them from 0
    divided = ecgen_file(tmp_path / "divided.ckpt", state, info(scale=1.5), output_scale=2.0)
    assert open_generator(divided, "ema").ecg.full_scale_mv == 3.0


def test_z_scored_ecgs_have_no_mv_until_the_user_gives_them_some(tmp_path):
    path = ecgen_file(tmp_path / "z.ckpt", pulse2pulse_state(), info(scale="zscore"), output_scale=8.0)
    with pytest.raises(ValueError, match=r"z\.ckpt .* does not say full_scale_mv .*z-scored.*is 8 × the mV that an SD"):
        open_generator(path, "ema")
    opened = open_generator(path, "ema", ecg={"full_scale_mv": 1.6})
    assert (opened.ecg.full_scale_mv, opened.description["full_scale_told_by"]) == (1.6, "the user")


def test_an_ecgen_checkpoint_of_before_it_named_its_leads_asks_for_them(tmp_path):
    path = ecgen_file(tmp_path / "old.ckpt", pulse2pulse_state())
    with pytest.raises(ValueError, match=r"does not say leads, full_scale_mv .*I, II, III, aVR, aVF, aVL, V1, V2"):
        open_generator(path, "ema")
    leads = ["I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2"]
    opened = open_generator(path, "ema", ecg={"leads": leads, "full_scale_mv": 0.2})
    assert opened.ecg == ECGFormat(leads, 500, 5000, 0.2)


def test_other_models_of_ecgen_are_named(tmp_path):
    conditions = {"encoders": [{"field": "measurements"}]}
    conditional = ecgen_file(tmp_path / "c.ckpt", pulse2pulse_state(), info(), conditioning=conditions)
    with pytest.raises(ValueError, match=r"c\.ckpt is ecgen's Pulse2Pulse that draws under conditions"):
        open_generator(conditional, "ema")
    diffusion = ecgen_file(tmp_path / "d.ckpt", {"backbone.conv.weight": torch.zeros(1)}, info(), family="diffusion")
    with pytest.raises(ValueError, match=r"d\.ckpt is of ecgen's family diffusion; .* opens pulse2pulse alone"):
        open_generator(diffusion, "ema")
    silent = {**pulse2pulse_state(), "films.0.proj.weight": torch.zeros(4, 2)}
    with pytest.raises(ValueError, match=r"that has no tensor films\.0\.proj\.weight"):
        open_generator(ecgen_file(tmp_path / "f.ckpt", silent, info()), "ema")
    filtered = {**pulse2pulse_state(), "post_proc_filter.weight": torch.zeros(8, 8, 512)}
    with pytest.raises(ValueError, match=r"that has no tensor post_proc_filter\.weight"):
        open_generator(ecgen_file(tmp_path / "p.ckpt", filtered, info()), "ema")


def test_a_generator_of_another_lead_count_needs_their_names(tmp_path):
    path = repository_file(tmp_path / "twelve.pt", pulse2pulse_state(leads=12))
    with pytest.raises(
        ValueError, match=r"twelve\.pt draws 12 leads, and does not say leads of its ECGs.*ecg=\{leads:"
    ):
        open_generator(path, "ema")
    assert open_generator(path, "ema", ecg={"leads": TWELVE_LEADS}).ecg.leads == TWELVE_LEADS
    with pytest.raises(ValueError, match="draws 12 leads; 2 are named: I, II"):
        open_generator(path, "ema", ecg={"leads": ["I", "II"]})
    with pytest.raises(ValueError, match=r"twelve\.pt: leads must be distinct names"):
        open_generator(path, "ema", ecg={"leads": ["lead"] * 12})


def test_what_the_file_says_cannot_be_said_otherwise(tmp_path):
    path = ecgen_file(tmp_path / "last.ckpt", pulse2pulse_state(), info())
    assert open_generator(path, "ema", ecg={"full_scale_mv": 1, "leads": list(EIGHT_LEADS)}).ecg.full_scale_mv == 1
    with pytest.raises(ValueError, match=r"last\.ckpt says that full_scale_mv is 1\.0; ecg says 6"):
        open_generator(path, "ema", ecg={"full_scale_mv": 6})
    with pytest.raises(ValueError, match=r"published says that sampling_rate is 500; ecg says 250"):
        open_generator("published", "ema", ecg={"sampling_rate": 250})
    with pytest.raises(ValueError, match="ecg says gain; it can say leads, sampling_rate, num_samples, full_scale_mv"):
        open_generator(path, "ema", ecg={"gain": 2})
    with pytest.raises(ValueError, match="ecg's leads must be a list of names; got 8"):
        open_generator(path, "ema", ecg={"leads": 8})


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        (discriminator_state(), r"conv1\.weight, .* … \(16 in all\)"),
        ({"state_dict": {"layer1.0.conv.weight": torch.zeros(8, 3, 3, 3)}}, r"layer1\.0\.conv\.weight"),
        ({"netG_state_dict": {"conv_1.weight": torch.zeros(2, 8, 25)}}, r"conv_1\.weight"),
        ({"netG_state_dict": {}}, "nothing"),
        ({"netD_state_dict": discriminator_state(), "epoch": 3}, "netD_state_dict, epoch"),
        ({"stat_dict": [1.0]}, "list"),
        ({}, "nothing"),
    ],
)
def test_other_models_are_named_with_what_is_known(tmp_path, contents, found):
    torch.save(contents, tmp_path / "other.pt")
    with pytest.raises(
        ValueError, match=rf"other\.pt holds no generator that is known here, but {found}; known are .*ecgen"
    ):
        open_generator(tmp_path / "other.pt", "ema")


def test_names_of_ours_with_other_sizes_are_refused_by_tensor(tmp_path):
    short = {**pulse2pulse_state(), "conv_2.weight": torch.zeros(5, 2, 16)}
    with pytest.raises(ValueError, match=r"conv_2\.weight is \(5, 2, 16\), and should be \(5, 2, 25\)"):
        open_generator(repository_file(tmp_path / "g.pt", short), "ema", ecg=SIX_MV)
    paired = {**pulse2pulse_state(), "conv_1.weight": torch.zeros(2, 24, 25)}  # noise, ECG and mask
    with pytest.raises(ValueError, match=r"conv_1\.weight is \(2, 24, 25\), and should be \(2, 8, 25\)"):
        open_generator(repository_file(tmp_path / "g.pt", paired), "ema", ecg=SIX_MV)
    cut = pulse2pulse_state()
    del cut["deconv_6.conv1d.bias"]
    with pytest.raises(ValueError, match=r"tensor decoder\.layers\.4\.conv\.bias is missing"):
        open_generator(repository_file(tmp_path / "g.pt", cut), "ema", ecg=SIX_MV)
    with pytest.raises(ValueError, match=r"cannot be: num_samples must be a multiple of 2500.*got 4096"):
        open_generator(ecgen_file(tmp_path / "g.ckpt", pulse2pulse_state(), info(), seq_length=4096), "ema")


class MakesAFolder:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_never_run(tmp_path, zipped):
    harm = tmp_path / "harm"
    contents = {"netG_state_dict": pulse2pulse_state(), "epoch": MakesAFolder(harm)}
    torch.save(contents, tmp_path / "g.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        ValueError, match=r"g\.pt holds more than tensors and plain values \((posix|nt)\.mkdir\); .*could run code"
    ):
        open_generator(tmp_path / "g.pt", "ema")
    assert not harm.exists()
    torch.load(tmp_path / "g.pt", weights_only=False)
    assert harm.exists()  # it would have


def test_the_remedy_for_a_file_with_more_than_tensors_works(tmp_path, monkeypatch):
    state = pulse2pulse_state()
    torch.save({"netG_state_dict": state, "train_loss": np.float64(0.5)}, tmp_path / "g.pt")
    with pytest.raises(ValueError, match=r"numpy.*scalar") as refused:
        open_generator(tmp_path / "g.pt", "ema")
    snippet = re.search(r"c = torch\.load.*'tensors\.pt'\)", str(refused.value))[0]
    monkeypatch.chdir(tmp_path)
    exec(snippet, {"torch": torch})
    opened = open_generator("tensors.pt", "ema", ecg=SIX_MV)
    assert difference(opened.network, lambda noise: draw_pulse2pulse(state, noise)) <= 1e-5


def test_damaged_files_end_in_one_clear_line(tmp_path):
    whole = repository_file(tmp_path / "g.pt", pulse2pulse_state(5)).read_bytes()
    for cut in (0, 1, 100, len(whole) // 2, len(whole) - 10):
        (tmp_path / "cut.pt").write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"cut\.pt"):
            open_generator(tmp_path / "cut.pt", "ema")
    torch.save({"stat_dict": pulse2pulse_state(5)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    old = (tmp_path / "old.pt").read_bytes()
    places = np.random.default_rng(0).integers(0, 3000, size=60)  # in the pickles, ahead of the numbers
    for place in places:
        (tmp_path / "bent.pt").write_bytes(old[:place] + b"\xff" + old[place + 1 :])
        with contextlib.suppress(ValueError):  # or it opens: not every byte matters
            open_generator(tmp_path / "bent.pt", "ema")


def test_a_set_drawn_from_a_foreign_file_tells_where_it_came_from(tmp_path):
    path = ecgen_file(tmp_path / "z.ckpt", pulse2pulse_state(), info(scale="zscore"))
    ecgs = ecggan.generate(path, num_records=2, ecg={"full_scale_mv": 0.5}, progress=False)
    assert np.abs(ecgs.millivolts()).max() <= 0.5
    made_by = ecgs.manifest["made_by"]
    assert made_by["checkpoint"] == "z.ckpt"
    assert (
        made_by["weights_sha256"]
        == open_generator(path, "ema", ecg={"full_scale_mv": 0.5}).description["weights_sha256"]
    )
    assert (made_by["layout"], made_by["full_scale_mv"], made_by["epochs"]) == ("ecgen", 0.5, 3)


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
