"""What is wrong with a part of a device's file that nobody reads refuses no record, and with a wanted lead it does."""

import struct
import warnings

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from ecggan.data.readers.devices import read_device_file
from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout
from ecggan.ecg import EIGHT_LEADS
from tests.data.readers.device_files import (
    aecg,
    aecg_sequence,
    dicom,
    mended,
    muse,
    renumbered,
    save_dicom,
    scp_section,
)
from tests.data.readers.test_devices import write_scp


@pytest.fixture
def microvolts(known_ecg):
    return np.rint(known_ecg(num_samples=1000)[0] * 1000).astype(int)


@pytest.fixture
def leads(microvolts):
    return dict(zip(EIGHT_LEADS, microvolts, strict=True))


def coded(leads):
    return {f"MDC_ECG_LEAD_{lead}": signal for lead, signal in leads.items()}


def assert_read(file, microvolts, wanted=EIGHT_LEADS, **layout):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = read_record(file, Layout(**layout), leads=wanted)
    assert record.sampling_rate == 500
    for lead in wanted:
        found = record.millivolts[record.leads.index(lead)]
        np.testing.assert_allclose(found * 1000, microvolts[EIGHT_LEADS.index(lead)], atol=1e-9, err_msg=lead)
    return record


def written(file, text):
    file.write_text(text, encoding="utf-8")
    return file


def flat(samples):
    return {lead: np.arange(samples) for lead in EIGHT_LEADS}


def test_of_several_strips_the_longest_that_holds_the_wanted_leads_is_read(tmp_path, leads, microvolts):
    strips = [("Rhythm", flat(600)), ("Rhythm", leads), ("Rhythm", flat(1000)), ("Rhythm", {"II": np.arange(5000)})]
    assert_read(written(tmp_path / "a.xml", muse(strips)), microvolts)
    series = [("RHYTHM", coded(each)) for _, each in strips]
    assert_read(written(tmp_path / "b.xml", aecg(series)), microvolts)
    for number, labels in enumerate([("RHYTHM",) * 4, (None,) * 4, ("", "STANDARD", "x", "LONG LEAD")]):
        groups = [(label, each) for label, (_, each) in zip(labels, strips, strict=True)]
        assert_read(save_dicom(dicom(groups), tmp_path / f"{number}.dcm"), microvolts)


def test_median_beats_and_other_strips_are_never_read(tmp_path, leads, microvolts):
    longer = flat(2000)
    others = [("Median", longer), ("", longer), ("Continuous", longer)]
    assert_read(written(tmp_path / "a.xml", muse([*others, ("Rhythm", leads)])), microvolts)
    kinds = [("REPRESENTATIVE_BEAT", coded(longer)), ("HOLTER", coded(longer)), ("RHYTHM", coded(leads))]
    assert_read(written(tmp_path / "b.xml", aecg(kinds)), microvolts)
    labels = ("MEDIAN BEAT", "Representative Beat", "averaged beats")
    groups = [*((label, longer) for label in labels), (None, leads)]
    assert_read(save_dicom(dicom(groups), tmp_path / "c.dcm"), microvolts)
    for file in (muse([("Median", longer)]), aecg(kinds[:1])):
        with pytest.raises(ValueError, match=r"No rhythm"):
            read_device_file(written(tmp_path / "d.xml", file))


SEQUENCES = {
    "a pressure": '<component><sequence><code code="MDC_PRESS_BLD"/><value><scale value="1" unit="mm[Hg]"/>'
    "<digits>1 2 3</digits></value></sequence></component>",
    "a lead of another": aecg_sequence("MINDRAY_ECG_LEAD_V9", np.arange(5)),
    "a lead of no voltage": aecg_sequence("MDC_ECG_LEAD_V7", np.arange(1000), unit="mm"),
    "a lead of no number": aecg_sequence("MDC_ECG_LEAD_V7", np.arange(9)).replace("3 4", "x y"),
    "no code": "<component><sequence><value/></sequence></component>",
    "no value": '<component><sequence><code code="MDC_ECG_LEAD_X"/></sequence></component>',
}


@pytest.mark.parametrize("what", SEQUENCES)
def test_further_sequence_of_an_aecg_costs_itself_alone(tmp_path, leads, microvolts, what):
    file = written(tmp_path / "a.xml", aecg([("RHYTHM", coded(leads))], SEQUENCES[what]))
    assert_read(file, microvolts)


@pytest.mark.parametrize(
    "annotation",
    [
        '<annotation><code code="MDC_ECG_HEART_RATE"/><value value="70" unit="x"/></annotation>',
        '<annotation><code code="MDC_ECG_TIME_PD_QT"/><value value="999999999999" unit="h"/></annotation>',
        "<annotation/>",
    ],
)
def test_annotation_of_an_aecg_is_not_read(tmp_path, leads, microvolts, annotation):
    inside = f"<subjectOf><annotationSet><component>{annotation}</component></annotationSet></subjectOf>"
    inside += '<derivation><derivedSeries><code code="REPRESENTATIVE_BEAT"/></derivedSeries></derivation>'
    assert_read(written(tmp_path / "a.xml", aecg([("RHYTHM", coded(leads))], in_series=inside)), microvolts)


