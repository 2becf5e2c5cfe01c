"""Lead names as files write them: known spellings, the unit behind a name, and what the user states of any other.

`LeadI`, `EKG aVR`, `MDC_ECG_LEAD_V1`, `DII` and `I (mV)` are leads. A name that may mean something else is none:
`Lead 1` and `Ch1` may number channels, `C1` an electrode; `-aVR` is inverted, `MLII` a modified lead.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecggan.data.record import millivolts_per, printable
from ecggan.ecg import TWELVE_LEADS, canonical_lead

_PREFIX = re.compile(
    r"(?:[a-z]*_ecg_lead_|mdc_ecg_elec_potl_|ecg|ekg|electrocardiogram|lead|channel|derivation|derivación|derivação|"
    r"dérivation|ableitung)(?P<between>-|[ _:.]*)",
    re.I,
)
_SUFFIX = re.compile(r"(?:[ _]+lead|\s*\(einthoven\))$", re.I)
_OF_D = re.compile(r"D[ _]?(?P<number>[123]|I{1,3})", re.I)
_OF_V = re.compile(r"V[ _](?P<number>[1-6])", re.I)
_NUMBERING = {  # names that show that their siblings are numbered, not named
    "d": re.compile(r"D[ _]?(?:0|[4-9]|\d{2,})", re.I),
    "channel": re.compile(r"channel[ _:.-]*(?:IV|VI{0,3}|IX|X)", re.I),
}
_NO_SIGNAL = re.compile(
    r"(?:|#|unnamed:? ?\d*|index|time ?stamps?|(?:elapsed )?time|date ?time|date|t|s|sec(?:onds?)?|ms|"
    r"samples?(?: ?(?:#|number|index))?|frame)"
    r"(?:[ _]*[\[({/]?[ _]*(?:[mµμu]?s|sec(?:onds)?|milliseconds|samples|hh:mm:ss[.\w]*)[\])}]?)?",
    re.I,
)
_IN_BRACKETS = re.compile(r"(?P<name>.*?)\s*[\[({]\s*(?P<unit>[^\[\](){}]*v(?:olts?)?)\s*[\])}]", re.I)
_BEHIND = re.compile(r"(?P<name>.*?)(?:^|\s*[ _,:/]\s*)(?P<unit>[mµμu]v|(?:milli|micro)volts?)", re.I)
# what files write for a step of the recorder, or for no unit at all: the user's then holds
_NO_VOLTAGE = re.compile(r"(?:lsbs?|adus?|adc|a\.?u\.?|arb.*|counts?|digits?|bits?|nu|none|n/?a|unitless)", re.I)
_NO_VOLTAGE_IN_BRACKETS = re.compile(rf"(?P<name>.*?)\s*[\[({{]\s*{_NO_VOLTAGE.pattern}\s*[\])}}]", re.I)
_UNITS = {"millivolt": "mV", "microvolt": "uV", "volt": "V"}


@dataclass(frozen=True)
class LeadName:
    """What a file's name of a signal means.

    Args:
        lead: one of the twelve, or the name in printable form.
        unit: that the name states, or None.
        fault: why the signal cannot be taken; empty if it can.
    """

    lead: str
    unit: str | None
    fault: str = ""


def lead_names(
    names: Sequence[str], stated: Mapping[str, str | None] | None = None, columns: Sequence[str] | None = None
) -> list[LeadName]:
    """What the names of a file's signals mean.

    Args:
        names: in the file's order.
        stated: what the user states of a name (`data.layout.lead_names`), with or without its unit; it takes precedence
            over all else. A name of None is no lead.
        columns: the user's names of the columns (`data.layout.leads`). They hold where no name of the file contradicts
            them: for names that are no known lead, and unless they are more or fewer than the signals.
    """
    parts = [_split_unit(name) for name in names]
    told = {_folded(name): lead for name, lead in (stated or {}).items()}
    keys = [
        next((key for key in (_folded(name), _folded(base)) if key in told), None)
        for name, (base, _) in zip(names, parts, strict=True)
    ]
    known = _known_among([base for base, _ in parts])
    leads = _completed(known, names, columns)
    for position, key in enumerate(keys):
        if key is not None:
            leads[position] = told[key]
    by_user = {lead for key, lead in zip(keys, leads, strict=True) if key is not None}
    meant = [
        _other(name) if lead is None or (key is None and lead in by_user) else lead
        for name, key, lead in zip(names, keys, leads, strict=True)
    ]
    called = defaultdict[str, list[str]](list)
    for name, lead in zip(names, meant, strict=True):
        called[lead].append(name)
    return [LeadName(lead, unit, _ambiguous(lead, called[lead])) for lead, (_, unit) in zip(meant, parts, strict=True)]


def is_no_signal(name: str) -> bool:
    """Whether a column of this name holds the time or a number of the row.

    >>> [is_no_signal(name) for name in ("Timestamp", "time (s)", "sample #", "", "I", "Ch1")]
    [True, True, True, True, False, False]
    """
    return _NO_SIGNAL.fullmatch(name.strip().strip("\"'").strip()) is not None


def unit_of_row(cell: str) -> str | None:
    """The unit that a cell beneath a name states, such as ``mV`` or ``(uV)``; None if it states none."""
    name, unit = _split_unit(cell if _BEHIND.fullmatch(cell.strip()) or "(" in cell or "[" in cell else f"({cell})")
    return None if name else unit


def is_no_voltage(cell: str) -> bool:
    """Whether a cell beneath a name states that the column is in steps of the recorder, or in no unit."""
    return _NO_VOLTAGE.fullmatch(cell.strip().strip("[](){}").strip()) is not None


def _completed(known: Sequence[str | None], names: Sequence[str], columns: Sequence[str] | None) -> list[str | None]:
    """The known leads, and the user's columns for the others."""
    completed = list(known)
    if columns is None:
        return completed
    own = [known_lead(column) or column for column in columns]
    signals = [position for position, name in enumerate(names) if not is_no_signal(name)]
    if len(own) != len(signals):
        if len(own) != len(names) or any(
            is_no_signal(name) and lead in TWELVE_LEADS for name, lead in zip(names, own, strict=True)
        ):
            return completed
        signals = list(range(len(names)))
    if any(_is_in_another_unit(names[position]) for position in signals):
        return completed
    if all(known[position] in (None, lead) for position, lead in zip(signals, own, strict=True)):
        for position, lead in zip(signals, own, strict=True):
            completed[position] = lead
    return completed


