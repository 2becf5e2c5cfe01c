import os
import random

import numpy as np
import pytest
import wfdb

from ecggan.data.readers.registry import read_record
from ecggan.data.readers.text import read_text
from ecggan.data.readers.wfdb import read_wfdb, read_wfdb_annotation
from ecggan.data.record import Layout, Record
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads, to_microvolts

TEXT = Layout(EIGHT_LEADS, 500, "uV")


def test_wfdb_record_comes_back_to_the_microvolt(tmp_path, write_wfdb, known_ecg):
    ecg = known_ecg()[0]
    record = read_wfdb(write_wfdb(tmp_path, "a", ecg))
    assert (record.leads, record.sampling_rate) == (EIGHT_LEADS, 500)
    assert np.array_equal(to_microvolts(record.millivolts), np.rint(ecg * 1000))


def test_wfdb_is_read_with_and_without_its_suffix(tmp_path, write_wfdb, known_ecg):
    header = write_wfdb(tmp_path, "a_b", known_ecg()[0])
    assert np.array_equal(read_wfdb(header).millivolts, read_wfdb(header.with_suffix("")).millivolts)


@pytest.mark.parametrize(("unit", "gain"), [("mV", 1000), ("uV", 1), ("UV", 1), ("V", 1e6)])
def test_unit_of_a_wfdb_header_is_turned_into_millivolts(tmp_path, write_wfdb, known_ecg, unit, gain):
    record = read_wfdb(write_wfdb(tmp_path, "a", known_ecg()[0], unit="mV"))
    header = write_wfdb(tmp_path, "b", known_ecg()[0], unit="mV", gain=float(gain))
    header.write_text(header.read_text().replace("/mV", f"/{unit}"))
    np.testing.assert_allclose(read_wfdb(header).millivolts, record.millivolts, rtol=1e-9)


def test_unit_that_is_no_voltage_is_refused(tmp_path, write_wfdb, known_ecg):
    header = write_wfdb(tmp_path, "a", known_ecg()[0])
    header.write_text(header.read_text().replace("/mV", "/mmHg"))
    with pytest.raises(ValueError, match=r"a.hea: the unit 'mmHg' is not known; known are mV, uV \(µV\) and V"):
        read_wfdb(header)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_micro_sign_that_wfdb_would_drop_is_read(tmp_path, write_wfdb, known_ecg, encoding):
    header = write_wfdb(tmp_path, "a", known_ecg()[0])
    header.write_text(header.read_text().replace("1000.0(0)/mV", "1/µV"), encoding=encoding)
    np.testing.assert_allclose(read_wfdb(header).millivolts * 1000, np.rint(known_ecg()[0] * 1000), atol=1e-9)


def test_invalid_samples_are_nan(tmp_path, write_wfdb, known_ecg):
    ecg = known_ecg()[0]
    ecg[2, 7] = np.nan
    assert np.argwhere(np.isnan(read_wfdb(write_wfdb(tmp_path, "a", ecg)).millivolts)).tolist() == [[2, 7]]


def test_leads_get_their_own_names_and_unknown_ones_keep_theirs(tmp_path, write_wfdb):
    header = write_wfdb(tmp_path, "a", np.zeros((3, 50)), leads=("AVR", "v1", "PLETH"))
    assert read_wfdb(header).leads == ("aVR", "V1", "PLETH")


def test_one_name_for_two_leads_is_refused(tmp_path, write_wfdb):
    header = write_wfdb(tmp_path, "a", np.zeros((2, 50)), leads=("V1", "V2"))
    header.write_text(header.read_text().replace("V2", "v1"))
    with pytest.raises(ValueError, match=r"a.hea: two leads have one name \(V1\)"):
        read_wfdb(header)


def test_missing_header_and_missing_signals_are_named(tmp_path, write_wfdb, known_ecg):
    with pytest.raises(FileNotFoundError, match=r"a.hea is missing"):
        read_wfdb(tmp_path / "a")
    header = write_wfdb(tmp_path, "a", known_ecg()[0])
    (tmp_path / "a.dat").unlink()
    with pytest.raises(FileNotFoundError, match=r"a.hea names the signal file .*a.dat, which is missing"):
        read_wfdb(header)


def test_signals_of_several_rates_are_refused(tmp_path):
    signals = [np.arange(100), np.arange(200)]
    wfdb.wrsamp(
        "a", 250, ["mV"] * 2, ["I", "II"], e_d_signal=signals, fmt=["16"] * 2, adc_gain=[1000.0] * 2,
        baseline=[0] * 2, samps_per_frame=[1, 2], write_dir=str(tmp_path),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"a.hea: its leads have different sampling rates: \[250, 500\] Hz"):
        read_wfdb(tmp_path / "a.hea")


def test_header_without_signals_is_refused(tmp_path):
    (tmp_path / "a.hea").write_text("a 0 500 5000\n")
    with pytest.raises(ValueError, match=r"a.hea"):
        read_wfdb(tmp_path / "a")


def test_damaged_file_is_always_a_clear_error(tmp_path, write_wfdb, known_ecg):
    """Cut and scrambled headers and signals: either a record comes back, or an error that names the file."""
    rng = random.Random(0)
    header = write_wfdb(tmp_path, "a", known_ecg(num_samples=500)[0])
    whole, signals = header.read_bytes(), (tmp_path / "a.dat").read_bytes()
    refused = 0
    for i in range(150):
        damaged = bytearray(whole)
        if i % 3 == 0:
            damaged = damaged[: rng.randrange(len(whole))]
        for _ in range(3 if i % 3 == 1 and damaged else 0):
            damaged[rng.randrange(len(damaged))] = rng.choice(b"0123456789 ./()+-\n#:\xff")
        cut = rng.randrange(len(signals)) if i % 3 == 2 else len(signals)
        header.write_bytes(damaged)
        (tmp_path / "a.dat").write_bytes(signals[:cut])
        try:
            assert isinstance(read_wfdb(header), Record)
        except (ValueError, FileNotFoundError) as error:
            assert "a.hea" in str(error)  # noqa: PT017  a record is right as well
            refused += 1
    assert refused > 100


