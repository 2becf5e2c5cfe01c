import numpy as np
import pytest
import torch

import ecggan
from ecggan.data.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat
from ecggan.generation.checkpoints import published_generator
from ecggan.generation.drawing import draw_noise
from ecggan.models.generator_file import generator_contents, save_generator
from ecggan.models.wavegan_star import WaveGANStarGenerator


@pytest.fixture
def small_generator(tmp_path):
    """A file of an untrained generator of 2 leads; quick to draw from."""
    torch.manual_seed(0)
    network = WaveGANStarGenerator(2, 2500, 20, latent_size=4)
    ecg = ECGFormat(("I", "II"), 500, 2500, 6.0)
    path = tmp_path / "generator.pt"
    save_generator(path, generator_contents(network, network, ecg, {"epochs": 1}))
    return path


def draw(path, **options) -> ECGSet:
    return ecggan.generate(path, **{"num_records": 7, "seed": 0, "progress": False, **options})


def test_generated_set_does_not_depend_on_batch_size(small_generator):
    sets = [draw(small_generator, batch_size=size).microvolts() for size in (1, 3, 64)]
    # whole µV: a difference in the last float bit may fall on either side of one
    assert all(np.abs(other - sets[0]).max() <= 1 for other in sets)
    assert all((other != sets[0]).mean() < 1e-3 for other in sets)


def test_same_seed_same_set_and_another_seed_another(small_generator):
    first, again, other = (draw(small_generator, seed=seed).microvolts() for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_any_record_can_be_drawn_again_by_its_index(small_generator):
    whole = draw(small_generator, batch_size=1)
    some = draw(small_generator, num_records=None, indices=[5, 2], batch_size=1)
    assert np.array_equal(some.microvolts(), whole.microvolts([5, 2]))
    assert list(some.records["record"]) == list(whole.records["record"].iloc[[5, 2]])


def test_noise_of_a_record_is_uniform_and_its_own():
    noise = draw_noise((8, 5000), seed=1, indices=[0, 1])
    assert noise.min() >= -1
    assert noise.max() < 1
    assert abs(noise.mean()) < 0.02
    assert noise.var() == pytest.approx(1 / 3, abs=0.01)
    assert torch.equal(noise[1:], draw_noise((8, 5000), seed=1, indices=[1]))
    assert np.corrcoef(noise[0].flatten(), noise[1].flatten())[0, 1] == pytest.approx(0, abs=0.03)


def test_published_ecgs_are_what_the_published_generator_writes():
    ecgs = ecggan.generate("published", num_records=2, seed=5, progress=False)
    with torch.inference_mode():
        output = published_generator().network(draw_noise((8, 5000), 5, [0, 1]))
    assert np.array_equal(ecgs.microvolts(), (output * 6000).int().numpy())
    assert ecgs.leads == EIGHT_LEADS
    assert ecgs.kind == "generated"
    assert 0.5 < np.abs(ecgs.millivolts()).max() < 6  # mV of an ECG


def test_twelve_leads_keep_the_eight_and_obey_einthoven(small_generator):
    eight = ecggan.generate("published", num_records=1, seed=0, leads=8, progress=False)
    twelve = ecggan.generate("published", num_records=1, seed=0, leads=12, progress=False)
    assert twelve.leads == TWELVE_LEADS
    assert np.array_equal(twelve.millivolts(leads=EIGHT_LEADS), eight.millivolts())
    signal = dict(zip(TWELVE_LEADS, twelve.microvolts()[0].astype(int), strict=True))
    assert np.array_equal(signal["III"], signal["II"] - signal["I"])
    assert np.abs(signal["aVR"] + signal["aVL"] + signal["aVF"]).max() <= 1


def test_a_set_on_disk_is_the_set_in_memory(small_generator, tmp_path):
    in_memory, on_disk = draw(small_generator), draw(small_generator, out=tmp_path / "set")
    opened = ECGSet.open(tmp_path / "set")
    assert np.array_equal(opened.microvolts(), in_memory.microvolts())
    assert opened.records.equals(in_memory.records)
    assert opened.manifest["made_by"]["seed"] == 0
    assert on_disk.path == tmp_path / "set"


def test_an_existing_folder_is_not_overwritten(small_generator, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="set exists and is not empty"):
        draw(small_generator, out=tmp_path / "set")
    assert (tmp_path / "set" / "mine.txt").read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_records": 0}, "num_records must be a whole number, at least 1 and below .*; got 0"),
        ({"seed": -1}, "seed must be a whole number, at least 0 and below .*; got -1"),
        ({"batch_size": 0}, "batch_size must be a whole number, at least 1 and below .*; got 0"),
        ({"leads": 5}, "leads must be 8, 12, or a list of names; got 5"),
        ({"seed": True}, "seed must be a whole number"),
        ({"leads": ["II", "II"]}, "distinct names; got .'II', 'II'."),
        ({"leads": []}, "distinct names"),
        ({"num_records": None, "indices": [1, 1]}, "none twice"),
        ({"leads": ["V1"]}, "lead 'V1' is not in the record; it has I, II"),
        ({"num_records": None}, "give either num_records or indices"),
        ({"num_records": None, "indices": [-1]}, "none below 0"),
        ({"device": "abacus"}, "device 'abacus' cannot be used here"),
        ({"weights": "best"}, "weights=best is not there"),
    ],
)
def test_an_argument_out_of_range_is_named(small_generator, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        draw(small_generator, out=tmp_path / "set", **options)
    assert not (tmp_path / "set").exists()


def test_one_lead_may_be_named_alone(small_generator):
    assert draw(small_generator, leads="II").leads == ("II",)


def test_a_generator_that_diverged_is_refused_and_leaves_nothing(tmp_path):
    network = WaveGANStarGenerator(2, 2500, 5, latent_size=4)
    torch.nn.init.constant_(network.linear.weight, float("nan"))
    path = tmp_path / "generator.pt"
    save_generator(path, generator_contents(network, None, ECGFormat(("I", "II"), 500, 2500, 6.0), {}))
    with pytest.raises(ValueError, match="the generator draws NaN: its training diverged"):
        draw(path, weights="raw", out=tmp_path / "set")
    assert [file.name for file in tmp_path.iterdir()] == ["generator.pt"]
