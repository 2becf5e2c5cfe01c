import numpy as np
import pytest
import torch

import ecggan
from ecggan.checkpoints.open import open_generator
from ecggan.ecg import ECGFormat
from tests.checkpoints.foreign_files import difference, ecgen_file, info
from tests.generation.original_layout import (
    draw_pulse2pulse,
    pulse2pulse_state,
)


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