def test_deepfake_text_is_microvolts_of_eight_leads(shared_data):
    path = shared_data / "deepfake_asc" / "101.asc"
    record = read_record(path, TEXT)
    assert (record.leads, record.millivolts.shape) == (EIGHT_LEADS, (8, 5000))
    first_line = [int(value) for value in path.read_text().splitlines()[0].split()]
    assert to_microvolts(record.millivolts)[:, 0].tolist() == first_line


@pytest.mark.parametrize("separator", [" ", "\t", "   ", ",", ", ", ";"])
def test_text_is_read_whatever_separates_its_columns(tmp_path, separator):
    rows = np.arange(40).reshape(5, 8) - 20
    path = tmp_path / "a.asc"
    path.write_text("\n".join(separator.join(map(str, row)) for row in rows))
    np.testing.assert_allclose(read_record(path, TEXT).millivolts, rows.T / 1000)


def test_header_row_goes_before_the_layout(tmp_path):
    (tmp_path / "a.csv").write_text('\ufefftime,"v1",AVF\n0,1.5,2\n1,,3\n', encoding="utf-8")
    record = read_record(tmp_path / "a.csv", Layout(("I",), 250, "mV"))
    assert (record.leads, record.sampling_rate) == (("time", "V1", "aVF"), 250)
    np.testing.assert_array_equal(record.millivolts, [[0, 1], [1.5, np.nan], [2, 3]])


def test_wfdb_and_text_of_one_ecg_are_the_same_record(tmp_path, write_wfdb, known_ecg):
    ecg = known_ecg()[0]
    np.savetxt(tmp_path / "a.asc", np.rint(ecg.T * 1000), fmt="%d")
    from_text = read_record(tmp_path / "a.asc", TEXT)
    from_wfdb = read_record(write_wfdb(tmp_path, "a", ecg), TEXT)
    assert np.array_equal(to_microvolts(from_text.millivolts), to_microvolts(from_wfdb.millivolts))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "No columns to parse"),
        ("1 2 3\n4 5 6\n", "3 columns, but 8 leads are expected: I, II, V1"),
        ("1 2 3 4 5 6 7 7\n1 2 3 4 5 6 7 8 9\n", "Expected 8 fields in line 2, saw 9"),
        ("1 2 3 4 5 6 7 8\n1 2 3 4 5 6 7 x\n", "could not convert string to float: 'x'"),
        ("I,II\n1,2,3\n", "3 columns, but 2 leads are expected: I, II"),
        ("I,i\n1,2\n", r"two leads have one name \(I\)"),
    ],
)
def test_text_that_is_no_table_of_leads_is_refused(tmp_path, content, message):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(ValueError, match=f"a.csv is not a table of numbers, one column a lead: .*{message}"):
        read_record(tmp_path / "a.csv", TEXT)


def test_binary_file_named_as_text_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(ValueError, match=r"a.csv is not a table of numbers"):
        read_record(tmp_path / "a.csv", TEXT)


@pytest.mark.parametrize(
    ("layout", "unknown"),
    [
        (Layout(), "leads and sampling rate and unit"),
        (Layout(EIGHT_LEADS, 500), "unit"),
        (Layout(unit="mV", leads=EIGHT_LEADS), "sampling rate"),
    ],
)
def test_what_a_text_file_does_not_say_is_not_guessed(tmp_path, layout, unknown):
    (tmp_path / "a.csv").write_text("1,2,3,4,5,6,7,8\n")
    message = f"its {unknown} are not known: state it in data.layout, or beside it in a.json or ecg.json"
    with pytest.raises(ValueError, match=message):
        read_record(tmp_path / "a.csv", layout)


def test_larger_text_than_any_ecg_is_refused_unread(tmp_path):
    (tmp_path / "a.csv").touch()
    os.truncate(tmp_path / "a.csv", 2**30)
    with pytest.raises(ValueError, match=r"a.csv has 1,073,741,824 bytes; a text file may have 268,435,456"):
        read_record(tmp_path / "a.csv", TEXT)


def test_missing_text_unknown_suffix_and_unknown_unit_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a.csv is missing"):
        read_text(tmp_path / "a.csv", TEXT)
    with pytest.raises(
        ValueError, match=r"files ending in '.mp3' are not known; known are .hea, .xml, .dcm, .scp, .edf, .asc"
    ):
        read_record(tmp_path / "a.mp3", TEXT)
    with pytest.raises(ValueError, match="the unit 'LSB' is not known"):
        Layout(EIGHT_LEADS, 500, "LSB")


def test_matlab_record_of_the_challenge_is_read(shared_data):
    record = read_wfdb(shared_data / "challenge2021" / "E07500.hea")
    assert record.leads == TWELVE_LEADS
    i, ii, iii = select_leads(record.millivolts, record.leads, ("I", "II", "III"))
    assert np.abs(iii - (ii - i)).max() < 0.02


def test_damaged_annotation_is_a_clear_error(tmp_path, write_wfdb):
    header = write_wfdb(tmp_path, "a", np.zeros((1, 50)), leads=("I",))
    with pytest.raises(FileNotFoundError, match=r"a\.v1 is missing"):
        read_wfdb_annotation(header, "v1")
    (tmp_path / "a.v1").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"a\.v1 is damaged"):
        read_wfdb_annotation(header, "v1")
