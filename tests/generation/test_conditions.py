"""Drawing on demand: each record from (seed, index) and its condition alone, and the set says what was asked."""

import numpy as np
import pandas as pd
import pytest
import torch

import ecggan
from ecggan.checkpoints.generator_file import generator_contents, save_generator
from ecggan.checkpoints.open import open_generator
from ecggan.checkpoints.safetensors_file import save_safetensors
from ecggan.data.sets.conditions import Conditions, condition_table
from ecggan.ecg import ECGFormat
from ecggan.generation.generate import generate_part
from ecggan.models.wavegan_star import WaveGANStarGenerator

ECG = ECGFormat(("I", "II"), 500, 2500, 6.0)
RECORDS = pd.DataFrame({"sex": ["male", "female"] * 20, "heart_rate": np.arange(60.0, 100), "labels": ["NORM"] * 40})
NAMES = ["sex", "heart_rate", "labels"]
CONDITIONS = Conditions.of(condition_table(RECORDS, NAMES, "the set"), "the set")


@pytest.fixture(scope="module")
def contents() -> dict:
    torch.manual_seed(0)
    network = WaveGANStarGenerator(2, 2500, 20, latent_size=4, condition_size=CONDITIONS.size)
    torch.nn.init.normal_(network.film.head.weight)
    return generator_contents(network, None, ECG, {"epochs": 1}, None, CONDITIONS)


@pytest.fixture
def generator(contents, tmp_path):
    save_generator(tmp_path / "g.pt", contents)
    return tmp_path / "g.pt"


def draw(path, num_records=20, **options):
    if "indices" in options:
        num_records = None
    return ecggan.generate(path, num_records, 3, weights="raw", progress=False, **options)


def test_the_table_of_a_set_holds_what_was_asked(generator):
    ecgs = draw(generator, condition={"sex": "female", "heart_rate": [80, 90]})
    assert set(ecgs.records["sex"]) == {"female"}
    assert ecgs.records["heart_rate"].between(80, 90).all()
    assert set(ecgs.records["labels"]) == {"NORM"}
    assert ecgs.manifest["made_by"]["condition"] == {"sex": "female", "heart_rate": [80, 90]}
    assert ecgs.manifest["made_by"]["conditions"] == NAMES


def test_a_record_depends_on_seed_index_and_its_condition_alone(generator):
    whole = draw(generator, 40)
    some = draw(generator, indices=[33, 5])
    np.testing.assert_array_equal(some.microvolts(), whole.microvolts([33, 5]))
    table = whole.records[NAMES]
    np.testing.assert_array_equal(draw(generator, 40, condition=table).microvolts(), whole.microvolts())
    other = draw(generator, 40, condition=table.assign(heart_rate=table["heart_rate"].where(table.index != 7, 61.0)))
    assert np.flatnonzero((other.microvolts() != whole.microvolts()).any(axis=(1, 2))).tolist() == [7]


def test_parts_and_a_stop_make_no_difference(generator, tmp_path):
    asked = {"condition": {"heart_rate": [70, 80]}, "weights": "raw", "progress": False}
    whole = ecggan.generate(generator, 150, 3, out=tmp_path / "whole", **asked)
    options = {"out": tmp_path / "parts", "num_parts": 2, **asked}
    assert generate_part(generator, 150, 3, part=1, **options) is None
    parts = generate_part(generator, 150, 3, part=0, **options)
    np.testing.assert_array_equal(parts.microvolts(), whole.microvolts())
    pd.testing.assert_frame_equal(parts.records, whole.records)
    with pytest.raises(FileExistsError, match="holds another set, with condition"):
        ecggan.generate(generator, 150, 3, out=tmp_path / "whole", **{**asked, "condition": {"sex": "male"}})


@pytest.mark.parametrize("kind", ["safetensors", "converted"])
def test_every_kind_of_file_holds_the_conditions(contents, generator, tmp_path, kind):
    path = tmp_path / "g.safetensors"
    if kind == "safetensors":
        save_safetensors(path, contents, "raw")
    else:
        ecggan.convert_checkpoint(generator, path, "raw")
    opened = open_generator(path, "raw")
    assert opened.conditions.plain() == CONDITIONS.plain()
    np.testing.assert_array_equal(draw(path, 3).microvolts(), draw(generator, 3).microvolts())


def test_a_file_that_lost_its_conditions_is_refused(contents, tmp_path):
    save_generator(tmp_path / "a.pt", {key: value for key, value in contents.items() if key != "conditions"})
    with pytest.raises(ValueError, match=r"a\.pt is damaged: version 3 needs a list of conditions"):
        open_generator(tmp_path / "a.pt", "raw")
    fewer = {**contents["conditions"], "names": ["sex"]}
    save_generator(tmp_path / "b.pt", {**contents, "conditions": fewer})
    with pytest.raises(ValueError, match=r"b\.pt is damaged: its network takes \d numbers of a condition"):
        open_generator(tmp_path / "b.pt", "raw")
    save_generator(tmp_path / "c.pt", {**contents, "conditions": {"names": 3}})
    with pytest.raises(ValueError, match=r"c\.pt is damaged: its conditions cannot be read"):
        open_generator(tmp_path / "c.pt", "raw")


def test_what_cannot_be_asked_for_is_refused(generator):
    with pytest.raises(ValueError, match="heart_rate=30 was never trained on; trained on: 60 to 99 bpm"):
        draw(generator, condition={"heart_rate": 30})
    with pytest.raises(
        ValueError, match="the table of conditions has 40 rows, a row a record; 41 records are asked for"
    ):
        draw(generator, 41, condition=RECORDS)
    with pytest.raises(ValueError, match="asked of a generator without conditions; train one with"):
        draw("published", 1, condition={"heart_rate": 70})