MUSE_CHANGES = {
    "a unit": ("MICROVOLTS", "MMHG"),
    "no gain": ("<LeadAmplitudeUnitsPerBit>1</LeadAmplitudeUnitsPerBit>", ""),
    "no size": ("<LeadSampleSize>2</LeadSampleSize>", ""),
    "a shift": ("<LeadSampleSize>", "<LeadTimeOffset>7</LeadTimeOffset><LeadSampleSize>"),
    "a checksum": ("<LeadSampleSize>", "<LeadDataCRC32>1</LeadDataCRC32><LeadSampleSize>"),
    "a baseline": ("<LeadSampleSize>", "<FirstSampleBaseline>7</FirstSampleBaseline><LeadSampleSize>"),
    "samples that are none": ("<WaveFormData>", "<WaveFormData>%"),
    "fewer samples": ("<WaveFormData>", "<WaveFormData>AAAA</WaveFormData><x>"),
}


@pytest.mark.parametrize("what", MUSE_CHANGES)
def test_lead_of_a_muse_file_is_checked_only_where_it_is_wanted(tmp_path, leads, microvolts, what):
    old, new = MUSE_CHANGES[what]
    before, after = muse([("Rhythm", {**leads, "V7": np.arange(1000)})]).split("<LeadID>V7")
    closed = (
        after.replace(old, new)
        .replace("<x>", "<x>")
        .replace("</WaveFormData></LeadData>", "</WaveFormData></LeadData>")
    )
    if "<x>" in closed:
        closed = closed.replace("</WaveFormData></LeadData>", "</x></LeadData>")
    file = written(tmp_path / "a.xml", f"{before}<LeadID>V7{closed}")
    assert_read(file, microvolts)
    file.write_text(file.read_text().replace("<LeadID>V6<", "<LeadID>V8<").replace("<LeadID>V7<", "<LeadID>V6<"))
    assert_read(file, microvolts, EIGHT_LEADS[:7])
    with pytest.raises(ValueError, match=r"a\.xml cannot be read"):
        read_record(file, Layout(), leads=EIGHT_LEADS)


def spoil(keyword, value):
    def change(data):
        setattr(data, keyword, value)

    return change


def _with_an_annotation(data):
    item = Dataset()
    item.NumericValue, item.ReferencedWaveformChannels = "11.111", [1]
    data.WaveformAnnotationSequence = DicomSequence([item])


DICOM_CHANGES = {
    "an UID": spoil("StudyInstanceUID", "1.2..03.x"),
    "a date": spoil("StudyDate", "yesterday"),
    "a time": spoil("StudyTime", "at noon"),
    "a date of birth": spoil("PatientBirthDate", "1.1.1970"),
    "an age": spoil("PatientAge", "sixty"),
    "a number": spoil("PatientWeight", "11.111"),  # which is then no number
    "a code": spoil("Modality", "e" * 40),
    "an annotation": _with_an_annotation,
}


@pytest.mark.parametrize("what", DICOM_CHANGES)
def test_invalid_element_of_a_dicom_file_costs_itself_alone(tmp_path, leads, microvolts, what):
    import pydicom

    with pydicom.config.disable_value_validation():
        data = dicom([("RHYTHM", leads)], DICOM_CHANGES[what])
        file = save_dicom(data, tmp_path / "a.dcm")
    file.write_bytes(file.read_bytes().replace(b"11.111", b"heavy!"))
    record = assert_read(file, microvolts)
    assert record.facts["patient"] == "P7"


CHANNEL_CHANGES = {
    "no gain": lambda channel: delattr(channel, "ChannelSensitivity"),
    "a gain of 0": lambda channel: setattr(channel, "ChannelSensitivity", "0"),
    "no unit": lambda channel: delattr(channel, "ChannelSensitivityUnitsSequence"),
    "a unit": lambda channel: (
        setattr(channel.ChannelSensitivityUnitsSequence[0], "CodeValue", "mm[Hg]")
        or setattr(channel.ChannelSensitivityUnitsSequence[0], "CodeMeaning", "pressure")
    ),
    "no baseline": lambda channel: delattr(channel, "ChannelBaseline"),
    "a shift": lambda channel: setattr(channel, "ChannelSampleSkew", "12"),
    "the code of another": lambda channel: (
        setattr(channel.ChannelSourceSequence[0], "CodeValue", "2:8")
        or setattr(channel.ChannelSourceSequence[0], "CodeMeaning", "Lead V5")
    ),
}


@pytest.mark.parametrize("what", CHANNEL_CHANGES)
def test_channel_of_a_dicom_file_is_checked_only_where_it_is_wanted(tmp_path, leads, microvolts, what):
    data = dicom([("RHYTHM", leads)])
    CHANNEL_CHANGES[what](data.WaveformSequence[0].ChannelDefinitionSequence[7])
    file = save_dicom(data, tmp_path / "a.dcm")
    assert_read(file, microvolts, EIGHT_LEADS[:7])
    with pytest.raises(ValueError, match=r"a\.dcm cannot be read .*V6"):
        read_record(file, Layout(), leads=EIGHT_LEADS)


