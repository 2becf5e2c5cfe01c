"""Files of ECG devices and archives: GE MUSE XML, HL7 aECG, DICOM, SCP-ECG and EDF. The only door to ecgdatakit.

ecgdatakit silently assumes missing values; here, a file that does not state its gain, unit or rate is refused. It is
given no more than what is read: of XML and SCP-ECG, the rhythm strip, the wanted leads and the patient. What is wrong
with median beats, annotations or other channels then refuses no file.
"""

import re
import tempfile
import textwrap
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ecgdatakit.models import ECGRecord, Lead
from ecgdatakit.parsing.helpers.xml import parse_xml_root
from ecgdatakit.parsing.parser import Parser
from ecgdatakit.parsing.parsers.ge_muse_xml import GEMuseXMLParser
from ecgdatakit.parsing.parsers.hl7_aecg import HL7aECGParser
from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser

from ecggan.data.readers.channels import Channel, faulty, holds_leads, needed_leads, to_record
from ecggan.data.readers.dicom import read_dicom
from ecggan.data.readers.edf import read_edf
from ecggan.data.readers.lead_names import LeadName, lead_names
from ecggan.data.readers.scp import reduce_scp
from ecggan.data.record import Record, millivolts_per
from ecggan.ecg import TWELVE_LEADS

DEVICE_SUFFIXES = (".xml", ".dcm", ".scp", ".edf")
LARGEST_FILE_MB = 64
OLDEST_YEARS = 120

_HARMLESS = re.compile("is not an integer; rounded", re.I)  # the rate, which is read exactly

Strip = tuple[ECGRecord, float, list[LeadName]]


@dataclass(frozen=True)
class _Wanted:
    """The wanted leads, what the user states of names, and the leads that are kept where the wanted ones are there."""

    leads: Sequence[str]
    stated: Mapping[str, str | None]
    kept: Sequence[str]

    def choose(self, names: Sequence[str]) -> tuple[list[int], list[LeadName]]:
        """The positions of the leads to keep, and what they are; all of them where a wanted one is not there."""
        meant = lead_names(names, self.stated)
        available = [name.lead for name in meant]
        kept = needed_leads(available, self.kept) if holds_leads(available, self.leads) else set(available)
        positions = [position for position, lead in enumerate(available) if lead in kept]
        return positions, [meant[position] for position in positions]


def read_device_file(
    path: str | Path,
    leads: Sequence[str] = TWELVE_LEADS,
    names: Mapping[str, str | None] | Sequence[tuple[str, str | None]] | None = None,
) -> Record:
    """Read the rhythm strip of a device's file, never its median beats; the suffix determines the format.

    Of several strips, the longest that holds the wanted leads. The facts hold no name and no date of birth; an age is
    in whole years, stated or computed from that date.

    Args:
        path: the file.
        leads: that must be sound, where the file has them.
        names: which lead the file means by a name, as [Layout][ecggan.data.record.Layout] has it.

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
    if path.suffix.lower() not in DEVICE_SUFFIXES:
        raise ValueError(f"{path}: the suffix {path.suffix!r} is not known; known are {', '.join(DEVICE_SUFFIXES)}")
    told = dict(names or ())
    try:
        if path.suffix.lower() == ".dcm":
            channels, facts = read_dicom(path, leads, told)
        elif path.suffix.lower() == ".edf":
            channels, facts = read_edf(path, told)
        else:
            read = _read_xml if path.suffix.lower() == ".xml" else _read_scp
            try:
                # the limb leads that nobody asked for are checked by the packer, but may be damaged
                ecg, sampling_rate, meant = read(path, _Wanted(leads, told, (*leads, *TWELVE_LEADS)))
            except Exception:
                ecg, sampling_rate, meant = read(path, _Wanted(leads, told, leads))
            rate = int(sampling_rate) if sampling_rate.is_integer() else sampling_rate
            channels = [_channel(lead, name, rate) for lead, name in zip(ecg.leads, meant, strict=True)]
            facts = _facts(ecg)
        facts = {name: fact for name, fact in facts.items() if name != "age" or 0 <= fact <= OLDEST_YEARS}
        return to_record(channels, leads, facts)
    except Exception as error:  # ecgdatakit's and pydicom's parsers raise errors of many kinds
        reason = textwrap.shorten(str(error), 400)
        raise ValueError(f"{path} cannot be read ({type(error).__name__}: {reason})") from error


def _channel(lead: Lead, name: LeadName, sampling_rate: int | float) -> Channel:
    try:
        return Channel(name.lead, _to_millivolts(lead, name), sampling_rate, name.fault)
    except ValueError as error:
        return faulty(name, sampling_rate, str(error))


def _to_millivolts(lead: Lead, name: LeadName) -> np.ndarray:
    gain = lead.adc_resolution  # 0 if the file has none; resolution is then 1, which is invented
    _refuse_if(not (np.isfinite(gain) and gain != 0), f"lead {name.lead} states no gain")
    unit = lead.resolution_unit
    _refuse_if(not unit, f"the unit {lead.adc_resolution_unit!r} of lead {name.lead} is no voltage that is known")
    millivolts = (lead.samples * lead.resolution + lead.offset) * millivolts_per(unit)
    _refuse_if(np.isinf(millivolts).any(), f"lead {name.lead} holds infinite values")
    return millivolts


def _parse(parser: Parser, content: bytes) -> ECGRecord:
    """What ecgdatakit reads of a content, if it has no doubt."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        file = Path(folder) / "file"
        file.write_bytes(content)
        try:
            ecg = parser.parse(file)
        except Exception as error:
            raise ValueError(str(error).replace(str(file), "it").replace(file.name, "it")) from error
    doubts = "; ".join(dict.fromkeys(str(w.message) for w in caught if not _HARMLESS.search(str(w.message))))
    _refuse_if(doubts, f"it is in doubt: {doubts}")
    return ecg


