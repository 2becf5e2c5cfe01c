import base64
import binascii
import os
import random
import struct
import time
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pydicom
import pytest

from ecggan.data.readers.devices import DEVICE_SUFFIXES, LARGEST_FILE_MB, read_device_file
from ecggan.data.record import Record
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS

MUSE = ("muse_xml/example1.xml", "muse_xml/example3.xml")
AECG = ("aecg/Example_aECG.xml", "aecg/subject1_0.xml", "aecg/minimum_aecg.xml")
DICOM = "dicom_ecg/anonymous_ecg.dcm"
HL7 = "{urn:hl7-org:v3}"


def muse_leads(path: Path) -> dict[str, np.ndarray]:
    """The rhythm strip in mV, read by itself."""
    strip = next(w for w in ET.parse(path).iter("Waveform") if w.findtext("WaveformType") == "Rhythm")
    return {
        lead.findtext("LeadID"): np.frombuffer(base64.b64decode(lead.findtext("WaveFormData")), "<i2")
        * float(lead.findtext("LeadAmplitudeUnitsPerBit"))
        / 1000
        for lead in strip.findall("LeadData")
    }


def aecg_leads(path: Path) -> dict[str, np.ndarray]:
    steps = f"{HL7}component/{HL7}series/{HL7}component/{HL7}sequenceSet/{HL7}component/{HL7}sequence"
    leads = {}
    for sequence in ET.parse(path).getroot().findall(steps):
        name, value = sequence.find(f"{HL7}code").get("code"), sequence.find(f"{HL7}value")
        if "LEAD" in name:
            origin, scale = (value.find(f"{HL7}{part}") for part in ("origin", "scale"))
            assert (origin.get("unit"), scale.get("unit")) == ("uV", "uV")
            digits = np.array([int(digit) for digit in value.find(f"{HL7}digits").text.split()])
            leads[name.removeprefix("MDC_ECG_LEAD_").replace("AV", "aV")] = (
                digits * float(scale.get("value")) + float(origin.get("value"))
            ) / 1000
    return leads


def assert_same(record: Record, leads: dict[str, np.ndarray]) -> None:
    assert set(record.leads) == set(leads)
    for lead, millivolts in zip(record.leads, record.millivolts, strict=True):
        np.testing.assert_allclose(millivolts, leads[lead], rtol=0, atol=1e-9, err_msg=lead)


def changed(source: Path, folder: Path, *changes: tuple[str, str], count: int = -1) -> Path:
    """A copy of a text file where each old text is another."""
    text = source.read_text("latin-1")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, count)
    file = folder / source.name
    file.write_text(text, "latin-1")
    return file


def changed_dicom(source: Path, folder: Path, change) -> Path:
    data = pydicom.dcmread(source)
    change(data)
    data.save_as(folder / "a.dcm")
    return folder / "a.dcm"


def write_scp(
    file: Path, samples: np.ndarray, nanovolts: int = 5000, interval_us: int = 2000, surplus: int = 0
) -> Path:
    """An uncompressed SCP-ECG of the eight leads, after EN 1064."""
    codes = (1, 2, 3, 4, 5, 6, 7, 8)
    tags = [(2, b"p7\0"), (4, struct.pack("<HB", 63, 1)), (8, b"\2"), (0, b"Doe\0"), (1, b"Jane\0")]
    tags += [(25, struct.pack("<HBB", 2019, 3, 4)), (26, bytes([5, 6, 7])), (255, b"")]
    lengths = [2 * len(lead) + surplus for lead in samples]
    bodies = {
        1: b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in tags),
        3: struct.pack("<BB", len(codes), 0x04)
        + b"".join(struct.pack("<IIB", 1, len(lead), code) for lead, code in zip(samples, codes, strict=True)),
        6: struct.pack("<HHBB", nanovolts, interval_us, 0, 0)
        + struct.pack(f"<{len(codes)}H", *lengths)
        + b"".join(lead.astype("<i2").tobytes() + bytes(surplus) for lead in samples),
    }
    bodies = {section: body + bytes(len(body) % 2) for section, body in bodies.items()}

    def with_checksum(content: bytes) -> bytes:
        return struct.pack("<H", binascii.crc_hqx(content, 0xFFFF)) + content

    def section_bytes(section: int, body: bytes, reserved: bytes = bytes(6)) -> bytes:
        return with_checksum(struct.pack("<HIBB", section, 16 + len(body), 20, 20) + reserved + body)

    size_of_pointers = 16 + 10 * 12
    pointers, rest, position = [(0, size_of_pointers, 7)], b"", 7 + size_of_pointers
    for section in range(1, 12):
        content = section_bytes(section, bodies[section]) if section in bodies else b""
        pointers.append((section, len(content), position if content else 0))
        rest += content
        position += len(content)
    first = section_bytes(0, b"".join(struct.pack("<HII", *pointer) for pointer in pointers), b"SCPECG")
    file.write_bytes(with_checksum(struct.pack("<I", 6 + len(first) + len(rest)) + first + rest))
    return file


