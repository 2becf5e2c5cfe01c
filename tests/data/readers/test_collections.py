"""Files of many records: NPY, NPZ, Parquet, HDF5, and zipped text."""

import json
import zipfile

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecggan.data.readers.registry import read_record, record_names
from ecggan.data.record import Layout
from ecggan.ecg import EIGHT_LEADS

LAYOUT = Layout(EIGHT_LEADS, 500, "uV")
NUM_RECORDS = 5
UNKNOWN = Layout()


@pytest.fixture
def microvolts():
    return np.random.default_rng(0).integers(-2000, 2000, (NUM_RECORDS, 8, 40)).astype(np.int16)


def write_npy(path, microvolts):
    np.save(path, microvolts)


def write_npz(path, microvolts):
    np.savez(path, microvolts)


def write_npz_compressed(path, microvolts):
    np.savez_compressed(path, ecgs=microvolts, age=np.arange(5))


def write_hdf5(path, microvolts):
    with h5py.File(path, "w") as file:
        file.create_dataset("exams/tracings", data=microvolts, chunks=(1, *microvolts.shape[1:]), compression="gzip")
        file["exams/exam_id"] = np.arange(5)


def write_parquet(path, microvolts):
    pq.write_table(pa.table({"age": range(5), "ecg": [record.tolist() for record in microvolts]}), path)


def write_parquet_of_lead_columns(path, microvolts):
    columns = {lead: list(microvolts[:, i]) for i, lead in enumerate(EIGHT_LEADS)}
    pq.write_table(pa.table(columns), path, row_group_size=2)


def write_zip(path, microvolts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", "not an ECG")
        archive.writestr("__MACOSX/._1.asc", "\0\0")
        for i, record in enumerate(microvolts):
            archive.writestr(f"set/{i}.asc", "\n".join(" ".join(map(str, row)) for row in record.T))


WRITERS = {
    "npy": write_npy,
    "npz": write_npz,
    "compressed.npz": write_npz_compressed,
    "hdf5": write_hdf5,
    "parquet": write_parquet,
    "columns.parquet": write_parquet_of_lead_columns,
    "zip": write_zip,
}


@pytest.fixture(params=WRITERS)
def file(request, tmp_path, microvolts):
    path = tmp_path / f"ecgs.{request.param}"
    WRITERS[request.param](path, microvolts)
    return path


def test_every_record_is_read_by_its_position_in_any_order(file, microvolts):
    assert len(record_names(file, LAYOUT)) == NUM_RECORDS
    for position in (3, 0, 4, 4, 1, 2):
        record = read_record(file, LAYOUT, position=position)
        assert (record.leads, record.sampling_rate) == (EIGHT_LEADS, 500)
        assert np.array_equal(record.millivolts, microvolts[position] * 1e-3)


def test_what_the_file_does_not_say_is_not_guessed(file, microvolts):
    unknown = "sampling rate and unit" if "columns" in file.name else "leads and sampling rate and unit"
    with pytest.raises(ValueError, match=f"its {unknown} are not known.*json"):
        read_record(file, UNKNOWN, position=0)


def test_sidecar_says_what_the_file_does_not(file, microvolts):
    said = {"leads": EIGHT_LEADS, "sampling_rate": 400, "unit": "mV"}
    file.with_suffix(".json").write_text(json.dumps(said))
    record = read_record(file, UNKNOWN, position=1)
    assert record.sampling_rate == 400
    assert np.array_equal(record.millivolts, microvolts[1])


def test_truncated_file_is_a_clear_error(file):
    content = file.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 9):
        file.write_bytes(content[:length])
        with pytest.raises(ValueError, match=f"{file.name}.*cannot be read"):
            [read_record(file, LAYOUT, position=position) for position in range(NUM_RECORDS)]


def test_file_that_is_something_else_is_a_clear_error(file):
    file.write_bytes(b"I, II\n0, 1\n")
    with pytest.raises(ValueError, match=f"{file.name} cannot be read"):
        read_record(file, LAYOUT, position=0)


