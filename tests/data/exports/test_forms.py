import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import wfdb
import yaml

from ecggan.data.exports.text import to_text
from ecggan.data.record import Layout
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import new_manifest
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat
from tests.data.exports.making import COMPANIONS, NUM_RECORDS, NUM_SAMPLES, export_quietly, make_set
from tests.data.packers import packer
from tests.data.quality_rules import RULES


@pytest.mark.parametrize("separator", [" ", ","])
def test_text_of_every_value_is_that_of_savetxt(tmp_path, separator):
    every = np.arange(-32768, 32768, dtype=np.int16).reshape(8, -1)
    np.savetxt(tmp_path / "a.asc", every.T, fmt="%i", delimiter=separator)
    assert to_text(every, separator) == (tmp_path / "a.asc").read_bytes()


def test_asc_is_a_file_a_record_of_the_same_bytes_as_the_package_writes(ecgs, tmp_path):
    out = export_quietly(ecgs, "asc", tmp_path / "out")
    names = ecgs.records["record"]
    assert {path.name for path in out.iterdir()} == COMPANIONS | {f"{name}.asc" for name in names}
    for name, microvolts in zip(names, ecgs.microvolts(), strict=True):
        np.savetxt(tmp_path / "a.asc", microvolts.T, fmt="%i")
        assert (out / f"{name}.asc").read_bytes() == (tmp_path / "a.asc").read_bytes()
        assert np.array_equal(np.loadtxt(out / f"{name}.asc", dtype=np.int16).T, microvolts)


def test_csv_names_its_leads_and_holds_microvolts(ecgs, tmp_path):
    out = export_quietly(ecgs, "csv", tmp_path / "out")
    table = pd.read_csv(out / "seed7_000022.csv")
    assert tuple(table) == EIGHT_LEADS
    assert np.array_equal(table.to_numpy().T, ecgs.microvolts()[22])


@pytest.mark.parametrize("form", ["asc", "csv", "wfdb", "npz", "parquet"])
def test_our_own_reader_of_folders_reads_the_same_values_back(ecgs, tmp_path, form):
    out = export_quietly(ecgs, form, tmp_path / "out")
    layout = ECGFormat(EIGHT_LEADS, 500, NUM_SAMPLES, full_scale_mv=6.0)
    patterns = ("*.hea", "*.asc", "*.csv", "*.npz", "*.parquet")
    units = Layout(EIGHT_LEADS, 500, "uV") if form in ("asc", "csv") else Layout()  # the others say it
    rules = replace(RULES, max_noise_mv=None)  # the ECGs are noise
    packing, anybody = packer(layout, tmp_path / "cache", quality=rules), Selection(None, None, None, None)
    read = folder_set(out, packing, anybody, patterns, units, 0.1, 0.1)
    account = read.manifest["account"]
    assert (account["read"], account["kept"], account["left_out"]) == (NUM_RECORDS, NUM_RECORDS, {})
    assert [name.split("/")[-1] for name in read.records["record"]] == list(ecgs.records["record"])
    assert np.array_equal(read.microvolts(), ecgs.microvolts())


@pytest.mark.parametrize("leads", [EIGHT_LEADS, TWELVE_LEADS])
def test_wfdb_reads_the_exact_values_and_leads(tmp_path, leads):
    ecgs = make_set(tmp_path / "set", leads=leads)
    out = export_quietly(ecgs, "wfdb", tmp_path / "out")
    names = (out / "RECORDS").read_text().split()
    assert names[:6] == [*(f"000000/seed7_{i:06d}" for i in range(5)), "000005/seed7_000005"]
    for i, name in enumerate(names):
        record = wfdb.rdrecord(str(out / name), physical=False)
        assert np.array_equal(record.d_signal.T, ecgs.microvolts()[i])
        assert (record.sig_name, record.fs, record.units) == (list(leads), 500, ["mV"] * len(leads))
        assert record.comments == ["kind: generated", f"record: seed7_{i:06d}", "seed: 7", f"index: {i}"]
        assert record.checksum == record.calc_checksum()
    np.testing.assert_allclose(wfdb.rdrecord(str(out / names[0])).p_signal.T, ecgs.microvolts()[0] / 1000, rtol=1e-12)