@pytest.fixture
def scp_samples(known_ecg) -> np.ndarray:
    return np.rint(known_ecg()[0] * 200).astype(np.int64)


@pytest.mark.parametrize("name", MUSE)
def test_muse_file_is_read_as_its_integers_say(shared_data, name):
    record = read_device_file(shared_data / name)
    assert (record.leads, record.sampling_rate, record.millivolts.shape) == (EIGHT_LEADS, 500, (8, 5000))
    assert_same(record, muse_leads(shared_data / name))
    assert dict(record.facts) == {}


@pytest.mark.parametrize("name", AECG)
def test_aecg_file_is_read_as_its_digits_say(shared_data, name):
    record = read_device_file(shared_data / name)
    assert record.sampling_rate == 500
    assert_same(record, aecg_leads(shared_data / name))


def test_facts_of_an_aecg_file(shared_data):
    facts = read_device_file(shared_data / "aecg/subject1_0.xml").facts
    assert facts == {"patient": "subject1", "age": 46.0, "sex": "male", "date": "2002-11-22T09:10:00"}


def test_dicom_file_is_read_as_pydicom_reads_it(shared_data):
    record = read_device_file(shared_data / DICOM)
    expected = pydicom.dcmread(shared_data / DICOM).waveform_array(0).T / 1000
    assert (record.leads, record.sampling_rate) == (TWELVE_LEADS, 1000)
    assert_same(record, dict(zip(TWELVE_LEADS, expected, strict=True)))
    assert record.facts == {"patient": "642341", "age": 42.0, "sex": "female", "date": "2013-01-25T10:59:19"}


@pytest.mark.parametrize("name", ["aecg/Example_aECG.xml", "aecg/subject1_0.xml", DICOM])
def test_einthovens_law_holds(shared_data, name):
    record = read_device_file(shared_data / name)
    one, two, three = (record.millivolts[record.leads.index(lead)] for lead in ("I", "II", "III"))
    assert np.abs(three - (two - one)).max() <= 0.0051  # two steps of 2.5 µV


def test_scp_file_is_read_as_it_was_written(tmp_path, scp_samples):
    record = read_device_file(write_scp(tmp_path / "a.scp", scp_samples))
    assert (record.leads, record.sampling_rate) == (EIGHT_LEADS, 500)
    np.testing.assert_allclose(record.millivolts, scp_samples * 0.005, atol=1e-9)
    assert record.facts == {"patient": "p7", "age": 63.0, "sex": "female", "date": "2019-03-04T05:06:07"}


@pytest.mark.parametrize(("interval_us", "rate"), [(3333, 300), (2000, 500), (1900, 1e6 / 1900)])
def test_rate_of_an_scp_file_is_whole_where_its_interval_is_rounded(tmp_path, scp_samples, interval_us, rate):
    assert read_device_file(write_scp(tmp_path / "a.scp", scp_samples, interval_us=interval_us)).sampling_rate == rate


@pytest.mark.parametrize(
    ("how", "reason"),
    [({"nanovolts": 0}, "multiplier is 0"), ({"interval_us": 0}, "interval is 0"), ({"surplus": 2}, "5001")],
)
def test_scp_file_without_gain_or_rate_or_with_more_samples_is_refused(tmp_path, scp_samples, how, reason):
    with pytest.raises(ValueError, match=rf"a\.scp cannot be read .*{reason}"):
        read_device_file(write_scp(tmp_path / "a.scp", scp_samples, **how))