@pytest.mark.parametrize("suffix", ["npy", "npz", "hdf5", "parquet"])
def test_time_may_go_before_the_leads_and_one_array_may_be_one_record(tmp_path, microvolts, suffix):
    path = tmp_path / f"ecgs.{suffix}"
    WRITERS[suffix](path, microvolts.swapaxes(1, 2))
    assert np.array_equal(read_record(path, LAYOUT, position=2).millivolts, microvolts[2] * 1e-3)
    if suffix in ("npy", "npz"):
        np.save(path.with_suffix(".npy"), np.asfortranarray(microvolts[3]))
        np.savez(path.with_suffix(".npz"), np.asfortranarray(microvolts[3]))
        assert len(record_names(path, LAYOUT)) == 1
        assert np.array_equal(read_record(path, LAYOUT).millivolts, microvolts[3] * 1e-3)


def test_arrays_of_two_axes_are_a_record_each(tmp_path, microvolts):
    np.savez(tmp_path / "a.npz", **{f"patient_{i}": record for i, record in enumerate(microvolts)})
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for i, record in enumerate(microvolts):
            file[f"patient_{i}/ecg"] = record
    assert list(record_names(tmp_path / "a.npz", LAYOUT)) == [f"patient_{i}" for i in range(5)]
    assert list(record_names(tmp_path / "a.h5", LAYOUT)) == [f"patient_{i}/ecg" for i in range(5)]
    for name in ("a.npz", "a.h5"):
        assert np.array_equal(read_record(tmp_path / name, LAYOUT, position=4).millivolts, microvolts[4] * 1e-3)