def _facts(ecg: ECGRecord) -> dict[str, Any]:
    patient, date = ecg.patient, ecg.recording.date
    facts = {
        "patient": patient.patient_id or None,
        "age": None if patient.age is None else float(patient.age),
        "sex": {"M": "male", "F": "female"}.get(patient.sex),
        "date": None if date is None else date.isoformat(),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _read_xml(path: Path, wanted: _Wanted) -> Strip:
    root = parse_xml_root(path.read_bytes())  # refuses entities, and reads no DTD
    read = {"RestingECG": _read_muse, "AnnotatedECG": _read_aecg}.get(root.tag)
    if read is None:
        raise ValueError(f"{root.tag} is not known; known are GE MUSE (RestingECG) and HL7 aECG (AnnotatedECG)")
    return read(root, wanted)


def _read_muse(root: ET.Element, wanted: _Wanted) -> Strip:
    strips = root.findall("Waveform")
    kinds = [(strip.findtext("WaveformType") or "").strip().lower() for strip in strips]
    rhythm = [strip for strip, kind in zip(strips, kinds, strict=True) if kind == "rhythm"]
    _refuse_if("" in kinds and not rhythm, "a Waveform does not state its WaveformType")
    _refuse_if(not rhythm, "No rhythm waveform")
    strip = _longest(
        rhythm, _leads_of_muse, lambda lead: len("".join((lead.findtext("WaveFormData") or "").split())), wanted
    )
    sample_type = strip.findtext("SampleType", "CONTINUOUS_SAMPLES").strip()
    _refuse_if(sample_type != "CONTINUOUS_SAMPLES", f"its samples are {sample_type}, which is not known")
    leads = strip.findall("LeadData")
    stated = int(strip.findtext("NumberofLeads") or len(leads))
    _refuse_if(stated != len(leads), f"it states {stated} leads, but holds {len(leads)}")
    kept, names = wanted.choose([name for name, _ in _leads_of_muse(strip)])
    for position, lead in enumerate(leads):
        if position not in kept:
            strip.remove(lead)
            continue
        name = lead.findtext("LeadID")
        _refuse_if(not lead.findtext("LeadSampleSize"), f"lead {name} does not state its LeadSampleSize")
        _refuse_if(float(lead.findtext("LeadTimeOffset") or 0) != 0, f"lead {name} is shifted in time")
    for child in list(root):
        if child is not strip and child.tag not in ("PatientDemographics", "TestDemographics"):
            root.remove(child)
    ecg = _parse(GEMuseXMLParser(), ET.tostring(root))
    base, exponent = (_stated_number(strip.findtext(tag), tag) for tag in ("SampleBase", "SampleExponent"))
    return ecg, base * 10.0**exponent, names


def _leads_of_muse(strip: ET.Element) -> list[tuple[str, ET.Element]]:
    return [((lead.findtext("LeadID") or "").strip(), lead) for lead in strip.findall("LeadData")]


def _read_aecg(root: ET.Element, wanted: _Wanted) -> Strip:
    series = [(part, each) for part in root.findall("component") for each in part.findall("series")]
    kinds = ["".join(code.get("code", "") for code in each.findall("code")).upper() for _, each in series]
    rhythm = [each for (_, each), kind in zip(series, kinds, strict=True) if kind == "RHYTHM"]
    others = [kind for kind in kinds if kind != "REPRESENTATIVE_BEAT"]
    _refuse_if(others and not rhythm, f"a series of kind {''.join(others[:1])!r} is not known")
    sets = [each for one in rhythm for each in one.findall("component/sequenceSet")]
    _refuse_if(not sets, "No rhythm series")
    strip = _longest(sets, _leads_of_aecg, lambda lead: len((lead.findtext("value/digits") or "").split()), wanted)
    for part, each in series:
        if strip not in each.findall("component/sequenceSet"):
            part.remove(each)
            continue
        for child in list(each):
            is_read = child.tag == "component" and strip in child
            if not is_read and child.tag in ("component", "subjectOf", "derivation"):
                each.remove(child)
    sequences = _leads_of_aecg(strip)
    kept, names = wanted.choose([name for name, _ in sequences])
    for position, (_, sequence) in enumerate(sequences):
        if position not in kept:
            _remove_sequence(strip, sequence)
    for name, position in zip(names, kept, strict=True):
        _check_sequence(sequences[position][1], name)
    increments = set()
    for sequence in strip.findall("component/sequence"):
        increment = sequence.find("value/increment")
        if _code_of(sequence).startswith("TIME_") and increment is not None:
            increments.add(tuple(sorted(increment.attrib.items())))
    _refuse_if(len(increments) > 1, f"a series states several time increments: {sorted(increments)}")
    ecg = _parse(HL7aECGParser(), ET.tostring(root))
    return ecg, ecg.raw_metadata["rhythm_time"]["sampling_rate_exact"], names


def _leads_of_aecg(strip: ET.Element) -> list[tuple[str, ET.Element]]:
    """All sequences but those of the time, by their codes."""
    sequences = strip.findall("component/sequence")
    return [(code, each) for each in sequences if not (code := _code_of(each)).startswith("TIME_")]


def _code_of(sequence: ET.Element) -> str:
    code = sequence.find("code")
    return "" if code is None else code.get("code", "").strip().upper()


def _remove_sequence(strip: ET.Element, sequence: ET.Element) -> None:
    for part in strip.findall("component"):
        if sequence in part:
            part.remove(sequence)


def _check_sequence(sequence: ET.Element, name: LeadName) -> None:
    """Raise unless its origin is stated, and name the lead as ecgdatakit knows it."""
    origin, code = sequence.find("value/origin"), sequence.find("code")
    value = None if origin is None else origin.get("value")
    if _stated_number(value, f"the origin of {_code_of(sequence)}") != 0 and origin is not None:
        millivolts_per(origin.get("unit", ""))
    if code is not None and name.lead in TWELVE_LEADS:
        code.set("code", f"MDC_ECG_LEAD_{name.lead.upper()}")


def _longest(
    strips: Sequence[ET.Element],
    leads_of: Callable[[ET.Element], list[tuple[str, ET.Element]]],
    size_of: Callable[[ET.Element], int],
    wanted: _Wanted,
) -> ET.Element:
    """Of the strips that hold the wanted leads, the longest; the first of several that are equal."""

    def rank(strip: ET.Element) -> tuple[bool, int]:
        leads = leads_of(strip)
        available = [name.lead for name in lead_names([name for name, _ in leads], wanted.stated)]
        return holds_leads(available, wanted.leads), max((size_of(lead) for _, lead in leads), default=0)

    return max(strips, key=rank)


def _read_scp(path: Path, wanted: _Wanted) -> Strip:
    content, names = reduce_scp(path.read_bytes(), wanted.choose)
    ecg = _parse(SCPECGParser(), content)
    rate = ecg.leads[0].sampling_rate
    interval_us = ecg.raw_metadata["rhythm_sample_interval_us"]
    is_whole = rate > 0 and abs(interval_us - 1e6 / rate) < 1  # the file has whole µs: 3333 is 300 Hz
    return ecg, float(rate) if is_whole else 1e6 / interval_us, names


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
