import pickle

import pytest
import torch

from ecggan.checkpoints.generator_file import generator_contents, load_generator, read_tensors, save_generator
from ecggan.ecg import EIGHT_LEADS, ECGFormat
from ecggan.models.pulse2pulse import Pulse2PulseGenerator
from ecggan.models.wavegan_star import WaveGANStarGenerator

ECG = ECGFormat(EIGHT_LEADS, 500, 5000, 6.0)


@pytest.fixture(params=["pulse2pulse", "wavegan_star"])
def generator(request):
    if request.param == "pulse2pulse":
        return Pulse2PulseGenerator(8, 5000, 5)
    return WaveGANStarGenerator(8, 5000, 5, latent_size=10)


def test_a_saved_generator_draws_the_same_again(tmp_path, generator):
    save_generator(tmp_path / "g.pt", generator_contents(generator, None, ECG, {"epochs": 3}))
    loaded, ecg, trained = load_generator(tmp_path / "g.pt", "raw")
    noise = torch.rand(2, *generator.latent_shape)
    assert torch.equal(loaded(noise), generator(noise))
    assert (ecg, trained) == (ECG, {"epochs": 3})
    assert not loaded.training


def test_weights_are_chosen_by_name(tmp_path):
    raw, ema = Pulse2PulseGenerator(8, 5000, 5), Pulse2PulseGenerator(8, 5000, 5)
    save_generator(tmp_path / "g.pt", generator_contents(raw, ema, ECG, {}))
    for name, network in (("raw", raw), ("ema", ema)):
        loaded, _, _ = load_generator(tmp_path / "g.pt", name)
        assert torch.equal(loaded.encoder[0].weight, network.encoder[0].weight)
    with pytest.raises(ValueError, match="holds the weights raw, ema; weights=best is not there"):
        load_generator(tmp_path / "g.pt", "best")


class Harmful:
    def __reduce__(self):
        return (print, ("this must never be printed",))


def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path, capsys):
    torch.save({"format": "ecggan generator", "weights": Harmful()}, tmp_path / "g.pt")
    with pytest.raises(ValueError, match=r"g\.pt holds more than tensors and plain values"):
        load_generator(tmp_path / "g.pt", "raw")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(ValueError, match=r"bare\.pt"):
        read_tensors(tmp_path / "bare.pt")
    assert "never" not in capsys.readouterr().out


def test_files_that_are_no_generators_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*gone\.pt"):
        load_generator(tmp_path / "gone.pt", "raw")
    torch.save({"epoch": 1, "netG_state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other\.pt is no generator of ecggan; it holds epoch, netG_state_dict"):
        load_generator(tmp_path / "other.pt", "raw")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="holds a list"):
        read_tensors(tmp_path / "list.pt")
    contents = generator_contents(Pulse2PulseGenerator(8, 5000, 5), None, ECG, {})
    save_generator(tmp_path / "whole.pt", contents)
    (tmp_path / "half.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:20_000])
    with pytest.raises(ValueError, match=r"half\.pt cannot be read as a torch file \(20000 bytes\)"):
        load_generator(tmp_path / "half.pt", "raw")


def test_an_architecture_without_a_name_is_refused():
    with pytest.raises(ValueError, match="Linear is not among the architectures"):
        generator_contents(torch.nn.Linear(1, 1), None, ECG, {})
