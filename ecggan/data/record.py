"""A record before and after it is read, in mV with its leads by name, and the layout of files that do not state it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ecggan import checks
from ecggan.ecg import TWELVE_LEADS, canonical_lead, listed

HIGHEST_RATE = 1_000_000  # Hz
# casefold() turns both signs for micro (U+00B5 and the Greek letter) into the Greek letter
_MILLIVOLTS_PER_UNIT = {
    **dict.fromkeys(("v", "volt", "volts"), 1e3),
    **dict.fromkeys(("mv", "millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("uv", "μv", "microvolt", "microvolts"), 1e-3),
    **dict.fromkeys(("nv", "nanovolt", "nanovolts"), 1e-6),
}
_UNIT = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)?\s*([^\W\d_]+)")


@dataclass(frozen=True)
class RecordReference:
    """A record before it is read.

    Args:
        record: its name, unique in the source.
        path: the file to open.
        facts: of the source (patient, split, age, sex, label …), as plain Python values; facts in the file take
            precedence.
        beside: other files that the reader uses; a change of one makes another set.
        position: of the record, in a file of many.
    """

    record: str
    path: Path
    facts: Mapping[str, Any]
    beside: tuple[Path, ...] = ()
    position: int | None = None


@dataclass(frozen=True)
class Record:
    """The ECG of a file, or one of a file of many.

    Args:
        millivolts: samples marked as invalid are NaN.
        leads: known ones by their own name ([canonical_lead][ecggan.ecg.canonical_lead]), others as in the file.
        sampling_rate: in Hz.
        facts: of the file, as plain Python values: `patient`, `age` (years), `sex` (male or female), `date`. A missing
            fact has no key.
    """

    millivolts: Float[np.ndarray, "lead time"]
    leads: tuple[str, ...]
    sampling_rate: int | float
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        twice = sorted({lead for lead in self.leads if self.leads.count(lead) > 1})
        if twice:
            raise ValueError(f"two leads have one name ({listed(twice)}); leads go by name, so rename one of them")
        for lead in self.leads:
            if not lead.isprintable():
                raise ValueError(f"the name of a lead is no text: {printable(lead)}")
        if len(self.millivolts) != len(self.leads):
            raise ValueError(f"{len(self.millivolts)} signals, but {len(self.leads)} lead names: {listed(self.leads)}")
        check_rate(self.sampling_rate)
        facts = {name: printable(fact) if isinstance(fact, str) else fact for name, fact in self.facts.items()}
        object.__setattr__(self, "facts", facts)


@dataclass(frozen=True)
class CompleteLayout:
    """A layout in which everything is known."""

    leads: tuple[str, ...]
    sampling_rate: int | float
    unit: str


@dataclass(frozen=True)
class Layout:
    """What some files do not state; what a file states takes precedence.

    Args:
        leads: of the columns, in their order; None if unknown. Where a file names its columns, they hold for names that
            are no known leads, if they contradict none that is.
        sampling_rate: in Hz, or None.
        unit: mV, uV (µV) or V, with any factor before it, as in ``0.4 mV``; None if unknown.
        array: which array of a file holds the ECGs; None if there is only one.
        lead_names: which lead a file means by a name, as a mapping; it takes precedence over all else. None for a name
            that is no lead. Kept as pairs, for layouts are hashed.
        factor: the amplitudes of every file are multiplied by it, for files that are known to state a wrong gain.
    """

    leads: Sequence[str] | None = None
    sampling_rate: int | float | None = None
    unit: str | int | float | None = None
    array: str | None = None
    lead_names: Mapping[Any, Any] | Sequence[tuple[str, str | None]] | None = None
    factor: int | float = 1

    def __post_init__(self) -> None:
        if self.lead_names is not None:
            object.__setattr__(self, "lead_names", _pairs(self.lead_names))
        if self.leads is not None:
            object.__setattr__(self, "leads", tuple(self.leads))  # a config hands over a list
        if self.sampling_rate is not None:
            check_rate(self.sampling_rate)
        if self.unit is not None:
            millivolts_per(self.unit)
        checks.positive("factor", self.factor)

    def require(self, path: Path) -> CompleteLayout:
        """Leads, rate and unit.

        Args:
            path: the file, for the message.

        Raises:
            ValueError: one of them is unknown; nothing is guessed.
        """
        if self.leads is not None and self.sampling_rate is not None and self.unit is not None:
            return CompleteLayout(tuple(self.leads), self.sampling_rate, str(self.unit))
        parts = (("leads", self.leads), ("sampling rate", self.sampling_rate), ("unit", self.unit))
        unknown = " and ".join(what for what, known in parts if known is None)
        raise ValueError(
            f"its {unknown} are not known: state it in data.layout, or beside it in {path.with_suffix('.json').name} "
            "or ecg.json"
        )


def _pairs(
    lead_names: Mapping[Any, Any] | Sequence[tuple[str, str | None]],
) -> tuple[tuple[str, str | None], ...]:
    """The pairs of a mapping, its numbers as text, as in ``{0: I}``."""
    if not isinstance(lead_names, Mapping):
        return tuple(lead_names)
    pairs = tuple((str(name), None if lead is None else canonical_lead(str(lead))) for name, lead in lead_names.items())
    wrong = next(((name, lead) for name, lead in pairs if lead not in (None, *TWELVE_LEADS)), None)
    if wrong is not None:
        raise ValueError(
            f"data.layout.lead_names says that {printable(wrong[0], 60)!r} is {printable(str(wrong[1]), 60)!r}; it "
            f"must be one of {', '.join(TWELVE_LEADS)}, or null for no lead, as in {{Ch1:I,Ch2:II,Ch3:null}}"
        )
    return pairs


def millivolts_per(unit: str | int | float) -> float:
    """How many mV one unit is; a number before its name multiplies it.

    Raises:
        ValueError: the unit is unknown, or its factor is not above 0.

    >>> millivolts_per("uV"), millivolts_per("0.4 mV"), millivolts_per("0.001 V")
    (0.001, 0.4, 1.0)
    """
    parts = _UNIT.fullmatch(str(unit).strip().casefold())
    millivolts = _MILLIVOLTS_PER_UNIT.get(parts[2]) if parts else None
    if parts is None or millivolts is None:
        raise ValueError(
            f"the unit {printable(str(unit), 30)!r} is not known; known are mV, uV (µV) and V, with any number before "
            "them, such as 0.4 mV"
        )
    factor = 1.0 if parts[1] is None else float(parts[1])
    if not 0 < factor < math.inf:
        raise ValueError(f"the unit {printable(str(unit), 30)!r} needs a number above 0 before {parts[2]}, or none")
    return millivolts * factor


def check_rate(sampling_rate: int | float) -> None:
    """Raise ValueError unless it is a rate, in Hz, that an ECG can have."""
    if not 0 < sampling_rate <= HIGHEST_RATE:
        shown = printable(str(sampling_rate), 30)
        raise ValueError(f"the sampling rate is {shown} Hz; it must be a number above 0, at most {HIGHEST_RATE:,}")


def printable(text: str, most: int = 400) -> str:
    r"""Text in one line of at most `most` characters, unprintable ones escaped.

    >>> printable("lead\n\udcff"), printable("a" * 9, most=5)
    ('lead \\udcff', 'aaaaa…')
    """
    line = " ".join(text[: 2 * most].split())
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
    return shown if len(shown) <= most else f"{shown[:most]}…"


def in_one_line(error: Exception) -> str:
    r"""An error of a library as one line, for our messages.

    >>> in_one_line(ValueError("no\n  room"))
    'ValueError: no room'
    """
    return " ".join(f"{type(error).__name__}: {error}".split())


def years(text: Any) -> float:
    """An age as a file states it; NaN if it is none.

    >>> years("61"), years("Unknown"), years("-3")
    (61.0, nan, nan)
    """
    try:
        number = float(text)
    except (TypeError, ValueError):
        return math.nan
    return number if 0 <= number < 130 else math.nan
