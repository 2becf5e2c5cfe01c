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


def packed(samples, fmt):
    """Interleaved samples as the specification of WFDB stores them, written anew for this test."""
    whole = {"16": "<i2", "61": ">i2", "32": "<i4"}
    if fmt in whole:
        return samples.astype(whole[fmt]).tobytes()
    if fmt in ("80", "160"):
        return (samples + (128 if fmt == "80" else 32768)).astype("u1" if fmt == "80" else "<u2").tobytes()
    if fmt == "24":
        return b"".join(int(sample).to_bytes(3, "little", signed=True) for sample in samples)
    bits, each = (12, 2) if fmt == "212" else (10, 3)
    unsigned = [int(sample) % 2**bits for sample in samples]
    blocks = []
    for i in range(0, len(unsigned), each):
        a, b, c = (*unsigned[i : i + each], 0, 0)[:3]
        if fmt == "212":
            blocks.append(bytes([a & 255, a >> 8 | b >> 8 << 4, b & 255]))
        elif fmt == "310":
            low, high = a << 1 | (c & 31) << 11, b << 1 | c >> 5 << 11
            blocks.append(low.to_bytes(2, "little") + high.to_bytes(2, "little"))
        else:
            blocks.append((a | b << 10 | c << 20).to_bytes(4, "little"))
    return b"".join(blocks)


BITS = {"8": 7, "16": 15, "24": 23, "32": 31, "61": 15, "80": 7, "160": 15, "212": 11, "310": 9, "311": 9}