def test_wfdb_files_are_those_of_wrsamp(ecgs, tmp_path):
    out = export_quietly(ecgs, "wfdb", tmp_path / "out")
    wfdb.wrsamp(
        "seed7_000003",
        fs=500,
        units=["mV"] * 8,
        sig_name=list(EIGHT_LEADS),
        d_signal=ecgs.microvolts()[3].T.astype(np.int64),
        fmt=["16"] * 8,
        adc_gain=[1000.0] * 8,
        baseline=[0] * 8,
        comments=["kind: generated", "record: seed7_000003", "seed: 7", "index: 3"],
        write_dir=str(tmp_path),
    )
    for suffix in (".hea", ".dat"):
        name = f"seed7_000003{suffix}"
        assert (out / "000000" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_wfdb_refuses_the_value_that_stands_for_a_missing_sample(tmp_path):
    microvolts = np.zeros((2, 1, 10), np.int16)
    microvolts[1, 0, 3] = -32768
    manifest = new_manifest(["I"], 500, 10, "real", {})
    ecgs = ECGSet.in_memory(microvolts, [{"record": "a"}, {"record": "b"}], manifest)
    with pytest.raises(ValueError, match="record 'b' has a sample of -32768 µV, which WFDB reserves"):
        export_quietly(ecgs, "wfdb", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_parquet_is_read_by_pandas_and_by_pyarrow(ecgs, tmp_path):
    out = export_quietly(ecgs, "parquet", tmp_path / "out")
    assert sorted(path.name for path in (out / "data").iterdir()) == [
        f"train-{i:05d}-of-00005.parquet" for i in range(5)
    ]
    frame = pd.read_parquet(out / "data")
    assert list(frame) == ["record", "seed", "index", "signal"]
    assert np.array_equal(np.stack([np.stack(signal) for signal in frame["signal"]]), ecgs.microvolts())
    table = pq.read_table(out / "data" / "train-00000-of-00005.parquet")
    flat = table["signal"].combine_chunks().flatten().flatten().to_numpy()
    assert np.array_equal(flat.reshape(-1, 8, NUM_SAMPLES), ecgs.microvolts(slice(5)))
    assert flat.dtype == np.int16
    facts = json.loads(table.schema.metadata[b"ecggan"])
    assert facts == {"leads": list(EIGHT_LEADS), "sampling_rate": 500, "unit": "uV", "kind": "generated"}


def load_dataset(folder: Path, monkeypatch, tmp_path):
    for switch in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(switch, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    import datasets

    datasets.disable_progress_bars()
    return datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "hf" / "cache"))


def test_datasets_opens_the_folder_with_one_line(ecgs, tmp_path, monkeypatch):
    out = export_quietly(ecgs, "parquet", tmp_path / "out")
    loaded = load_dataset(out, monkeypatch, tmp_path)
    assert list(loaded) == ["train"]
    assert loaded["train"]["record"][:] == list(ecgs.records["record"])
    assert loaded["train"].features["signal"].length == 8
    assert loaded["train"].features["signal"].feature.length == NUM_SAMPLES
    assert loaded["train"].features["signal"].feature.feature.dtype == "int16"
    assert np.array_equal(loaded["train"].with_format("numpy")[:]["signal"], ecgs.microvolts())


def test_datasets_finds_the_splits_of_a_set_that_has_them(tmp_path, monkeypatch):
    ecgs = make_set(tmp_path / "set", kind="real", splits=True)
    loaded = load_dataset(export_quietly(ecgs, "parquet", tmp_path / "out"), monkeypatch, tmp_path)
    assert set(loaded) == {"train", "test"}
    for split in ("train", "test"):
        view = ecgs.where_split(split)
        assert loaded[split]["record"][:] == list(view.records["record"])
        assert np.array_equal(loaded[split].with_format("numpy")[:]["signal"], view.microvolts())


def test_a_column_that_is_empty_in_a_shard_keeps_its_type(tmp_path):
    rows = [{"record": str(i), "note": None if i < 5 else "paced", "age": None if i < 5 else 50} for i in range(10)]
    ecgs = ECGSet.in_memory(np.zeros((10, 1, 4), np.int16), rows, new_manifest(["I"], 500, 4, "real", {}))
    out = export_quietly(ecgs, "parquet", tmp_path / "out")
    first, second = (pq.read_schema(path) for path in sorted((out / "data").iterdir()))
    assert first == second
    assert pd.read_parquet(out / "data")["note"].tolist() == [None] * 5 + ["paced"] * 5


def test_a_column_named_signal_is_refused(tmp_path):
    ecgs = ECGSet.in_memory(
        np.zeros((1, 1, 4), np.int16), [{"record": "a", "signal": 1}], new_manifest(["I"], 500, 4, "real", {})
    )
    with pytest.raises(ValueError, match="the record table has a column 'signal'"):
        export_quietly(ecgs, "parquet", tmp_path / "out")


def front_matter(card: str) -> dict:
    return yaml.safe_load(card.split("---\n")[1])


def test_card_says_how_the_set_was_made_and_whose_terms_hold(ecgs, tmp_path):
    card = (export_quietly(ecgs, "parquet", tmp_path / "out") / "README.md").read_text()
    head = front_matter(card)
    assert head["license"] == "other"
    assert head["license_name"] == "to-be-chosen-by-who-publishes"
    assert head["size_categories"] == ["n<1K"]
    assert "synthetic" in head["tags"]
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "data/train-*.parquet"}]
    assert "# 23 generated ECGs of 8 leads" in card
    assert '| checkpoint | `"published"` |' in card
    assert "| flat | 1 |" in card
    assert "10.1038/s41598-021-01295-2" in card
    assert "/home/someone" not in card


@pytest.mark.parametrize(
    ("kind", "license", "expected"),
    [
        ("generated", "cc-by-4.0", {"license": "cc-by-4.0"}),
        ("real", None, {"license": "other", "license_name": "that-of-the-source"}),
    ],
)
def test_card_states_the_licence_given_or_the_sources(tmp_path, kind, license, expected):
    ecgs = make_set(tmp_path / "set", kind=kind)
    card = (export_quietly(ecgs, "parquet", tmp_path / "out", license=license) / "README.md").read_text()
    head = front_matter(card)
    assert {key: head[key] for key in head if key.startswith("license")} == expected
    assert ("synthetic" in head["tags"]) == ("@article{thambawita2021deepfake" in card) == (kind == "generated")
    assert "@software{ecggan" in card


def test_npz_holds_the_set_without_pickles(ecgs, tmp_path):
    out = export_quietly(ecgs, "npz", tmp_path / "out")
    with np.load(out / "ecgs.npz", allow_pickle=False) as loaded:
        assert np.array_equal(loaded["signals"], ecgs.microvolts())
        assert loaded["signals"].dtype == np.int16
        assert tuple(loaded["leads"]) == EIGHT_LEADS
        assert (loaded["sampling_rate"], loaded["unit"]) == (500, "uV")
        assert list(loaded["record"]) == list(ecgs.records["record"])
    with zipfile.ZipFile(out / "ecgs.npz") as archive:
        assert archive.testzip() is None