def _known_among(names: Sequence[str]) -> list[str | None]:
    """The lead of each name, if it cannot mean anything else beside the others."""
    leads = [known_lead(name) for name in names]
    bare = [_bare(name) for name in names]
    counts_channels = any(_NUMBERING["channel"].fullmatch(name.strip()) for name in names)
    counts_d = any(_NUMBERING["d"].fullmatch(name) for name in bare)
    has_others = any(lead is not None for lead in leads)
    for position, name in enumerate(bare):
        if counts_channels and names[position].strip().casefold().startswith("channel"):
            leads[position] = None
        numbered = _OF_D.fullmatch(name)
        if numbered is not None and numbered["number"].isdigit() and has_others and not counts_d:
            leads[position] = "I" * int(numbered["number"])
    return leads


def known_lead(name: str) -> str | None:
    """The lead that a name means in any company; None for no known one.

    >>> [known_lead(name) for name in ("LeadI", "EKG aVR", "MDC_ECG_LEAD_II", "DIII", "Lead 1", "-aVR", "MLII")]
    ['I', 'aVR', 'II', 'III', None, None, None]
    """
    bare = _bare(name)
    of_d, of_v = _OF_D.fullmatch(bare), _OF_V.fullmatch(bare)
    if of_d is not None and not of_d["number"].isdigit():
        bare = of_d["number"]
    elif of_v is not None:
        bare = f"V{of_v['number']}"
    lead = canonical_lead(bare)
    return lead if lead in TWELVE_LEADS else None


def _bare(name: str) -> str:
    """A name without quotation marks and the words that stand about a lead."""
    bare = _SUFFIX.sub("", unicodedata.normalize("NFKC", name).strip().strip("\"'").strip())
    for _ in range(2):  # as in "ECG lead I"
        prefix = _PREFIX.match(bare)
        if prefix is None:
            break
        rest = bare[prefix.end() :]
        if prefix["between"] == "-" and rest.casefold() == "avr":  # may be the inverted one
            break
        bare = rest or bare
    return bare


def _split_unit(name: str) -> tuple[str, str | None]:
    r"""A name without the voltage in it, and the voltage.

    >>> _split_unit("I (mV)"), _split_unit("V1_uV"), _split_unit("I [mmHg]")
    (('I', 'mV'), ('V1', 'uV'), ('I [mmHg]', None))
    """
    text = name.strip().strip("\"'").strip()
    nothing = _NO_VOLTAGE_IN_BRACKETS.fullmatch(text)
    if nothing is not None:
        return nothing["name"], None
    found = _IN_BRACKETS.fullmatch(text) or _BEHIND.fullmatch(text)
    if found is None:
        return text, None
    unit = _UNITS.get(found["unit"].casefold().removesuffix("s"), found["unit"].strip())
    try:
        millivolts_per(unit)
    except ValueError:
        return text, None
    return found["name"].strip(), unit


def _is_in_another_unit(name: str) -> bool:
    """Whether a name is that of a lead with something in brackets that is no voltage, as in ``I (mmHg)``."""
    base, unit = _split_unit(name)
    lead = re.split(r"[\[({]", base)[0]
    return unit is None and lead != base and known_lead(base) is None and known_lead(lead) is not None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().strip("\"'").strip().casefold()


def _other(name: str) -> str:
    shown = printable(name.strip())
    return f"{shown} (not taken)" if shown in TWELVE_LEADS else shown


def _ambiguous(lead: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return ""
    called = " and ".join(repr(printable(name, 60)) for name in names[:3])
    return (
        f"two leads have one name ({lead}): {called}; leads go by name, so rename one of them, or say which is "
        "meant in data.layout.lead_names"
    )