def test_scp_file_whose_checksum_is_wrong_is_refused(tmp_path, scp_samples):
    file = write_scp(tmp_path / "a.scp", scp_samples)
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"in doubt: SCP-ECG CRC mismatch in: record, Section 6"):
        read_device_file(file)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([("MICROVOLTS<", "MMHG<")], "not a voltage unit"),
        ([("<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>", "")], "not a voltage unit"),
        ([("<LeadAmplitudeUnitsPerBit>4.88</LeadAmplitudeUnitsPerBit>", "")], "lead I states no gain"),
        ([(">4.88<", ">0<")], "lead I states no gain"),
        ([(">4.88<", ">nan<")], "lead I states no gain"),
        ([("<SampleBase>500</SampleBase>", "")], "no valid SampleBase"),
        ([("<SampleExponent>0</SampleExponent>", "")], "SampleExponent is not stated"),
        ([("<LeadSampleSize>2</LeadSampleSize>", "")], "does not state its LeadSampleSize"),
        ([("<WaveformType>Rhythm</WaveformType>", "")], "does not state its WaveformType"),
        ([("<WaveformType>Rhythm</WaveformType>", "<WaveformType>Median</WaveformType>")], "No rhythm waveform"),
        ([("<NumberofLeads>8<", "<NumberofLeads>12<")], "states 12 leads, but holds 8"),
        ([("CONTINUOUS_SAMPLES", "DIFFERENCES")], "samples are DIFFERENCES"),
        ([("<LeadTimeOffset>0<", "<LeadTimeOffset>4<")], "lead I is shifted in time"),
        ([("<FirstSampleBaseline>0<", "<FirstSampleBaseline>9<")], "FirstSampleBaseline is non-zero"),
        ([("<LeadID>II<", "<LeadID>I<")], r"two leads have one name \(I\)"),
        ([("<LeadSampleCountTotal>5000<", "<LeadSampleCountTotal>4999<")], "4999 but 5000 samples"),
    ],
)
def test_muse_file_that_leaves_something_to_guess_is_refused(shared_data, tmp_path, changes, reason):
    with pytest.raises(ValueError, match=rf"example1\.xml cannot be read .*{reason}"):
        read_device_file(changed(shared_data / MUSE[0], tmp_path, *changes))


def test_rate_of_a_muse_file_is_not_rounded(shared_data, tmp_path):
    file = changed(
        shared_data / MUSE[0], tmp_path, ("<SampleBase>500<", "<SampleBase>2505<"), (">0</SampleExp", ">-1</SampleExp")
    )
    assert read_device_file(file).sampling_rate == pytest.approx(250.5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([('<scale value="2.5" unit="uV"/>', '<scale value="2.5" unit="mm[Hg]"/>')], "is no voltage"),
        ([('<scale value="2.5" unit="uV"/>', '<scale value="2.5"/>')], "the unit '' of lead II"),
        ([('<scale value="2.5" unit="uV"/>', '<scale unit="uV"/>')], "lead II states no gain"),
        ([('<scale value="2.5" unit="uV"/>', "")], "lead II states no gain"),
        ([('<origin value="0" unit="uV"/>', "")], "the origin of MDC_ECG_LEAD_II is not stated"),
        ([('<origin value="0" unit="uV"/>', '<origin value="7" unit="mm"/>')], "the unit 'mm' is not known"),
        ([('<increment value="0.002" unit="s"/>', "")], "No usable time increment"),
        ([('<increment value="0.002" unit="s"/>', '<increment value="0.002"/>')], "unit '' is missing"),
        ([('code="RHYTHM"', 'code="HOLTER"')], "series of kind 'HOLTER'"),
        ([("-2 -2 -2", "-2 inf -2")], "infinite"),
    ],
)
def test_aecg_file_that_leaves_something_to_guess_is_refused(shared_data, tmp_path, changes, reason):
    with pytest.raises(ValueError, match=rf"minimum_aecg\.xml cannot be read .*{reason}"):
        read_device_file(changed(shared_data / AECG[2], tmp_path, *changes))


