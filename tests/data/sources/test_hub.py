import io
import tarfile

import numpy as np
import pandas as pd
import pytest

from ecggan.data.record import Layout
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.hub import hub_set
from ecggan.ecg import EIGHT_LEADS
from tests.data.packers import packer

DEEPFAKE = Layout(EIGHT_LEADS, 500, "uV")


@pytest.fixture
def make_set(tmp_path, paper_format, monkeypatch):
    import datasets

    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)

    def make(dataset, layout=DEEPFAKE, num_workers=0):
        packing = packer(paper_format, tmp_path / "cache", num_workers=num_workers, seconds_a_record=60)
        return hub_set(str(dataset), None, layout, packing, 0.2, 0.2)

    return make


@pytest.fixture
def microvolts(known_ecg):
    return np.rint(known_ecg(5) * 1000).astype(np.int16)


@pytest.fixture
def published(tmp_path, microvolts):
    """The layout of the published set: an archive a split, a text a record; the last is damaged."""
    texts = ["\n".join(" ".join(map(str, row)) for row in record.T) for record in microvolts]
    texts[4] = texts[4][:1000] + "damaged"
    for split, which in (("train", (0, 1, 2)), ("validation", (3,)), ("test", (4,))):
        (tmp_path / "published").mkdir(exist_ok=True)
        with tarfile.open(tmp_path / "published" / f"{split}.tar.gz", "w:gz") as archive:
            for i in which:
                member = tarfile.TarInfo(f"{split}/{i}.asc")
                member.size = len(texts[i])
                archive.addfile(member, io.BytesIO(texts[i].encode()))
    return tmp_path / "published"


@pytest.mark.parametrize("num_workers", [0, 2])
def test_published_texts_keep_their_splits_and_damaged_ones_are_counted(make_set, published, microvolts, num_workers):
    ecgs = make_set(published, num_workers=num_workers)
    assert list(ecgs.records["record"]) == ["train/0", "train/1", "train/2", "validation/3"]
    assert list(ecgs.records["split"]) == ["train"] * 3 + ["validation"]
    assert np.array_equal(ecgs.microvolts(), microvolts[:4])
    (rule,) = ecgs.manifest["account"]["left_out"]
    assert (ecgs.manifest["account"]["read"], rule) == (5, "unreadable")


def test_lists_of_lists_are_shared_out_by_their_names(make_set, tmp_path, microvolts):
    (tmp_path / "table").mkdir()
    rows = {"age": range(5), "ecg": [record.T.tolist() for record in microvolts]}
    pd.DataFrame(rows).to_parquet(tmp_path / "table" / "ecgs.parquet")
    ecgs = make_set(tmp_path / "table")
    assert np.array_equal(ecgs.microvolts(), microvolts)
    assert list(ecgs.records["split"]) == [split_of(f"train/{i}", 0.2, 0.2) for i in range(5)]


def test_rows_of_one_patient_share_a_split_and_placeholders_are_nobody(make_set, tmp_path, microvolts):
    (tmp_path / "table").mkdir()
    rows = {"patient": ["7", "7", "N/A", "-1", None], "ecg": [record.tolist() for record in microvolts]}
    pd.DataFrame(rows).to_parquet(tmp_path / "table" / "ecgs.parquet")
    records = make_set(tmp_path / "table").records
    names = ["7", "7", "train/2", "train/3", "train/4"]
    assert list(records["split"]) == [split_of(name, 0.2, 0.2) for name in names]
    assert list(records["patient"].dropna()) == ["7", "7"]
    assert list(records["placeholder_patient"].dropna()) == ["N/A", "-1"]


def test_a_column_a_lead_is_read_by_its_name(make_set, tmp_path, microvolts):
    (tmp_path / "table").mkdir()
    columns = {lead: list(microvolts[:, i].tolist()) for i, lead in reversed(list(enumerate(EIGHT_LEADS)))}
    pd.DataFrame({"age": range(5), **columns, "beats": [[0.4, 1.2]] * 5}).to_parquet(tmp_path / "table" / "e.parquet")
    ecgs = make_set(tmp_path / "table", Layout(None, 500, "uV"))
    assert np.array_equal(ecgs.microvolts(), microvolts)


def test_leads_of_different_lengths_cost_their_record(make_set, tmp_path, microvolts):
    (tmp_path / "table").mkdir()
    columns = {lead: list(microvolts[:, i].tolist()) for i, lead in enumerate(EIGHT_LEADS)}
    columns["V6"][3] = columns["V6"][3][:-1]
    pd.DataFrame(columns).to_parquet(tmp_path / "table" / "ecgs.parquet")
    ecgs = make_set(tmp_path / "table", Layout(None, 500, "uV"))
    (entry,) = ecgs.manifest["account"]["left_out"]["unreadable"]
    assert "from 4999 to 5000 samples" in entry["detail"]


def test_what_rows_do_not_say_is_not_guessed(make_set, published):
    with pytest.raises(ValueError, match="its leads and sampling rate and unit are not known"):
        make_set(published, Layout())


def test_data_set_that_is_not_there_is_one_clear_error(make_set, tmp_path):
    with pytest.raises(ValueError, match=r"the data set .*nowhere cannot be loaded"):
        make_set(tmp_path / "nowhere")
