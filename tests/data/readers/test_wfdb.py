import os
import re

import numpy as np
import pytest
import wfdb

from ecggan.data.readers.wfdb import read_wfdb
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS


@pytest.fixture
def header(tmp_path, write_wfdb, known_ecg):
    return write_wfdb(tmp_path / "root", "a", known_ecg(num_samples=500)[0])


def change(header, old, new, count=0):
    changed = re.sub(old, new, header.read_text(), count=count, flags=re.MULTILINE)
    assert changed != header.read_text()
    header.write_text(changed)


def test_every_real_record_is_as_wfdb_reads_it_and_obeys_einthoven(shared_data):
    headers = [*shared_data.glob("ptbxl/records500/00000/*.hea"), *shared_data.glob("challenge2021/*.hea")]
    assert len(headers) > 100
    for header in headers:
        record = read_wfdb(header)
        assert (record.leads, record.sampling_rate) == (TWELVE_LEADS, 500)
        expected = wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T
        np.testing.assert_allclose(record.millivolts, expected, rtol=1e-9, atol=1e-12)
        i, ii, iii = record.millivolts[:3]
        assert np.nanmax(np.abs(iii - (ii - i))) < 0.0021


def test_ludb_is_consistent_in_microvolts(shared_data):
    for header in shared_data.glob("ludb/data/*.hea"):
        i, ii, iii = read_wfdb(header, millivolts_per_step=1e-3).millivolts[:3]
        assert np.abs(iii - (ii - i)).max() < 1e-9


@pytest.mark.parametrize("name", ["E00271", "E01137", "E03823"])
def test_header_that_names_its_record_with_a_suffix_is_read(shared_data, name):
    record = read_wfdb(shared_data / "challenge2021_odd_headers" / f"{name}.hea")
    assert (record.leads, record.sampling_rate, record.millivolts.shape) == (TWELVE_LEADS, 500, (12, 5000))
    lines = (shared_data / "challenge2021_odd_headers" / f"{name}.hea").read_text().splitlines()
    first_values = [int(line.split()[5]) / 1000 for line in lines[1:13]]
    np.testing.assert_allclose(record.millivolts[:, 0], first_values)
    i, ii, iii = record.millivolts[:3]
    assert np.abs(iii - (ii - i)).max() < 0.0011


def test_one_changed_bit_of_a_signal_is_found(header):
    signals = bytearray(header.with_suffix(".dat").read_bytes())
    signals[16 * 100 + 2] ^= 1  # the second lead
    header.with_suffix(".dat").write_bytes(signals)
    with pytest.raises(ValueError, match=r"a.hea: the checksum of lead II is \d+, the header states \d+"):
        read_wfdb(header)


def test_header_without_checksums_is_read(header):
    text = "\n".join(["a 8 500 500", *["a.dat 16 1000/mV 16 0"] * 8])
    header.write_text(text + "\n")
    assert read_wfdb(header).millivolts.shape == (8, 500)


@pytest.mark.parametrize(
    "name", ["../outside.dat", "/etc/passwd", "..", "sub/a.dat", "http://127.0.0.1/a", "file::a.dat", "*.dat", "~"]
)
def test_signal_file_elsewhere_is_never_opened(header, name):
    (header.parent.parent / "outside.dat").write_bytes(header.with_suffix(".dat").read_bytes())
    change(header, r"^a\.dat", name)
    with pytest.raises(ValueError, match=r"a.hea names the signal file .*; it must lie beside the header"):
        read_wfdb(header)


def test_link_out_of_the_root_is_refused_and_one_within_is_followed(header, tmp_path):
    signals = header.with_suffix(".dat")
    (header.parent / "store").mkdir()
    signals.rename(header.parent / "store" / "x")
    signals.symlink_to(header.parent / "store" / "x")
    assert read_wfdb(header, root=header.parent).leads == EIGHT_LEADS
    (header.parent / "store" / "x").rename(tmp_path / "elsewhere")
    signals.unlink()
    signals.symlink_to(tmp_path / "elsewhere")
    assert read_wfdb(header).leads == EIGHT_LEADS
    with pytest.raises(ValueError, match=r"a.dat, a link that leads out of .*root"):
        read_wfdb(header, root=header.parent)


@pytest.mark.parametrize("count", ["501", "5000000000", "1" + "0" * 14])
def test_more_samples_than_the_file_holds_take_no_memory(header, count):
    change(header, r"^a 8 500 500", f"a 8 500 {count}")
    with pytest.raises(ValueError, match=r"a.hea or its signal file is damaged|a.hea: "):
        read_wfdb(header)


@pytest.mark.parametrize("first", ["a 8 500 " + "9" * 5000, "a " + "9" * 5000, "a", "a -1 500 500", "a x 500 500"])
def test_record_line_that_is_none_is_refused(header, first):
    change(header, r"^a 8 500 500", first)
    with pytest.raises(ValueError, match=r"a.hea or its signal file is damaged \(it"):
        read_wfdb(header)


def test_gigabyte_header_is_refused_unread(header):
    os.truncate(header, 2**30)
    with pytest.raises(ValueError, match=r"a.hea has 1,073,741,824 bytes; a WFDB header has at most 1,048,576"):
        read_wfdb(header)


@pytest.mark.parametrize("record", ["a/3", "../a", "/etc/a"])
def test_record_of_segments_or_of_another_folder_is_refused(header, record):
    change(header, r"^a 8", f"{record} 8")
    with pytest.raises(ValueError, match=r"a.hea joins several segments or names another folder"):
        read_wfdb(header)


def test_folder_whose_name_looks_like_an_address_is_only_a_folder(tmp_path, write_wfdb, known_ecg):
    header = write_wfdb(tmp_path / "root", "a", known_ecg(num_samples=500)[0])
    odd = tmp_path / "simplecache::http:"
    odd.mkdir()
    for suffix in (".hea", ".dat"):
        header.with_suffix(suffix).rename(odd / f"a{suffix}")
    assert read_wfdb(odd / "a.hea").leads == EIGHT_LEADS
