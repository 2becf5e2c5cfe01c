import contextlib
import os
import re

import numpy as np
import pytest
import torch

from ecggan.checkpoints.open import open_generator
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS
from tests.checkpoints.foreign_files import SIX_MV, difference, ecgen_file, info, repository_file
from tests.generation.original_layout import (
    discriminator_state,
    draw_pulse2pulse,
    pulse2pulse_state,
)


def test_a_bare_state_dict_opens_too(tmp_path):
    state = pulse2pulse_state(unused="conv1d_transpose")
    torch.save(state, tmp_path / "bare.pt")
    torch.save({"state_dict": state}, tmp_path / "wrapped.pt")
    opened = [open_generator(tmp_path / name, "raw", ecg=SIX_MV) for name in ("bare.pt", "wrapped.pt")]
    for each in opened:
        assert each.description["layout"] == "state dict"
        assert difference(each.network, lambda noise: draw_pulse2pulse(state, noise)) <= 1e-5


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
