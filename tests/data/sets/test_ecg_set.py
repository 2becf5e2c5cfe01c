import json

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet, create_ecg_set
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads


class Interrupted(BaseException):
    """Like Ctrl-C: no Exception."""


@pytest.fixture
def written(tmp_path):
    """A set of six records, two a split, whose samples are all different."""
    microvolts = np.arange(6 * 8 * 50, dtype=np.int16).reshape(6, 8, 50)
    splits = ["train", "validation", "test"] * 2
    rows = [{"record": f"r{i}", "split": split, "age": 40.0 + i} for i, split in enumerate(splits)]
    with create_ecg_set(tmp_path / "set", EIGHT_LEADS, 500, 50, "real", {"how": "by hand"}) as writer:
        for i in (0, 2, 4):
            writer.append(microvolts[i : i + 2], rows[i : i + 2])
        writer.account = {"read": 7, "kept": 6, "left_out": {}}
    return ECGSet.open(tmp_path / "set"), microvolts, rows


def test_what_is_written_is_read(written):
    ecgs, microvolts, rows = written
    assert np.array_equal(ecgs.microvolts(), microvolts)
    assert ecgs.records.to_dict("records") == rows
    assert (ecgs.leads, ecgs.sampling_rate, ecgs.num_samples, ecgs.kind) == (EIGHT_LEADS, 500, 50, "real")
    assert ecgs.manifest["made_by"] == {"how": "by hand"}
    assert ecgs.manifest["account"]["read"] == 7


def test_signals_are_a_plain_npy_file_that_is_mapped(written):
    ecgs, microvolts, _ = written
    assert isinstance(ecgs.signals, np.memmap)
    assert np.array_equal(np.load(ecgs.path / "signals.npy"), microvolts)


def test_millivolts_are_thousandths_of_what_is_stored_and_derive_leads(written):
    ecgs, microvolts, _ = written
    np.testing.assert_allclose(ecgs.millivolts(), microvolts / 1000, rtol=1e-6)
    twelve = ecgs.millivolts([3], leads=TWELVE_LEADS)
    np.testing.assert_allclose(twelve, select_leads(microvolts[[3]] / 1000, EIGHT_LEADS, TWELVE_LEADS), rtol=1e-5)


def test_split_is_a_view_of_its_records(written):
    ecgs, microvolts, _ = written
    test = ecgs.where_split("test")
    assert list(test.records["record"]) == ["r2", "r5"]
    assert np.array_equal(test.microvolts(), microvolts[[2, 5]])
    assert np.shares_memory(test.signals, ecgs.signals)
    assert np.array_equal(test.subset([1]).microvolts(), microvolts[[5]])


def test_unknown_split_names_those_there_are(written):
    with pytest.raises(ValueError, match=r"no record of split 'tset'; the set has \{'train': 2"):
        written[0].where_split("tset")
    without = ECGSet.from_arrays(np.zeros((1, 1, 5)), ["I"], 500)
    with pytest.raises(ValueError, match="knows no splits"):
        without.where_split("test")


def test_saved_view_is_a_set_of_its_own(written, tmp_path):
    ecgs, microvolts, _ = written
    saved = ecgs.where_split("train").save(tmp_path / "train")
    assert np.array_equal(ECGSet.open(tmp_path / "train").microvolts(), microvolts[[0, 3]])
    assert saved.manifest["made_by"] == {"how": "by hand"}


def test_same_records_make_the_same_bytes(written, tmp_path):
    written[0].save(tmp_path / "again")
    for name in ("signals.npy", "records.parquet", "manifest.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "set" / name).read_bytes()


def test_set_in_memory_behaves_like_one_on_disk(tmp_path, known_ecg):
    in_memory = ECGSet.from_arrays(known_ecg(3), EIGHT_LEADS, 500, kind="generated")
    on_disk = in_memory.save(tmp_path / "set")
    assert in_memory.path is None
    assert np.array_equal(on_disk.microvolts(), in_memory.microvolts())
    assert on_disk.kind == "generated"
    assert list(on_disk.records["record"]) == ["0", "1", "2"]


def test_empty_set_can_be_written_and_read(tmp_path):
    with create_ecg_set(tmp_path / "set", EIGHT_LEADS, 500, 50, "real", {}):
        pass
    assert ECGSet.open(tmp_path / "set").microvolts().shape == (0, 8, 50)


def test_array_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"signals must be \(record, lead, time\) with 2 leads"):
        ECGSet.from_arrays(np.zeros((3, 50, 2)), ["I", "II"], 500)


def test_interrupted_writing_leaves_nothing(tmp_path):
    def write():
        with create_ecg_set(tmp_path / "set", ["I"], 500, 5, "real", {}) as writer:
            writer.append(np.zeros((1, 1, 5), np.int16), [{"record": "a"}])
            raise Interrupted("by hand")

    with pytest.raises(Interrupted, match="by hand"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_not_overwritten(written, tmp_path):
    before = (tmp_path / "set" / "signals.npy").read_bytes()
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        written[0].save(tmp_path / "set")
    assert (tmp_path / "set" / "signals.npy").read_bytes() == before


def test_name_that_appears_twice_is_refused_and_nothing_written(tmp_path):
    def write():
        with create_ecg_set(tmp_path / "set", ["I"], 500, 5, "real", {}) as writer:
            writer.append(np.zeros((2, 1, 5), np.int16), [{"record": "a"}, {"record": "a"}])

    with pytest.raises(ValueError, match="the record name 'a' appears twice"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["signals.npy", "records.parquet", "manifest.json"])
def test_missing_file_is_named(written, name):
    path = written[0].path
    (path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"is not an ECG set: {name} is missing"):
        ECGSet.open(path)


def test_flipped_byte_is_found_by_its_hash(written):
    path = written[0].path
    content = bytearray((path / "signals.npy").read_bytes())
    content[-1] ^= 1
    (path / "signals.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"signals.npy was changed after the set was written"):
        ECGSet.open(path)


@pytest.mark.parametrize("kept", [0, 60, -1])
def test_truncated_signals_are_refused_even_without_hashes(written, kept):
    path = written[0].path
    (path / "signals.npy").write_bytes((path / "signals.npy").read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"signals.npy cannot be mapped"):
        ECGSet.open(path, check_hashes=False)


def test_rows_must_be_as_many_as_the_manifest_says(written):
    path = written[0].path
    pd.read_parquet(path / "records.parquet").iloc[:-1].to_parquet(path / "records.parquet")
    with pytest.raises(ValueError, match=r"records.parquet must have 6 rows and a column 'record'; it has 5 rows"):
        ECGSet.open(path, check_hashes=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_records": 5}, r"signals.npy must be int16 \(5, 8, 50\), as the manifest says"),
        ({"leads": ["I"]}, r"must be int16 \(6, 1, 50\)"),
        ({"leads": ["I", "V7"]}, "it states the lead 'V7'; known are"),
        ({"unit": "mV"}, "states the unit 'mV'; an ECG set is stored in 'uV'"),
        ({"format_version": 99}, "has format version 99; this ecggan reads version 1"),
        ({"sampling_rate": -500}, "must be a whole number above 0"),
        ({"num_samples": "50"}, "must be a whole number above 0"),
    ],
)
def test_manifest_that_contradicts_the_set_is_refused(written, change, message):
    path = written[0].path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=message):
        ECGSet.open(written[0].path, check_hashes=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "is not valid JSON"), ("[]", "not the manifest"), ("{}", "'format_version' is missing")],
)
def test_manifest_that_is_none_is_refused(written, content, message):
    (written[0].path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        ECGSet.open(written[0].path)