def test_padding_of_a_dicom_file_is_missing_unless_it_is_0(tmp_path, leads, microvolts):
    for value in (0, -32768):
        data = dicom([("RHYTHM", {**leads, "V6": np.where(np.arange(1000) < 9, value, leads["V6"])})])
        data.WaveformSequence[0].WaveformPaddingValue = struct.pack("<h", value)
        record = read_device_file(save_dicom(data, tmp_path / "a.dcm"))
        assert np.isnan(record.millivolts[7, :9]).all() == (value != 0)
        assert np.isfinite(record.millivolts[:7]).all()


@pytest.mark.parametrize("form", ["muse", "aecg", "dicom"])
def test_names_of_devices_are_known_or_said(tmp_path, leads, microvolts, form):
    def write(names, stem):
        named = dict(zip(names, leads.values(), strict=True))
        if form == "dicom":
            return save_dicom(dicom([("RHYTHM", named)]), tmp_path / f"{stem}.dcm")
        text = muse([("Rhythm", named)]) if form == "muse" else aecg([("RHYTHM", named)])
        return written(tmp_path / f"{stem}.xml", text)

    for number, spelling in enumerate(("Lead {}", "MDC_ECG_LEAD_{}", "ECG {}", "{} (uV)")):
        assert_read(write([spelling.format(lead) for lead in EIGHT_LEADS], number), microvolts)
    channels = [f"Ch {i}" for i in range(1, 9)]
    file = write(channels, "said")
    assert_read(file, microvolts, lead_names=dict(zip(channels, EIGHT_LEADS, strict=True)))
    with pytest.raises(ValueError, match="two leads have one name"):
        read_record(write(["I", "Lead I", *EIGHT_LEADS[2:]], "twice"), Layout(), leads=EIGHT_LEADS)


@pytest.mark.parametrize(("begin", "last"), [(0, 1000), (0, 999), (1, 1000), (3, 1002)])
def test_scp_file_is_read_whatever_its_first_sample_is_called(tmp_path, microvolts, begin, last):
    file = write_scp(tmp_path / "a.scp", microvolts, nanovolts=1000)
    file.write_bytes(renumbered(file.read_bytes(), begin, last))
    assert_read(file, microvolts)


@pytest.mark.parametrize(("begin", "last"), [(0, 998), (0, 1001), (1, 999), (1, 1001), (5, 4)])
def test_scp_file_that_counts_other_samples_than_it_holds_is_refused(tmp_path, microvolts, begin, last):
    file = write_scp(tmp_path / "a.scp", microvolts, nanovolts=1000)
    file.write_bytes(renumbered(file.read_bytes(), begin, last))
    with pytest.raises(ValueError, match=r"a\.scp cannot be read .*but hold"):
        read_device_file(file)


def test_leads_of_an_scp_file_that_begin_apart_are_refused(tmp_path, microvolts):
    file = write_scp(tmp_path / "a.scp", microvolts, nanovolts=1000)
    changed = bytearray(file.read_bytes())
    struct.pack_into("<I", changed, scp_section(changed, 3) + 18 + 9, 2)
    file.write_bytes(mended(changed, 3))
    with pytest.raises(ValueError, match="its leads do not begin together"):
        read_device_file(file)
    assert_read(file, microvolts, ("I",))


@pytest.mark.parametrize("section", [4, 5, 7, 8, 10, 11])
def test_section_of_an_scp_file_that_is_not_read_may_be_damaged(shared_data, tmp_path, section):
    content = bytearray((shared_data / "ecgtoolkit/Example.scp").read_bytes())
    expected = read_device_file(shared_data / "ecgtoolkit/Example.scp").millivolts
    pointers = {n: (length, i - 1) for n, length, i in struct.iter_unpack("<HII", content[22:142])}
    length, at = pointers[section]
    if not length:
        pytest.skip(f"the file has no section {section}")
    content[at + 16 : at + length] = bytes(b ^ 0xFF for b in content[at + 16 : at + length])
    (tmp_path / "a.scp").write_bytes(content)
    assert np.array_equal(read_device_file(tmp_path / "a.scp").millivolts, expected)
    content[pointers[6][1] + 40] ^= 1
    (tmp_path / "a.scp").write_bytes(content)
    with pytest.raises(ValueError, match="CRC mismatch in: record, Section 6"):
        read_device_file(tmp_path / "a.scp")


def test_lead_of_an_scp_file_that_is_not_wanted_costs_itself_alone(tmp_path, microvolts):
    file = write_scp(tmp_path / "a.scp", microvolts, nanovolts=1000)
    changed = bytearray(file.read_bytes())
    struct.pack_into("<II", changed, scp_section(changed, 3) + 18 + 9 * 7, 7, 3)
    file.write_bytes(mended(changed, 3))
    assert_read(file, microvolts, EIGHT_LEADS[:7])
    with pytest.raises(ValueError, match="do not begin together"):
        read_device_file(file)