def test_which_of_several_arrays_is_meant_must_be_said(tmp_path, microvolts):
    np.savez(tmp_path / "a.npz", raw=microvolts, filtered=microvolts // 2)
    with pytest.raises(ValueError, match=r"several arrays \(raw .*filtered .*data.layout.array"):
        read_record(tmp_path / "a.npz", LAYOUT, position=0)
    layout = Layout(EIGHT_LEADS, 500, "uV", array="filtered")
    assert np.array_equal(read_record(tmp_path / "a.npz", layout, position=0).millivolts, microvolts[0] // 2 * 1e-3)
    with pytest.raises(ValueError, match=r"no array 'absent'.*raw \(5, 8, 40\)"):
        read_record(tmp_path / "a.npz", Layout(EIGHT_LEADS, 500, "uV", array="absent"), position=0)


def test_axis_of_the_leads_is_not_guessed(tmp_path):
    np.save(tmp_path / "square.npy", np.zeros((2, 8, 8), np.int16))
    with pytest.raises(ValueError, match="more than one axis has the length of 8 leads"):
        read_record(tmp_path / "square.npy", LAYOUT, position=0)
    np.save(tmp_path / "twelve.npy", np.zeros((2, 12, 40), np.int16))
    with pytest.raises(ValueError, match=r"\(12, 40\) of a record, no axis has the length of 8 leads"):
        read_record(tmp_path / "twelve.npy", LAYOUT, position=0)


def test_hdf5_attributes_say_leads_rate_and_unit(tmp_path, microvolts):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ecg"] = microvolts
        file["ecg"].attrs.update(leads=EIGHT_LEADS, unit="uV")
        file.attrs["sampling_rate"] = 250
    record = read_record(tmp_path / "a.h5", UNKNOWN, position=0)
    assert (record.leads, record.sampling_rate) == (EIGHT_LEADS, 250)
    assert np.array_equal(record.millivolts, microvolts[0] * 1e-3)


def test_hdf5_that_points_to_other_files_is_not_followed(tmp_path, microvolts):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["ecg"] = microvolts
    microvolts.tofile(tmp_path / "secret.raw")
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["ecg"] = h5py.ExternalLink("secret.h5", "ecg")
    layout = h5py.VirtualLayout(microvolts.shape, microvolts.dtype)
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "ecg", microvolts.shape)
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        file.create_virtual_dataset("ecg", layout)
    with h5py.File(tmp_path / "external.h5", "w") as file:
        external = [(str(tmp_path / "secret.raw"), 0, microvolts.nbytes)]
        file.create_dataset("ecg", microvolts.shape, microvolts.dtype, external=external)
    with pytest.raises(ValueError, match="holds no array"):
        read_record(tmp_path / "link.h5", LAYOUT, position=0)
    for name in ("virtual.h5", "external.h5"):
        with pytest.raises(ValueError, match="lies in other files, which are not read"):
            read_record(tmp_path / name, LAYOUT, position=0)


def test_no_memory_is_taken_for_samples_that_are_not_there(tmp_path):
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file.create_dataset("ecg", (10**9, 8, 5000), np.int16, chunks=(1, 8, 5000))
    with pytest.raises(ValueError, match="states 80,000,000,000,000 bytes of samples, but 0 are stored"):
        read_record(tmp_path / "empty.h5", LAYOUT, position=0)
    with h5py.File(tmp_path / "chunk.h5", "w") as file:
        file.create_dataset("ecg", (10**5, 8, 5000), np.int16, chunks=(10**4, 8, 5000), compression="gzip")
    with pytest.raises(ValueError, match="chunks of 800,000,000 bytes"):
        read_record(tmp_path / "chunk.h5", LAYOUT, position=0)
    np.save(tmp_path / "many.npy", np.zeros((1_000_001, 1, 2), np.int16))
    with pytest.raises(ValueError, match="states 1,000,001 records; one file may hold"):
        read_record(tmp_path / "many.npy", Layout(["I"], 500, "uV"), position=0)
    np.lib.format.open_memmap(tmp_path / "long.npy", "w+", np.int16, (8, 2**25)).flush()
    with pytest.raises(ValueError, match="records of 536,870,912 bytes; one may have"):
        read_record(tmp_path / "long.npy", LAYOUT)


def test_objects_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "sprung"), "w")

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object))
    np.savez(tmp_path / "a.npz", np.array([Trap()], dtype=object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(ValueError, match=r"[Oo]bject"):
            read_record(tmp_path / name, LAYOUT, position=0)
    assert not (tmp_path / "sprung").exists()


def test_zipped_text_that_inflates_beyond_an_ecg_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.asc", b"0" * (2**28 + 1))
    with pytest.raises(ValueError, match="grows from 260,917 to 268,435,457 bytes; no text of an ECG does"):
        read_record(tmp_path / "bomb.zip", LAYOUT)
    with zipfile.ZipFile(tmp_path / "large.zip", "w") as archive:
        archive.writestr("a.asc", b"0" * (2**28 + 1))
    with pytest.raises(ValueError, match="has 268,435,457 bytes; a text file may have"):
        read_record(tmp_path / "large.zip", LAYOUT)


def test_table_of_leads_in_parquet_is_one_record_with_its_gaps(tmp_path, microvolts):
    table = pd.DataFrame(microvolts[0].T / 1000, columns=[lead.lower() for lead in EIGHT_LEADS])
    table.loc[3, "i"] = None
    table.to_parquet(tmp_path / "a.parquet", row_group_size=7)
    record = read_record(tmp_path / "a.parquet", Layout(None, 500, "mV"))
    assert record.leads == EIGHT_LEADS
    assert np.isnan(record.millivolts[0, 3])
    assert np.array_equal(record.millivolts[1], microvolts[0][1] / 1000)


def test_parquet_with_lists_of_different_lengths_or_none_is_refused(tmp_path, microvolts):
    ragged = [lead[: 40 - i].tolist() for i, lead in enumerate(microvolts[0])]
    for name, ecg in (("ragged", ragged), ("none", None), ("empty", [])):
        rows = [microvolts[1].tolist(), ecg]
        pq.write_table(pa.table({"ecg": pa.array(rows, pa.list_(pa.list_(pa.int16())))}), tmp_path / f"{name}.parquet")
        with pytest.raises(ValueError, match="lists"):
            read_record(tmp_path / f"{name}.parquet", LAYOUT, position=1)


def test_parquet_without_signals_names_its_columns(tmp_path):
    pd.DataFrame({"age": [1], "name": ["x"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"holds no signals.*age.*name"):
        read_record(tmp_path / "a.parquet", LAYOUT)


def test_changed_file_is_opened_anew(tmp_path, microvolts):
    path = tmp_path / "a.npz"
    np.savez(path, microvolts)
    read_record(path, LAYOUT, position=0)
    np.savez(path, microvolts[:2] + 1, np.zeros(3))
    assert np.array_equal(read_record(path, LAYOUT, position=0).millivolts, (microvolts[0] + 1) * 1e-3)
    assert len(record_names(path, LAYOUT)) == 2
