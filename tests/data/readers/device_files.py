"""Files of devices, made: MUSE XML, HL7 aECG and DICOM of whole µV at 500 Hz, each with parts that nobody reads."""

import base64
import binascii
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence

Leads = Mapping[str, np.ndarray]  # by the name that the file has for it
MEDIAN_SAMPLES = 600


def muse(strips: Sequence[tuple[str, Leads]], patient: str = "P7") -> str:
    """A MUSE file of strips, each with its WaveformType."""
    waveforms = "".join(
        f"<Waveform><WaveformType>{kind}</WaveformType><NumberofLeads>{len(leads)}</NumberofLeads>"
        "<SampleType>CONTINUOUS_SAMPLES</SampleType><SampleBase>500</SampleBase><SampleExponent>0</SampleExponent>"
        + "".join(_muse_lead(name, lead) for name, lead in leads.items())
        + "</Waveform>"
        for kind, leads in strips
    )
    return (
        f"<RestingECG><PatientDemographics><PatientID>{patient}</PatientID><Gender>FEMALE</Gender>"
        f"</PatientDemographics>{waveforms}<Diagnosis/></RestingECG>"
    )


def _muse_lead(name: str, lead: np.ndarray) -> str:
    samples = base64.b64encode(lead.astype("<i2").tobytes()).decode()
    return (
        f"<LeadData><LeadID>{name}</LeadID><LeadSampleSize>2</LeadSampleSize>"
        "<LeadAmplitudeUnitsPerBit>1</LeadAmplitudeUnitsPerBit><LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>"
        f"<WaveFormData>{samples}</WaveFormData></LeadData>"
    )


def aecg(series: Sequence[tuple[str, Leads]], further: str = "", in_series: str = "") -> str:
    """An aECG of series, each with its code; the leads are named by their whole codes.

    Args:
        series: in their order.
        further: sequences beside the leads of each.
        in_series: what else each series holds, such as annotations.
    """
    parts = "".join(
        f'<component><series><code code="{kind}"/><component><sequenceSet>'
        '<component><sequence><code code="TIME_ABSOLUTE"/><value><head value="20261129"/>'
        '<increment value="0.002" unit="s"/></value></sequence></component>'
        + "".join(aecg_sequence(code, lead) for code, lead in leads.items())
        + f"{further}</sequenceSet></component>{in_series}</series></component>"
        for kind, leads in series
    )
    return f'<AnnotatedECG xmlns="urn:hl7-org:v3">{parts}</AnnotatedECG>'


def aecg_sequence(code: str, lead: np.ndarray, unit: str = "uV") -> str:
    digits = " ".join(map(str, np.rint(lead).astype(int)))
    return (
        f'<component><sequence><code code="{code}"/><value><origin value="0" unit="{unit}"/>'
        f'<scale value="1" unit="{unit}"/><digits>{digits}</digits></value></sequence></component>'
    )


def dicom(groups: Sequence[tuple[str | None, Leads]], change: Callable[[Dataset], None] = lambda data: None) -> Dataset:
    """A DICOM file of multiplex groups, each with its label, before which `change` does what it likes."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3.4"
    data.PatientID, data.PatientSex, data.PatientAge = "P7", "F", "061Y"
    data.WaveformSequence = DicomSequence([_group(label, leads) for label, leads in groups])
    change(data)
    return data


def _group(label: str | None, leads: Leads) -> Dataset:
    group = Dataset()
    if label is not None:
        group.MultiplexGroupLabel = label
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(leads)
    group.NumberOfWaveformSamples = len(next(iter(leads.values())))
    group.SamplingFrequency = "500"
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.ChannelDefinitionSequence = DicomSequence([_channel(name) for name in leads])
    group.WaveformData = np.stack(list(leads.values()), axis=1).astype("<i2").tobytes()
    return group


def _channel(name: str) -> Dataset:
    channel, source, unit = Dataset(), Dataset(), Dataset()
    source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "x", "99LOCAL", name
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "uV", "UCUM", "microvolt"
    channel.ChannelSourceSequence = DicomSequence([source])
    channel.ChannelSensitivity, channel.ChannelSensitivityCorrectionFactor, channel.ChannelBaseline = "1", "1", "0"
    channel.ChannelSensitivityUnitsSequence = DicomSequence([unit])
    return channel


def save_dicom(data: Dataset, file: Path) -> Path:
    with pydicom.config.disable_value_validation():
        pydicom.dcmwrite(file, data, enforce_file_format=True)
    return file


def renumbered(content: bytes, begin: int, last: int) -> bytes:
    """An SCP-ECG file whose section 3 counts from another number, its checksums mended."""
    changed = bytearray(content)
    at = scp_section(content, 3)
    for number in range(changed[at + 16]):
        struct.pack_into("<II", changed, at + 18 + 9 * number, begin, last)
    return mended(changed, 3)


def scp_section(content: bytes, wanted: int) -> int:
    """Where a section begins."""
    return next(i for n, _, i in struct.iter_unpack("<HII", content[22:142]) if n == wanted) - 1


def mended(changed: bytearray, section: int) -> bytes:
    """The file with the checksums of itself and of a section put right."""
    at = scp_section(changed, section)
    length = struct.unpack_from("<I", changed, at + 4)[0]
    struct.pack_into("<H", changed, at, binascii.crc_hqx(changed[at + 2 : at + length], 0xFFFF))
    struct.pack_into("<H", changed, 0, binascii.crc_hqx(changed[2:], 0xFFFF))
    return bytes(changed)
