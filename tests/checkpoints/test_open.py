import pytest
import torch

import ecggan
from ecggan.checkpoints.generator_file import KEY_IN_TRAINING_CHECKPOINT, generator_contents, save_generator
from ecggan.checkpoints.open import open_generator
from ecggan.checkpoints.pulse2pulse_repo import from_original_names
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from tests.generation.original_layout import pulse2pulse_state


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


def test_an_unknown_weight_is_not_dropped_in_silence():
    network = Pulse2PulseGenerator(8, 5000, 5)
    state = from_original_names({**network.state_dict(), "deconv_9.weight": torch.zeros(1)})
    with pytest.raises(RuntimeError, match=r"Unexpected key.*deconv_9\.weight"):
        network.load_state_dict(state)


@pytest.fixture
def both(tmp_path):
    """A generator file with two sets of weights."""
    raw, ema = Pulse2PulseGenerator(8, 5000, 5), Pulse2PulseGenerator(8, 5000, 5)
    contents = generator_contents(raw, ema, ECGFormat(EIGHT_LEADS, 500, 5000, 6.0), {"epochs": 7, "seed": 1})
    save_generator(tmp_path / "g.pt", contents)
    torch.save({KEY_IN_TRAINING_CHECKPOINT: contents, "state_dict": {}}, tmp_path / "last.ckpt")
    return tmp_path / "g.pt"


def test_a_set_of_weights_has_one_hash_whatever_file_holds_it(both, tmp_path):
    opened = {
        name: open_generator(path, weights).description
        for name, path, weights in (
            ("file", both, "ema"),
            ("training", both.with_name("last.ckpt"), "ema"),
            ("converted", ecggan.convert_checkpoint(both, tmp_path / "ema.safetensors"), "ema"),
            ("raw", both, "raw"),
        )
    }
    assert opened["file"]["weights_sha256"] == opened["training"]["weights_sha256"]
    assert opened["file"]["weights_sha256"] == opened["converted"]["weights_sha256"]
    assert opened["file"]["weights_sha256"] != opened["raw"]["weights_sha256"]
    assert opened["file"]["layout"] == "ecggan generator"
    assert opened["training"]["layout"] == "ecggan training checkpoint"


def test_a_converted_checkpoint_draws_the_same_set_and_tells_where_it_came_from(both, tmp_path):
    out = ecggan.convert_checkpoint(both, tmp_path / "ema.safetensors")
    ours, theirs = (ecggan.generate(path, num_records=2, progress=False).microvolts() for path in (both, out))
    assert (ours == theirs).all()
    told = open_generator(out, "raw").description  # one set, whatever is asked
    del told["weights_sha256"]
    assert told == {
        "checkpoint": "ema.safetensors",
        "layout": "ecggan safetensors",
        "converted_from": {"checkpoint": "g.pt", "layout": "ecggan generator"},
        "weights": "ema",
        "epochs": 7,
        "seed": 1,
    }
    again = ecggan.convert_checkpoint(out, tmp_path / "again.safetensors")
    assert open_generator(again, "ema").description["converted_from"]["checkpoint"] == "g.pt"


def test_a_run_and_a_file_of_others_convert_too(tmp_path):
    for epochs in (25, 50):
        save(tmp_path / "run" / "checkpoints" / f"generator_epoch_{epochs:04d}.pt", epochs)
    run = ecggan.convert_checkpoint(tmp_path / "run", tmp_path / "run.safetensors", weights="raw", epoch=25)
    assert open_generator(run, "ema").description["epochs"] == 25
    torch.save({"netG_state_dict": pulse2pulse_state(5), "epoch": 950}, tmp_path / "theirs.pt")
    theirs = ecggan.convert_checkpoint(
        tmp_path / "theirs.pt", tmp_path / "theirs.safetensors", ecg={"full_scale_mv": 1.0}
    )
    opened = open_generator(theirs, "ema")
    assert opened.ecg == ECGFormat(EIGHT_LEADS, 500, 5000, 1.0)
    assert (opened.description["epochs"], opened.description["full_scale_told_by"]) == (950, "the user")


def test_nothing_is_overwritten_and_the_ending_says_what_it_is(both, tmp_path):
    with pytest.raises(ValueError, match=r"out must end in \.safetensors; got .*out\.pt"):
        ecggan.convert_checkpoint(both, tmp_path / "out.pt")
    (tmp_path / "there.safetensors").write_text("mine")
    with pytest.raises(FileExistsError, match=r"there\.safetensors exists"):
        ecggan.convert_checkpoint(both, tmp_path / "there.safetensors")
    assert (tmp_path / "there.safetensors").read_text() == "mine"
