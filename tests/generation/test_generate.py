import errno
import shutil

import numpy as np
import pytest
import torch

import ecggan
from ecggan.checkpoints.generator_file import generator_contents, save_generator
from ecggan.checkpoints.published import published_generator
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat
from ecggan.generation.generate import generate_part
from ecggan.generation.plan import GenerationPlan, GenerationRequest
from ecggan.generation.resumable_set import ResumableSet
from ecggan.generation.sampler import Sampler, draw_noise
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


class KeepSome:
    """Keeps every third candidate, by its index."""

    records_at_once = 100

    def __init__(self, every=3):
        self.every = every
        self.description = {"every": every}
        self.learned_from = ()
        self.num_seen = 0

    def __call__(self, ecgs):
        self.num_seen += len(ecgs)
        return [None if index % self.every == 0 else ("thirds", f"index {index}") for index in ecgs.records["index"]]


def contents(folder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def draw(path, **options) -> ECGSet:
    return ecggan.generate(path, **{"num_records": 7, "seed": 0, "progress": False, **options})


def test_same_seed_same_set_and_another_seed_another(small_generator):
    first, again, other = (draw(small_generator, seed=seed).microvolts() for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_any_record_can_be_drawn_again_by_its_index(small_generator):
    whole = draw(small_generator)
    some = draw(small_generator, num_records=None, indices=[5, 2])
    assert np.array_equal(some.microvolts(), whole.microvolts([5, 2]))
    assert list(some.records["record"]) == list(whole.records["record"].iloc[[5, 2]])


def test_a_plan_for_another_seed_draws_that_seed(small_generator):
    plan = GenerationPlan.of(GenerationRequest(small_generator, 7, seed=3, device="cpu", progress=False))
    other = plan.of_seed(4)
    (drawn,) = other.sampler.draw([range(7)])
    assert np.array_equal(drawn, draw(small_generator, seed=4, device="cpu").microvolts())
    assert (plan.sampler.seed, plan.made_by["seed"], other.made_by["seed"]) == (3, 3, 4)
    with pytest.raises(ValueError, match="seed"):
        plan.of_seed(-1)


def test_published_ecgs_are_what_the_published_generator_writes():
    ecgs = ecggan.generate("published", num_records=2, seed=5, progress=False)
    with torch.inference_mode():
        output = published_generator().network(draw_noise((8, 5000), 5, [0, 1]))
    # The published code cuts the fraction off, so a float that rounds another way in another batch or on another CPU
    # is 1 µV off where it lies at a whole number, in about one of 10,000 samples.
    difference = np.abs(ecgs.microvolts() - (output * 6000).int().numpy())
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
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
        ({"num_records": 0}, "num_records must be a whole number, at least 1; got 0"),
        ({"seed": -1}, "seed must be a whole number, from 0 to .*; got -1"),
        ({"batch_size": 0}, "batch_size must be a whole number, at least 1; got 0"),
        ({"leads": 5}, "leads must be 8, 12, or a list of names; got 5"),
        ({"seed": True}, "seed must be a whole number"),
        ({"leads": ["II", "II"]}, "distinct names; got .'II', 'II'."),
        ({"leads": []}, "distinct names"),
        ({"num_records": None, "indices": [1, 1]}, "none twice"),
        ({"leads": ["V1"]}, "lead 'V1' is not in the record; it has I, II"),
        ({"num_records": None}, "give either num_records or indices"),
        ({"num_records": None, "indices": [3, -1]}, r"indices\[1\] must be a whole number, from 0 .*; got -1"),
        ({"num_records": None, "indices": [2**64]}, r"indices\[0\] must be a whole number"),
        ({"num_records": None, "indices": [1], "keep": KeepSome()}, "indices names the records, and keep chooses them"),
        ({"seed": 2**63}, "seed must be a whole number, from 0 to 9223372036854775807; got 9223372036854775808"),
        ({"device": "abacus"}, "device 'abacus' cannot be used here"),
        ({"weights": "best"}, "weights must be ema or raw; got .best."),
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


def interrupt_after(monkeypatch, num_batches, error):
    """Let the next set fail after so many batches are written."""
    original, written = ResumableSet.add, []

    def add(self, batch):
        if len(written) == num_batches:
            monkeypatch.setattr(ResumableSet, "add", original)
            raise error
        original(self, batch)
        written.append(batch.number)

    monkeypatch.setattr(ResumableSet, "add", add)


@pytest.mark.parametrize("keep", [None, KeepSome()])
def test_an_interrupted_set_is_gone_on_with_and_is_the_same_to_the_byte(small_generator, tmp_path, monkeypatch, keep):
    draw(small_generator, num_records=200, keep=keep, out=tmp_path / "whole")
    for num_batches in (1, 2):
        interrupt_after(monkeypatch, num_batches, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            draw(small_generator, num_records=200, keep=keep, out=tmp_path / "set")
        assert not (tmp_path / "set").exists()
    ecgs = draw(small_generator, num_records=200, keep=keep, out=tmp_path / "set", batch_size=7)
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")
    assert {file.name for file in tmp_path.iterdir()} == {"generator.pt", "set", "whole"}
    assert ECGSet.open(tmp_path / "set").records.equals(ecgs.records)


def test_an_interrupted_set_is_not_mixed_with_another(small_generator, tmp_path, monkeypatch):
    interrupt_after(monkeypatch, 1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        draw(small_generator, num_records=200, out=tmp_path / "set")
    with pytest.raises(FileExistsError, match=r"set.unfinished was begun with seed=0, not 1: resume that, give an"):
        draw(small_generator, num_records=200, seed=1, out=tmp_path / "set")


def test_a_disk_that_fills_up_loses_nothing(small_generator, tmp_path, monkeypatch):
    interrupt_after(monkeypatch, 2, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match=r"no space left: 128 of 200 ECGs .*set.unfinished; make room and give the"):
        draw(small_generator, num_records=200, out=tmp_path / "set")
    draw(small_generator, num_records=200, out=tmp_path / "set")
    assert np.array_equal(
        ECGSet.open(tmp_path / "set").microvolts(), draw(small_generator, num_records=200).microvolts()
    )


def test_nothing_stays_of_a_set_for_which_there_is_no_room(small_generator, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 100, 100))
    with pytest.raises(OSError, match=r"set needs 2 MB more, and its disk has 0 MB free"):
        draw(small_generator, num_records=200, out=tmp_path / "set")
    assert [file.name for file in tmp_path.iterdir()] == ["generator.pt"]


def test_a_record_that_was_lost_on_disk_is_drawn_again(small_generator, tmp_path, monkeypatch):
    draw(small_generator, num_records=200, out=tmp_path / "whole")
    interrupt_after(monkeypatch, 3, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        draw(small_generator, num_records=200, out=tmp_path / "set")
    with open(tmp_path / "set.unfinished" / "content" / "signals.npy", "r+b") as file:
        file.seek(70 * 2 * 2500 * 2)
        file.write(bytes(5000))
    draw(small_generator, num_records=200, out=tmp_path / "set")
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")


@pytest.mark.parametrize("keep", [None, KeepSome()])
def test_parts_fill_one_set_in_any_order(small_generator, tmp_path, keep):
    draw(small_generator, num_records=300, keep=keep, out=tmp_path / "whole")
    options = {"num_records": 300, "keep": keep, "out": tmp_path / "set", "num_parts": 3, "progress": False}
    # with a screen a part ends when it knows of enough; those that began before learn of the others when they go on
    drawn = [generate_part(small_generator, part=part, **options) for part in (2, 0, 1, 0, 1, 2)]
    assert drawn[0] is None
    assert drawn[-1] is not None
    assert contents(tmp_path / "set") == contents(tmp_path / "whole")
    assert not (tmp_path / "set.unfinished").exists()


def test_a_finished_set_is_opened_and_another_refused(small_generator, tmp_path, monkeypatch):
    draw(small_generator, out=tmp_path / "set")
    monkeypatch.setattr(Sampler, "draw", None)
    assert len(draw(small_generator, out=tmp_path / "set")) == 7
    with pytest.raises(FileExistsError, match=r"set holds another set, with num_records=7, not 8; give another folder"):
        draw(small_generator, num_records=8, out=tmp_path / "set")


def test_the_first_that_are_kept_make_the_set_and_the_others_are_accounted_for(small_generator, tmp_path):
    whole = draw(small_generator, num_records=300)
    for out in (None, tmp_path / "set"):
        keep = KeepSome()
        ecgs = draw(small_generator, num_records=80, keep=keep, out=out)
        assert list(ecgs.records["index"]) == list(range(0, 240, 3))
        assert np.array_equal(ecgs.microvolts(), whole.microvolts(range(0, 240, 3)))
        account = ecgs.manifest["account"]
        assert (account["read"], account["kept"]) == (238, 80)
        assert len(account["left_out"]["thirds"]) == 158
        assert account["left_out"]["thirds"][1] == {"record": "seed0_000002", "detail": "index 2"}
        assert ecgs.manifest["made_by"]["keep"] == {"every": 3}
        assert keep.num_seen < 400


def test_a_screen_that_keeps_nothing_ends_and_leaves_nothing(small_generator, tmp_path):
    with pytest.raises(ValueError, match=r"keep leaves out nearly all of this generator's ECGs: 1 of .* by thirds"):
        draw(small_generator, num_records=5, keep=KeepSome(10**6), out=tmp_path / "set")
    assert [file.name for file in tmp_path.iterdir()] == ["generator.pt"]


def test_parts_are_counted_from_0(small_generator, tmp_path):
    with pytest.raises(ValueError, match="part must be a whole number, from 0 to 1; got 2"):
        generate_part(small_generator, num_records=7, out=tmp_path / "set", part=2, num_parts=2)


def test_what_other_parts_have_begun_is_not_removed(small_generator, tmp_path, monkeypatch):
    generate_part(small_generator, num_records=200, out=tmp_path / "set", part=1, num_parts=2, progress=False)
    interrupt_after(monkeypatch, 0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        draw(small_generator, num_records=200, out=tmp_path / "set")
    assert (tmp_path / "set.unfinished" / "journal-1.jsonl").exists()
    draw(small_generator, num_records=200, out=tmp_path / "set")
    assert not (tmp_path / "set.unfinished").exists()


def test_a_folder_of_that_name_which_is_not_ours_stays_beside_a_finished_set(small_generator, tmp_path):
    draw(small_generator, out=tmp_path / "set")
    (tmp_path / "set.unfinished").mkdir()
    (tmp_path / "set.unfinished" / "labels.json").write_text("precious")
    draw(small_generator, out=tmp_path / "set")
    assert (tmp_path / "set.unfinished" / "labels.json").read_text() == "precious"


def test_a_finished_set_that_was_changed_is_not_taken_for_it(small_generator, tmp_path):
    draw(small_generator, out=tmp_path / "set")
    signals = tmp_path / "set" / "signals.npy"
    signals.write_bytes(signals.read_bytes()[:-2] + b"ab")
    with pytest.raises(ValueError, match=r"signals.npy was changed after the set was written"):
        draw(small_generator, out=tmp_path / "set")


def test_a_generator_whose_file_states_another_length_is_refused(tmp_path):
    network = WaveGANStarGenerator(2, 2500, 5, latent_size=4)
    path = tmp_path / "generator.pt"
    save_generator(path, generator_contents(network, None, ECGFormat(("I", "II"), 500, 999, 6.0), {}))
    with pytest.raises(ValueError, match=r"the generator draws \(2, 2500\); its file says \(2, 999\)"):
        draw(path, weights="raw", out=tmp_path / "set")
