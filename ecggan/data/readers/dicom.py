"""DICOM waveforms: the longest multiplex group that holds the wanted leads; nothing else of the file is decoded. The
only door to pydicom.

Source: DICOM PS3.3 C.10.9, PS3.16 CID 3001.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from ecggan.data.readers.channels import Channel, channel, faulty, holds_leads
from ecggan.data.readers.lead_names import LeadName, known_lead, lead_names
from ecggan.data.readers.scp import LEADS_OF_CODES
from ecggan.data.record import millivolts_per, printable

_READ = (
    "WaveformSequence", "PatientID", "PatientSex", "PatientAge", "PatientBirthDate", "AcquisitionDateTime",
    "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "StudyDate", "StudyTime",
)  # fmt: skip
_MEDIAN = re.compile("median|representative|average", re.I)
_TYPES = {
    (8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2",
    (32, "SL"): "i4", (32, "UL"): "u4", (64, "SV"): "i8", (64, "UV"): "u8",
}  # fmt: skip
_CODE = re.compile(r"(?:2:|5\.6\.3-9-)(\d{1,3})")
_YEARS_PER_UNIT = {"Y": 1.0, "M": 1 / 12, "W": 1 / 52, "D": 1 / 365.25}
_LONGEST_NAME = 60


def read_dicom(
    path: Path, wanted: Sequence[str], names: Mapping[str, str | None]
) -> tuple[list[Channel], dict[str, Any]]:
    """The channels of a file, and its facts.

    Raises:
        ValueError: it is damaged, holds no rhythm strip, or its strip does not state how its samples are stored.
    """
    with warnings.catch_warnings():  # pydicom warns of values, all of which are checked where they matter
        warnings.simplefilter("ignore")
        syntax = pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID")
        _refuse_if(syntax is None, "it does not state its transfer syntax")
        # a small file may inflate to fill the memory
        _refuse_if(syntax == pydicom.uid.DeflatedExplicitVRLittleEndian, "it is deflated; write it uncompressed")
        data = pydicom.dcmread(path, specific_tags=list(_READ))
        group, meant = _strip(data, wanted, names)
        order: Literal[">", "<"] = ">" if syntax == pydicom.uid.ExplicitVRBigEndian else "<"
        return _channels(group, meant, order), _facts(data)


def _strip(data: Dataset, wanted: Sequence[str], names: Mapping[str, str | None]) -> tuple[Dataset, list[LeadName]]:
    """Of the groups that are no median beats, the one that holds the wanted leads, the longest of several."""
    groups = [
        (group, lead_names([_name_of(each, i) for i, each in enumerate(_channels_of(group))], names))
        for group in data.get("WaveformSequence") or []
        if _value(group, "WaveformData") and not _MEDIAN.search(str(_value(group, "MultiplexGroupLabel") or ""))
    ]
    _refuse_if(not groups, "it holds no rhythm strip")

    def rank(group: Dataset, meant: Sequence[LeadName]) -> tuple[bool, float]:
        rate, count = (_number_or_none(_value(group, of)) for of in ("SamplingFrequency", "NumberOfWaveformSamples"))
        return holds_leads([name.lead for name in meant], wanted), (count or 0) / rate if rate and rate > 0 else 0.0

    return max(groups, key=lambda each: rank(*each))  # the first of several that are equal


def _channels(group: Dataset, meant: Sequence[LeadName], order: Literal[">", "<"]) -> list[Channel]:
    interpretation = str(_value(group, "WaveformSampleInterpretation") or "").strip().upper()
    _refuse_if(not interpretation, "it does not state its sample interpretation")
    bits = _stated_number(_value(group, "WaveformBitsAllocated"), "WaveformBitsAllocated")
    kind = _TYPES.get((int(bits), interpretation))
    _refuse_if(kind is None, f"samples of {bits:g} bits and the interpretation {interpretation!r} are not known")
    dtype = np.dtype(kind).newbyteorder(order)
    stated = int(_stated_number(_value(group, "NumberOfWaveformChannels"), "NumberOfWaveformChannels"))
    count = int(_stated_number(_value(group, "NumberOfWaveformSamples"), "NumberOfWaveformSamples"))
    _refuse_if(len(meant) != stated, f"it states {stated} channels, but defines {len(meant)}")
    content = bytes(group.WaveformData)
    size = stated * count * dtype.itemsize
    _refuse_if(len(content) < size, f"it has {len(content)} bytes of samples, and states {size}")
    surplus = len(content) - size
    _refuse_if(surplus not in (0, 1), f"{surplus} bytes follow the samples that it states")  # 1 makes the length even
    rate = _number_or_none(_value(group, "SamplingFrequency"))
    if rate is None or rate <= 0:
        raise ValueError("its Sampling Frequency is missing or no number above 0")
    steps = np.frombuffer(content[:size], dtype).reshape(count, stated).T
    padding = _value(group, "WaveformPaddingValue")
    is_padded = isinstance(padding, bytes) and len(padding) >= dtype.itemsize
    padded = np.frombuffer(padding[: dtype.itemsize], dtype)[0] if is_padded and padding is not None else None
    rate = int(rate) if rate.is_integer() else rate
    return [
        _channel(definition, name, step, padded, rate)
        for definition, name, step in zip(_channels_of(group), meant, steps, strict=True)
    ]


def _channel(definition: Dataset, name: LeadName, steps: np.ndarray, padding: Any, rate: int | float) -> Channel:
    try:
        sensitivity, correction, baseline = (
            _stated_number(_value(definition, of), f"{of} of lead {name.lead}")
            for of in ("ChannelSensitivity", "ChannelSensitivityCorrectionFactor", "ChannelBaseline")
        )
        _refuse_if(sensitivity == 0 or correction == 0, f"lead {name.lead} states no gain")
        skew = _number_or_none(_value(definition, "ChannelSampleSkew")) or 0.0
        skew += (_number_or_none(_value(definition, "ChannelTimeSkew")) or 0.0) * rate
        _refuse_if(abs(skew) > 0.5, f"lead {name.lead} is shifted by {skew:g} samples")
        unit = _unit_of(definition, name.lead)
        _refuse_if(_contradicts(definition, name.lead), f"lead {name.lead} has the code of another lead than its name")
    except ValueError as error:
        return faulty(name, rate, str(error))
    values = steps * (sensitivity * correction) + baseline
    if padding is not None and padding != 0:  # ECGToolkit states 0, which is an ordinary sample
        values[steps == padding] = np.nan
    return channel(name, values, unit, rate)


def _channels_of(group: Dataset) -> list[Dataset]:
    return list(_value(group, "ChannelDefinitionSequence") or [])


def _name_of(definition: Dataset, number: int) -> str:
    """The lead of the code, or the name in words."""
    source = _first(definition, "ChannelSourceSequence")
    lead = _lead_of_code(source)
    meaning, label = (str(_value(*of) or "").strip() for of in ((source, "CodeMeaning"), (definition, "ChannelLabel")))
    name = lead or meaning.split(",")[0] or label or f"Ch{number + 1}"
    return printable(name, _LONGEST_NAME)


def _lead_of_code(source: Dataset | None) -> str | None:
    code, scheme = (str(_value(source, of) or "").strip() for of in ("CodeValue", "CodingSchemeDesignator"))
    number = _CODE.fullmatch(f"2:{code}" if scheme == "MDC" and code.isdigit() else code)
    if number is None:
        return known_lead(code) if code.upper().startswith("MDC_ECG") else None
    return LEADS_OF_CODES.get(int(number[1]))


def _contradicts(definition: Dataset, lead: str) -> bool:
    source = _first(definition, "ChannelSourceSequence")
    coded = _lead_of_code(source)
    meant = known_lead(str(_value(source, "CodeMeaning") or "").split(",")[0])
    return coded == lead and meant not in (None, coded)


def _unit_of(definition: Dataset, lead: str) -> str:
    unit = _first(definition, "ChannelSensitivityUnitsSequence")
    stated = [str(_value(unit, of) or "").strip() for of in ("CodeValue", "CodeMeaning")]
    for each in stated:
        short = {"microvolt": "uV", "millivolt": "mV", "volt": "V"}.get(each.casefold().removesuffix("s"), each)
        try:
            millivolts_per(short)
        except ValueError:
            continue
        return short
    shown = printable(stated[0] or stated[1], 30)
    raise ValueError(f"the unit {shown!r} of lead {lead} is no voltage that is known")


def _facts(data: Dataset) -> dict[str, Any]:
    acquired, born = _acquired(data), _date(_text(data, "PatientBirthDate"))
    age = _text(data, "PatientAge").upper()
    years: float | None = None
    if re.fullmatch(r"\d{3}[DWMY]", age):
        years = float(int(int(age[:3]) * _YEARS_PER_UNIT[age[3]]))
    elif born is not None and acquired is not None:
        had_birthday = (acquired.month, acquired.day) >= (born.month, born.day)
        years = float(acquired.year - born.year - (not had_birthday))
    facts = {
        "patient": _text(data, "PatientID") or None,
        "age": years if years is not None and years >= 0 else None,
        "sex": {"M": "male", "F": "female"}.get(_text(data, "PatientSex").upper()),
        "date": None if acquired is None else acquired.isoformat(),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _acquired(data: Dataset) -> datetime | None:
    """Day and time of the recording; None unless both are stated."""
    texts = [_text(data, "AcquisitionDateTime")]
    texts += [_text(data, f"{of}Date") + _text(data, f"{of}Time") for of in ("Acquisition", "Content", "Study")]
    for text in texts:
        stated = re.match(r"(\d{8})(\d{2})(\d{2})?(\d{2})?", text)
        try:
            if stated is not None:
                return datetime.strptime("".join(part or "00" for part in stated.groups()), "%Y%m%d%H%M%S")
        except ValueError:
            continue
    return None


def _date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:8], "%Y%m%d")
    except ValueError:
        return None


def _text(data: Dataset, name: str) -> str:
    value = _value(data, name)
    return "" if value is None else str(value).strip()


def _first(data: Dataset, name: str) -> Dataset | None:
    sequence = _value(data, name)
    return sequence[0] if sequence else None


def _value(data: Dataset | None, name: str) -> Any:
    """The value of an element; None if there is none, or one that cannot be decoded."""
    try:
        return None if data is None else data.get(name)
    except Exception:  # pydicom decodes an element where it is asked for, and fails in many ways
        return None


def _number_or_none(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _stated_number(value: Any, what: str) -> float:
    number = _number_or_none(value)
    if number is None:
        raise ValueError(f"{what} is not stated: {printable(str(value), 30)!r}")
    return number


def _refuse_if(wrong: Any, reason: str) -> None:
    if wrong:
        raise ValueError(reason)
