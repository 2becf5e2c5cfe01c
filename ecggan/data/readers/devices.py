"""What ECG carts and their archives write: GE MUSE XML, HL7 aECG, DICOM and SCP-ECG. The only door to ecgdatakit.

ecgdatakit fills some gaps of a file in silence; here a file that does not state its gain, unit or rate is refused.
"""

import re
import struct
import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from ecgdatakit.models import ECGRecord, Lead
from ecgdatakit.parsing.helpers.xml import parse_xml_root
from ecgdatakit.parsing.parsers.dicom_waveform import DICOMWaveformParser
from ecgdatakit.parsing.parsers.ge_muse_xml import GEMuseXMLParser
from ecgdatakit.parsing.parsers.hl7_aecg import HL7aECGParser
from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser

from ecggan.data.record import Record, millivolts_per
from ecggan.ecg import canonical_lead

DEVICE_SUFFIXES = (".xml", ".dcm", ".scp")
LARGEST_FILE_MB = 64
OLDEST_YEARS = 120

# they tell of parts that are not read here anyway
_HARMLESS = re.compile(r"additional median|representative beat|median beats|Unit .* of .* not recognised", re.I)
_MEDIAN = re.compile("median|representative|average", re.I)  # ecgdatakit's words for groups of a DICOM file