@pytest.mark.parametrize("fmt", BITS)
@pytest.mark.parametrize(("num_leads", "offset", "num_samples"), [(2, 0, 301), (3, 24, 300), (8, 0, 50), (1, 0, 301)])
def test_every_format_is_read_as_wfdb_reads_it(tmp_path, fmt, num_leads, offset, num_samples):
    top = 2 ** BITS[fmt] - 1
    steps = np.random.default_rng(0).integers(-min(top, 10**6), min(top, 10**6) + 1, (num_leads, num_samples))
    if fmt == "8":
        steps = np.cumsum(np.clip(steps, -90, 90), axis=1)
        first, stored = steps[:, 0] - 5, np.diff(steps, axis=1, prepend=steps[:, :1] - 5)
        content = stored.T.reshape(-1).astype("i1").tobytes()
    else:
        first, content = steps[:, 0], packed(steps.T.reshape(-1), fmt)
    lines = [
        f"a.dat {fmt}{f'+{offset}' if offset else ''} 100(7)/mV 16 0 {before} {lead.sum() % 65536} 0 {name}"
        for before, lead, name in zip(first, steps, TWELVE_LEADS, strict=False)
    ]
    (tmp_path / "a.dat").write_bytes(bytes(offset) + content)
    (tmp_path / "a.hea").write_text("\n".join([f"a {num_leads} 500 {num_samples}", *lines, ""]))
    record = read_wfdb(tmp_path / "a.hea")
    np.testing.assert_array_equal(record.millivolts, (steps - 7) / 100)
    np.testing.assert_array_equal(record.millivolts, wfdb.rdrecord(str(tmp_path / "a")).p_signal.T)
    (tmp_path / "a.dat").write_bytes(bytes(offset) + content[:-8])
    with pytest.raises(ValueError, match=r"a.hea or its signal file is damaged \(it states [\d,]+ samples"):
        read_wfdb(tmp_path / "a.hea")


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_compressed_formats_are_read_whatever_the_name(tmp_path, known_ecg, fmt):
    steps = np.rint(known_ecg(num_samples=500)[0] * (40 if fmt == "508" else 1000)).astype(int)
    wfdb.wrsamp(
        "a", 500, ["mV"] * 8, list(EIGHT_LEADS), d_signal=steps.T, fmt=[fmt] * 8, adc_gain=[1000.0] * 8,
        baseline=[0] * 8, write_dir=str(tmp_path),
    )  # fmt: skip
    assert np.array_equal(read_wfdb(tmp_path / "a").millivolts, steps / 1000)
    header = (tmp_path / "a.hea").read_text().replace("a.dat", "Ö#1.dat").replace("a 8", "Ö#1.dat 8")
    (tmp_path / "a.dat").rename(tmp_path / "Ö#1.dat")
    (tmp_path / "a.hea").write_text(header, encoding="utf-8")
    assert np.array_equal(read_wfdb(tmp_path / "a").millivolts, steps / 1000)
    (tmp_path / "a.hea").write_text(header.replace("500 500", f"500 {10**14}"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"a.hea or its signal file is damaged \(it states 100000000000000 samples"):
        read_wfdb(tmp_path / "a")


@pytest.mark.parametrize("fmt", ["16", "61", "24", "212", "80"])
@pytest.mark.parametrize("late", [1, 3, 60])
def test_skewed_signals_are_put_in_step_as_wfdb_puts_them(tmp_path, fmt, late):
    steps = np.random.default_rng(0).integers(-100, 100, (3, 60))
    skews = (0, late, 0)
    lines = [
        f"a.dat {fmt}{f':{skew}' if skew else ''} 100/mV 16 0 0 {lead.sum() % 65536} 0 {name}"
        for skew, lead, name in zip(skews, steps, ("I", "V1", "II"), strict=True)
    ]
    (tmp_path / "a.dat").write_bytes(packed(steps.T.reshape(-1), fmt))
    (tmp_path / "a.hea").write_text("\n".join(["a 3 500 60", *lines, ""]))
    record = read_wfdb(tmp_path / "a.hea")
    expected = np.full((3, 60), np.nan)
    for position, skew in enumerate(skews):
        expected[position, : 60 - skew] = steps[position, skew:] / 100
    np.testing.assert_array_equal(record.millivolts, expected)
    np.testing.assert_array_equal(record.millivolts, wfdb.rdrecord(str(tmp_path / "a")).p_signal.T)
    change(tmp_path / "a.hea", r"(16 0 0 )(\d+)( 0 V1)", r"\g<1>1\g<2>\3")
    with pytest.raises(ValueError, match="the checksum of lead V1 is"):
        read_wfdb(tmp_path / "a.hea")


def test_signals_of_several_samples_a_frame_are_read_at_their_rate(tmp_path):
    steps = np.random.default_rng(0).integers(-100, 100, (20, 5))  # two leads of twice the rate of a third signal
    (tmp_path / "a.dat").write_bytes(steps.astype("<i2").tobytes())
    lines = [
        "a.dat 16x2 100/mV 16 0 0 {} 0 I",
        "a.dat 16x2:3 100/mV 16 0 0 {} 0 II",
        "a.dat 16 100/mV 16 0 0 {} 0 RESP",
    ]
    sums = (steps[:, :2].sum(), steps[:, 2:4].sum(), steps[:, 4].sum())
    lines = [line.format(total % 65536) for line, total in zip(lines, sums, strict=True)]
    (tmp_path / "a.hea").write_text("\n".join(["a 3 250 20", *lines, ""]))
    record = read_wfdb(tmp_path / "a.hea")
    assert (record.leads, record.sampling_rate) == (("I", "II"), 500)
    expected = wfdb.rdrecord(str(tmp_path / "a"), physical=True, smooth_frames=False).e_p_signal
    np.testing.assert_array_equal(record.millivolts[0], expected[0])
    np.testing.assert_array_equal(record.millivolts[1][:34], steps[:, 2:4].reshape(-1)[6:] / 100)
    assert np.isnan(record.millivolts[1][34:]).all()


UNWANTED = {
    "a unit that is none": lambda line: line.replace("/mV", "/NU"),
    "no gain": lambda line: line.replace("1000.0(0)/mV", "0"),
    "a gain that is none": lambda line: line.replace("1000.0(0)/mV", "x"),
    "a wrong checksum": lambda line: re.sub(r"-?\d+ 0 V6", "1 0 V6", line),
    "no name": lambda line: line.replace(" V6", ""),
    "a name beyond ASCII": lambda line: line.replace("V6", "Atemkurve µ°"),
    "no format": lambda line: line.split()[0],
    "a file of another format": lambda line: line.replace("a.dat 16", "b.dat 999"),
    "a file that is missing": lambda line: line.replace("a.dat", "c.dat"),
    "a file elsewhere": lambda line: line.replace("a.dat", "../a.dat"),
    "another rate": lambda line: line.replace("a.dat 16", "b.dat 16x3"),
    "a shorter file": lambda line: line.replace("a.dat 16", "d.dat 16"),
    "the name of another": lambda line: line.replace("V6", "V5x"),
}


@pytest.mark.parametrize("how", UNWANTED)
def test_channel_that_nobody_asked_for_costs_itself_alone(header, known_ecg, how):
    """The eighth signal is not wanted, or wanted."""
    lines = header.read_text().splitlines()
    in_another_file = ("a file", "another rate", "a shorter file", "no format")
    if how.startswith(in_another_file):  # or the others of the file would be read with too few channels
        steps = np.rint(known_ecg(num_samples=500)[0] * 1000).astype("<i2")
        header.with_suffix(".dat").write_bytes(steps[:7].T.tobytes())
        for name, end in (("b.dat", None), ("d.dat", 20)):
            (header.parent / name).write_bytes(np.tile(steps[7], 3)[:end].tobytes())
    lines[-1] = UNWANTED[how](lines[-1])
    header.write_text("\n".join([*lines, ""]), encoding="utf-8")
    record = read_wfdb(header, leads=EIGHT_LEADS[:7])
    assert record.leads[:7] == EIGHT_LEADS[:7]
    np.testing.assert_allclose(
        record.millivolts[:7] * 1000, np.rint(known_ecg(num_samples=500)[0, :7] * 1000), atol=1e-9
    )
    if "V6" in lines[-1]:
        with pytest.raises(ValueError, match=r"a\.hea"):
            read_wfdb(header, leads=EIGHT_LEADS)


def test_two_channels_of_one_name_are_refused_where_they_are_wanted(header):
    change(header, "V6", "V5")
    assert read_wfdb(header, leads=["I", "II"]).leads == EIGHT_LEADS[:6]
    with pytest.raises(ValueError, match=r"a.hea: two leads have one name \(V5\)"):
        read_wfdb(header)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
@pytest.mark.parametrize("name", ["Köln", "EKG (1)", "a&b", "x=1,y", "5#", "Å-É"])
def test_names_beyond_ascii_are_read(header, known_ecg, encoding, name):
    lines = header.read_text().replace("/mV", "/µV").replace("1000.0(0)", "1").splitlines()
    stem = name.replace(" ", "_")
    for i in range(1, 9):
        lines[i] = lines[i].replace("a.dat", f"{stem}.dat")
    header.with_suffix(".dat").rename(header.parent / f"{stem}.dat")
    renamed = header.rename(header.parent / f"{stem}.hea")
    renamed.write_text("\n".join([lines[0].replace("a 8", "x 8"), *lines[1:], "# Gerät: Ä", ""]), encoding=encoding)
    record = read_wfdb(renamed, root=renamed.parent)
    assert record.leads == EIGHT_LEADS
    np.testing.assert_allclose(record.millivolts, np.rint(known_ecg(num_samples=500)[0] * 1000) / 1000, atol=1e-9)


def test_umlaut_of_the_other_form_names_the_same_file(header):
    header.with_suffix(".dat").rename(header.parent / "Ko\u0308ln.dat")
    header.write_text(header.read_text().replace("a.dat", "Köln.dat"), encoding="utf-8")
    assert read_wfdb(header).leads == EIGHT_LEADS
