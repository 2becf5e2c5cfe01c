"""A record before and after it is read, in mV with its leads by name, and what a file may leave for the user to say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ecggan.ecg import listed

# casefold() turns both signs for micro (U+00B5 and the Greek letter) into the Greek letter
HIGHEST_RATE = 1_000_000  # Hz
_MILLIVOLTS_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "μv": 1e-3, "v": 1e3}


@dataclass(frozen=True)
class RecordReference:
    """A record before it is read.

    Args:
        record: its name, unique in the source.
        path: what the reader opens.
        facts: what the source knows of it (patient, split, age, sex, label …), as plain Python values; what the reader
            finds in the file goes before it.
        beside: other files that the reader looks into; a change of theirs makes another set.
        position: of the record, where the file holds many.
    """

    record: str
    path: Path
    facts: Mapping[str, Any]
    beside: tuple[Path, ...] = ()
    position: int | None = None


@dataclass(frozen=True)
class Record:
    """What one file holds, or one of its records where it holds many.

    Args:
        millivolts: samples marked as invalid are NaN.
        leads: known ones by their own name ([canonical_lead][ecggan.ecg.canonical_lead]), others as the file has them.
        sampling_rate: in Hz.
        facts: what else the file says, as plain Python values: `patient`, `age` (years), `sex` (male or female),
            `date`. Only what is there: no key with None.
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
        told = {name: printable(fact) if isinstance(fact, str) else fact for name, fact in self.facts.items()}
        object.__setattr__(self, "facts", told)


@dataclass(frozen=True)
class CompleteLayout:
    """A layout of which everything is known."""

    leads: tuple[str, ...]
    sampling_rate: int | float
    unit: str


@dataclass(frozen=True)
class Layout:
    """What a file may not say itself; what the file does say goes before it.

    Args:
        leads: of the columns, in their order; None where it is not known.
        sampling_rate: in Hz, or None.
        unit: mV, uV (µV) or V, or None.
        array: which one of a file of several arrays holds the ECGs; None where there is only one.
    """

    leads: Sequence[str] | None = None
    sampling_rate: int | float | None = None
    unit: str | None = None
    array: str | None = None

    def __post_init__(self) -> None:
        if self.leads is not None:
            object.__setattr__(self, "leads", tuple(self.leads))  # a config hands over a list
        if self.sampling_rate is not None:
            check_rate(self.sampling_rate)
        if self.unit is not None:
            millivolts_per(self.unit)

    def require(self, path: Path) -> CompleteLayout:
        """Leads, rate and unit.

        Args:
            path: the file that does not say them, for the message.

        Raises:
            ValueError: one of them is not known; what is not said is never guessed.
        """
        if self.leads is not None and self.sampling_rate is not None and self.unit is not None:
            return CompleteLayout(tuple(self.leads), self.sampling_rate, self.unit)
        parts = (("leads", self.leads), ("sampling rate", self.sampling_rate), ("unit", self.unit))
        unknown = " and ".join(what for what, known in parts if known is None)
        raise ValueError(
            f"its {unknown} are not known: say it in data.layout, or beside it in {path.with_suffix('.json').name} or "
            "ecg.json"
        )


def millivolts_per(unit: str) -> float:
    """What one of a unit is in mV.

    Raises:
        ValueError: it is no voltage that is known.

    >>> millivolts_per("uV")
    0.001
    """
    try:
        return _MILLIVOLTS_PER_UNIT[unit.strip().casefold()]
    except KeyError:
        raise ValueError(f"the unit {printable(unit, 30)!r} is not known; known are mV, uV (µV) and V") from None


def check_rate(sampling_rate: int | float) -> None:
    """Raise ValueError unless it is a rate, in Hz, that an ECG can have."""
    if not 0 < sampling_rate <= HIGHEST_RATE:
        shown = printable(str(sampling_rate), 30)
        raise ValueError(f"the sampling rate is {shown} Hz; it must be a number above 0, at most {HIGHEST_RATE:,}")


def printable(text: str, most: int = 400) -> str:
    r"""Text in one line that every file and terminal takes: what cannot be printed is escaped, and the rest cut off.

    >>> printable("lead\n\udcff"), printable("a" * 9, most=5)
    ('lead \\udcff', 'aaaaa…')
    """
    line = " ".join(text[: 2 * most].split())
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
    return shown if len(shown) <= most else f"{shown[:most]}…"


def in_one_line(error: Exception) -> str:
    r"""What a library raised, for a message of ours.

    >>> in_one_line(ValueError("no\n  room"))
    'ValueError: no room'
    """
    return " ".join(f"{type(error).__name__}: {error}".split())


def years(text: Any) -> float:
    """An age as a file writes it; NaN where it is none.

    >>> years("61"), years("Unknown"), years("-3")
    (61.0, nan, nan)
    """
    try:
        number = float(text)
    except (TypeError, ValueError):
        return math.nan
    return number if 0 <= number < 130 else math.nan