def test_leads_of_different_lengths_are_refused_with_their_lengths(shared_data, tmp_path):
    with pytest.raises(ValueError, match=r"no or different numbers of samples: {'I': 5001, 'II': 5000,"):
        read_device_file(changed(shared_data / AECG[1], tmp_path, ("<digits>", "<digits>1 "), count=1))


def test_origin_of_an_aecg_file_is_added_in_its_own_unit(shared_data, tmp_path):
    file = changed(shared_data / AECG[2], tmp_path, ('<origin value="0" unit="uV"/>', '<origin value="1" unit="mV"/>'))
    np.testing.assert_allclose(
        read_device_file(file).millivolts, read_device_file(shared_data / AECG[2]).millivolts + 1, atol=1e-9
    )


def without(name: str):
    return lambda data: data.WaveformSequence[0].__delattr__(name)


def of_channel(name: str, value: object):
    def change(data: pydicom.Dataset) -> None:
        channel = data.WaveformSequence[0].ChannelDefinitionSequence[4]
        if value is None:
            delattr(channel, name)
        else:
            setattr(channel, name, value)

    return change


def in_mmhg(data: pydicom.Dataset) -> None:
    unit = data.WaveformSequence[0].ChannelDefinitionSequence[4].ChannelSensitivityUnitsSequence[0]
    unit.CodeValue, unit.CodeMeaning = "mm[Hg]", "pressure"


def without_one_channel(data: pydicom.Dataset) -> None:
    del data.WaveformSequence[0].ChannelDefinitionSequence[11]


def with_one_more_channel(data: pydicom.Dataset) -> None:
    channels = data.WaveformSequence[0].ChannelDefinitionSequence
    channels.append(channels[0])


def with_fewer_samples(data: pydicom.Dataset) -> None:
    data.WaveformSequence[0].NumberOfWaveformSamples = 5000


def without_rhythm_strip(data: pydicom.Dataset) -> None:
    del data.WaveformSequence[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without("SamplingFrequency"), "Sampling Frequency is missing"),
        (without("WaveformSampleInterpretation"), "does not state its sample interpretation"),
        (of_channel("ChannelSensitivity", None), "ChannelSensitivity of lead aVL is not stated"),
        (of_channel("ChannelSensitivityCorrectionFactor", None), "CorrectionFactor of lead aVL is not stated"),
        (of_channel("ChannelBaseline", None), "ChannelBaseline of lead aVL is not stated"),
        (of_channel("ChannelSampleSkew", "20"), "lead aVL is shifted by 20 samples"),
        (in_mmhg, r"the unit 'mm\[Hg\]' of lead aVL is no voltage"),
        (without_one_channel, "states 12 channels, but defines 11"),
        (with_one_more_channel, "states 12 channels, but defines 13"),
        (with_fewer_samples, "120000 bytes follow the samples"),
        (without_rhythm_strip, "no rhythm strip"),
    ],
)
def test_dicom_file_that_leaves_something_to_guess_is_refused(shared_data, tmp_path, change, reason):
    with pytest.raises(ValueError, match=rf"a\.dcm cannot be read .*{reason}"):
        read_device_file(changed_dicom(shared_data / DICOM, tmp_path, change))


def test_deflated_dicom_file_is_refused(shared_data, tmp_path):
    data = pydicom.dcmread(shared_data / DICOM)
    data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"a\.dcm cannot be read .*deflated"):
        read_device_file(tmp_path / "a.dcm")


def test_name_and_date_of_birth_are_left_behind(shared_data, tmp_path):
    file = changed_dicom(shared_data / DICOM, tmp_path, lambda data: setattr(data, "PatientName", "Roe^Richard"))
    facts = str(read_device_file(file).facts)
    assert not any(secret in facts for secret in ("Roe", "Richard", "1971"))


@pytest.mark.parametrize("age", ["300Y", "121Y"])
def test_age_that_nobody_has_is_left_out(shared_data, tmp_path, age):
    file = changed_dicom(shared_data / DICOM, tmp_path, lambda data: setattr(data, "PatientAge", age))
    assert "age" not in read_device_file(file).facts