def read_device_file(path: str | Path) -> Record:
    """Read the rhythm strip of a cart's file, never its median beats; the suffix says which format it is.

    The facts hold no name and no date of birth; an age is in whole years, stated or worked out from that date.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is damaged, too large, of another format, or does not state a gain, unit or rate.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing")
    if not path.is_file():
        raise ValueError(f"{path} is no regular file")
    size_mb = path.stat().st_size / 1e6
    if size_mb > LARGEST_FILE_MB:
        raise ValueError(f"{path} has {size_mb:.1f} MB; a file of one ECG has at most {LARGEST_FILE_MB} MB")
    read = {".xml": _read_xml, ".dcm": _read_dicom, ".scp": _read_scp}.get(path.suffix.lower())
    if read is None:
        raise ValueError(f"{path}: the suffix {path.suffix!r} is not known; known are {', '.join(DEVICE_SUFFIXES)}")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ecg, sampling_rate = read(path)
        doubts = "; ".join(dict.fromkeys(str(w.message) for w in caught if not _HARMLESS.search(str(w.message))))
        _refuse_if(doubts, f"it is in doubt: {doubts}")
        return _to_record(ecg, sampling_rate)
    except Exception as error:  # beside its own errors, ecgdatakit fails as its parsers stumble
        reason = textwrap.shorten(str(error), 400)
        raise ValueError(f"{path} cannot be read ({type(error).__name__}: {reason})") from error


def _to_record(ecg: ECGRecord, sampling_rate: float) -> Record:
    labels = [lead.label for lead in ecg.leads]
    # ecgdatakit counts up the labels of leads that the file gives one name
    repeated = [label for label in labels if re.sub(r"_\d+$", "", label) in set(labels) - {label}]
    _refuse_if(repeated, f"several leads have one name: {', '.join(repeated)}")
    rates = sorted({lead.sampling_rate for lead in ecg.leads})
    _refuse_if(len(rates) > 1, f"its leads have different sampling rates: {rates} Hz")
    lengths = {lead.label: len(lead.samples) for lead in ecg.leads}
    _refuse_if(len({0, *lengths.values()}) != 2, f"its leads have no or different numbers of samples: {lengths}")
    millivolts = np.stack([_to_millivolts(lead) for lead in ecg.leads])
    rate = int(sampling_rate) if sampling_rate.is_integer() else sampling_rate
    return Record(millivolts, tuple(map(canonical_lead, labels)), rate, _facts(ecg))


def _to_millivolts(lead: Lead) -> np.ndarray:
    gain = lead.adc_resolution  # 0 where the file has none, and resolution is then a made-up 1
    _refuse_if(not (np.isfinite(gain) and gain != 0), f"lead {lead.label} states no gain")
    unit = lead.resolution_unit
    _refuse_if(not unit, f"the unit {lead.adc_resolution_unit!r} of lead {lead.label} is no voltage that is known")
    millivolts = (lead.samples * lead.resolution + lead.offset) * millivolts_per(unit)
    _refuse_if(np.isinf(millivolts).any(), f"lead {lead.label} holds infinite values")
    return millivolts


def _facts(ecg: ECGRecord) -> dict[str, Any]:
    patient, date = ecg.patient, ecg.recording.date
    facts = {
        "patient": patient.patient_id or None,
        "age": None if patient.age is None or not 0 <= patient.age <= OLDEST_YEARS else float(patient.age),
        "sex": {"M": "male", "F": "female"}.get(patient.sex),
        "date": None if date is None else date.isoformat(),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _read_xml(path: Path) -> tuple[ECGRecord, float]:
    root = parse_xml_root(path.read_bytes())  # refuses entities, and reads no DTD
    if root.tag == "RestingECG":
        return GEMuseXMLParser().parse(path), _check_muse(root)
    if root.tag == "AnnotatedECG":
        ecg = HL7aECGParser().parse(path)
        _check_aecg(root)
        return ecg, ecg.raw_metadata["rhythm_time"]["sampling_rate_exact"]
    raise ValueError(f"{root.tag} is not known; known are GE MUSE (RestingECG) and HL7 aECG (AnnotatedECG)")


def _check_muse(root: Any) -> float:
    """The exact rate of a MUSE file whose rhythm strip states what ecgdatakit would take for granted."""
    strips = root.findall("Waveform")
    kinds = [(strip.findtext("WaveformType") or "").strip().lower() for strip in strips]
    _refuse_if("" in kinds, "a Waveform does not state its WaveformType")
    strip = strips[kinds.index("rhythm")]
    sample_type = strip.findtext("SampleType", "CONTINUOUS_SAMPLES").strip()
    _refuse_if(sample_type != "CONTINUOUS_SAMPLES", f"its samples are {sample_type}, which is not known")
    leads = strip.findall("LeadData")
    stated = int(strip.findtext("NumberofLeads") or len(leads))
    _refuse_if(stated != len(leads), f"it states {stated} leads, but holds {len(leads)}")
    for lead in leads:
        name = lead.findtext("LeadID")
        _refuse_if(not lead.findtext("LeadSampleSize"), f"lead {name} does not state its LeadSampleSize")
        _refuse_if(float(lead.findtext("LeadTimeOffset") or 0) != 0, f"lead {name} is shifted in time")
    base, exponent = (_stated_number(strip.findtext(tag), tag) for tag in ("SampleBase", "SampleExponent"))
    return base * 10.0**exponent


def _check_aecg(root: Any) -> None:
    for series in root.findall("component/series"):
        kind = "".join(code.get("code", "") for code in series.findall("code"))
        _refuse_if(kind.upper() not in ("RHYTHM", "REPRESENTATIVE_BEAT"), f"a series of kind {kind!r} is not known")
        increments = set()
        for sequence in series.findall("component/sequenceSet/component/sequence"):
            name = sequence.find("code").get("code", "")
            if name.upper().startswith("TIME_"):
                increments.add(tuple(sorted(sequence.find("value/increment").attrib.items())))
                continue
            origin = sequence.find("value/origin")
            if _stated_number(None if origin is None else origin.get("value"), f"the origin of {name}") != 0:
                millivolts_per(origin.get("unit", ""))
        _refuse_if(len(increments) > 1, f"a series states several time increments: {sorted(increments)}")


def _read_dicom(path: Path) -> tuple[ECGRecord, float]:
    syntax = pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID")
    _refuse_if(syntax is None, "it does not state its transfer syntax")
    # inflated, a small file may fill the memory
    _refuse_if(syntax == pydicom.uid.DeflatedExplicitVRLittleEndian, "it is deflated; write it uncompressed")
    ecg = DICOMWaveformParser().parse(path)
    _refuse_if(not ecg.leads, "it holds no rhythm strip")
    groups = (group for group in pydicom.dcmread(path).WaveformSequence if group.get("WaveformData") is not None)
    strip = next(group for group in groups if not _MEDIAN.search(str(group.get("MultiplexGroupLabel"))))
    _refuse_if(not strip.get("WaveformSampleInterpretation"), "it does not state its sample interpretation")
    channels: Sequence[Any] = strip.get("ChannelDefinitionSequence") or []
    stated = strip.NumberOfWaveformChannels
    _refuse_if(len(channels) != stated, f"it states {stated} channels, but defines {len(channels)}")
    surplus = len(strip.WaveformData) - stated * strip.NumberOfWaveformSamples * strip.WaveformBitsAllocated // 8
    _refuse_if(surplus not in (0, 1), f"{surplus} bytes follow the samples that it states")  # 1 makes the length even
    rate = _stated_number(strip.get("SamplingFrequency"), "SamplingFrequency")
    for lead, channel in zip(ecg.leads, channels, strict=True):
        for name in ("ChannelSensitivity", "ChannelSensitivityCorrectionFactor", "ChannelBaseline"):
            _stated_number(channel.get(name), f"{name} of lead {lead.label}")
        skew = float(channel.get("ChannelSampleSkew") or 0) + float(channel.get("ChannelTimeSkew") or 0) * rate
        _refuse_if(abs(skew) > 0.5, f"lead {lead.label} is shifted by {skew:g} samples")
    return ecg, rate


def _read_scp(path: Path) -> tuple[ECGRecord, float]:
    ecg = SCPECGParser().parse(path)
    _refuse_if(any("start_sample" in lead.annotations for lead in ecg.leads), "its leads do not begin together")
    if ecg.recording.acquisition.signal.compression == "none":
        raw = path.read_bytes()
        pointers = struct.iter_unpack("<HII", raw[22 : 22 + (struct.unpack_from("<I", raw, 10)[0] - 16) // 10 * 10])
        begin = next(index for section, _, index in pointers if section == 6) - 1 + 16 + 6
        held = [num_bytes // 2 for num_bytes in struct.unpack_from(f"<{len(ecg.leads)}H", raw, begin)]
        stated = [len(lead.samples) for lead in ecg.leads]
        _refuse_if(held != stated, f"its leads state {stated} samples, but hold {held}")
    rate = ecg.leads[0].sampling_rate
    interval_us = ecg.raw_metadata["rhythm_sample_interval_us"]
    is_whole = rate > 0 and abs(interval_us - 1e6 / rate) < 1  # the file has whole µs: 3333 is 300 Hz
    return ecg, float(rate) if is_whole else 1e6 / interval_us


def _stated_number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{what} is not stated: {value!r}") from None
    _refuse_if(not np.isfinite(number), f"{what} is {number}")
    return number


def _refuse_if(wrong: Any, reason: str) -> None:
    if wrong:
        raise ValueError(reason)