def test_missing_file_folder_and_unknown_suffix_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.xml is missing"):
        read_device_file(tmp_path / "a.xml")
    (tmp_path / "b.xml").mkdir()
    os.mkfifo(tmp_path / "c.dcm")
    for name in ("b.xml", "c.dcm"):
        with pytest.raises(ValueError, match=rf"{name} is no regular file"):
            read_device_file(tmp_path / name)
    (tmp_path / "d.txt").touch()
    with pytest.raises(ValueError, match=r"d\.txt: the suffix '\.txt' is not known; known are \.xml, \.dcm, \.scp"):
        read_device_file(tmp_path / "d.txt")


@pytest.mark.parametrize("suffix", DEVICE_SUFFIXES)
def test_too_large_file_is_refused_unread(tmp_path, suffix):
    with (tmp_path / f"a{suffix}").open("wb") as file:
        file.truncate(65_000_000)
    with pytest.raises(ValueError, match=rf"a{suffix} has 65\.0 MB; .* at most {LARGEST_FILE_MB} MB"):
        read_device_file(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", DEVICE_SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"\0" * 300, b"<a/>", b"not an ECG"])
def test_file_of_nothing_or_of_something_else_is_refused(tmp_path, suffix, content):
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a{suffix} cannot be read"):
        read_device_file(tmp_path / f"a{suffix}")


@pytest.mark.parametrize(
    "content", ["<html><body/></html>", "<restingecgdata xmlns='http://www3.medical.philips.com'/>"]
)
def test_other_xml_is_refused_with_the_formats_that_are_known(tmp_path, content):
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(ValueError, match=r"(html|restingecgdata) is not known; known are GE MUSE .* and HL7 aECG"):
        read_device_file(tmp_path / "a.xml")


def test_file_is_not_taken_for_a_format_of_another_suffix(shared_data, tmp_path):
    (tmp_path / "a.xml").write_bytes((shared_data / DICOM).read_bytes())
    (tmp_path / "a.dcm").write_bytes((shared_data / MUSE[0]).read_bytes())
    for name in ("a.xml", "a.dcm"):
        with pytest.raises(ValueError, match=rf"{name} cannot be read"):
            read_device_file(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_declares_entities_is_refused(shared_data, tmp_path, encoding):
    bomb = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    )
    for entity in (bomb, '<!ENTITY a SYSTEM "file:///etc/passwd">', '<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;'):
        file = tmp_path / "a.xml"
        text = (
            f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE RestingECG [{entity}]><RestingECG>&a;</RestingECG>'
        )
        file.write_text(text, encoding)
        began = time.monotonic()
        with pytest.raises(ValueError, match=r"a\.xml cannot be read .*entity declarations are not allowed") as refusal:
            read_device_file(file)
        assert "root:" not in str(refusal.value)
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("name", [MUSE[0], AECG[1], DICOM])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(shared_data, tmp_path, name, share):
    content = (shared_data / name).read_bytes()
    file = tmp_path / Path(name).name
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=rf"{file.name} cannot be read"):
        read_device_file(file)


def test_empty_aecg_is_refused(shared_data):
    with pytest.raises(ValueError, match=r"empty\.xml cannot be read .*No rhythm series"):
        read_device_file(shared_data / "aecg/empty.xml")


@pytest.mark.parametrize("name", [*MUSE, *AECG, DICOM, "scp"])
def test_damaged_file_gives_a_record_or_a_value_error_that_names_it(shared_data, tmp_path, scp_samples, name):
    source = write_scp(tmp_path / "b.scp", scp_samples) if name == "scp" else shared_data / name
    content = source.read_bytes()
    file = tmp_path / f"a{source.suffix}"
    rng = random.Random(name)
    for _ in range(60):
        damaged = bytearray(content)
        # most of a file is samples, so half of the damage is done where the header is
        reach = rng.choice([len(content), min(len(content), 6000)])
        for _ in range(rng.randint(1, 4)):
            begin, length = rng.randrange(reach), rng.randint(0, 30)
            damaged[begin : begin + length] = rng.choice([b"", rng.randbytes(length), damaged[:length], b"9" * length])
        file.write_bytes(damaged)
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                read_device_file(file)
            except ValueError as error:
                message = str(error)
            else:
                message = str(file)
        assert str(file) in message
        assert not any(slip in message for slip in ("TypeCheckError", "NameError", "Recursion", "Memory"))
        assert time.monotonic() - began < 5
