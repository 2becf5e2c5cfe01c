"""What the readers of files of many records have in common."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ecggan.data.readers.channels import channel
from ecggan.data.readers.channels import to_record as channels_to_record
from ecggan.data.readers.lead_names import LeadName, lead_names
from ecggan.data.record import Layout, Record, printable

LARGEST_RECORD = 2**28  # bytes, before they are floats; a day of 12 leads at 500 Hz has fewer than 2^30
MOST_RECORDS = 1_000_000  # in one file
LAYOUT_KEYS = ("leads", "sampling_rate", "unit", "units")
# what files write for a unit that is a step of the recorder, or none at all
_NO_VOLTAGE = re.compile(
    r"|[\d.e+-]+|lsbs?|adus?|adc|a\.?u\.?|au|arb.*|counts?|digits?|bits?|raw|steps?|units?|none|null|nan|n/?a|nu|"
    r"unknown|unspecified|undefined|unitless|dimensionless|normali[sz]ed|-+|\?+"
)


@runtime_checkable
class Collection(Protocol):
    """An open file of many records."""

    @property
    def names(self) -> Sequence[str]:
        """Of its records; unique."""
        ...

    def read(self, position: int, leads: Sequence[str]) -> Record:
        """The record at a position, from 0.

        Args:
            position: of the record.
            leads: that must be sound, where the file has them.

        Raises:
            ValueError: it is damaged.
        """
        ...


@dataclass(frozen=True)
class RecordLocation:
    """Where a record is stored in a file of arrays.

    Args:
        array: its name.
        row: of an array with an axis of records; None if the whole array is the record.
        has_leads_first: whether the axis of leads precedes that of time.
    """

    array: str
    row: int | None
    has_leads_first: bool


def locate_records(
    shapes: Mapping[str, Sequence[int]], layout: Layout, path: Path
) -> tuple[list[str], list[RecordLocation]]:
    """Names and locations of the records in arrays of these shapes: two axes are one record, three axes many.

    The axis of the leads is the one whose length is their number; if both axes have it, the file is refused.

    Args:
        shapes: of the numeric arrays of a file, by name.
        layout: its `array` chooses one of them.
        path: the file, for the messages.

    Raises:
        ValueError: the leads are not known, no array can be one of ECGs, or several can and none is chosen.
    """
    unit = layout.unit or next((name.unit for name in lead_names(layout.leads or ()) if name.unit), None)
    num_leads = len(replace(layout, unit=unit).require(path).leads)
    wanted = {name: shape for name, shape in shapes.items() if len(shape) in (2, 3)}
    if layout.array is not None:
        if layout.array not in wanted:
            raise ValueError(
                f"{path} has no array {layout.array!r} of numbers with two or three axes (data.layout.array); "
                f"it has {_listed(shapes)}"
            )
        wanted = {layout.array: wanted[layout.array]}
    if not wanted:
        raise ValueError(f"{path} holds no array of numbers with two or three axes; it has {_listed(shapes)}")
    if len(wanted) > 1 and any(len(shape) == 3 for shape in wanted.values()):
        raise ValueError(
            f"{path} holds several arrays ({_listed(wanted)}); name one in data.layout.array, or as `array` in "
            f"{path.with_suffix('.json').name}"
        )
    empty = [name for name, shape in wanted.items() if not prod(shape)]
    if empty:
        raise ValueError(f"{path}, {empty[0]}: there is no sample in an array of {tuple(wanted[empty[0]])}")
    count = sum(shape[0] if len(shape) == 3 else 1 for shape in wanted.values())
    if count > MOST_RECORDS:
        raise ValueError(f"{path} states {count:,} records; one file may hold {MOST_RECORDS:,}")
    names, locations = list[str](), list[RecordLocation]()
    for name, shape in wanted.items():
        has_leads_first = _axis_of_leads(shape[-2:], num_leads, f"{path}, {name}") == 0
        if len(shape) == 3:
            names += map(str, range(shape[0]))
            locations += [RecordLocation(name, row, has_leads_first) for row in range(shape[0])]
        else:
            names.append(name)
            locations.append(RecordLocation(name, None, has_leads_first))
    return names, locations


def to_record(
    values: np.ndarray,
    has_leads_first: bool,
    layout: Layout,
    path: Path,
    leads: Sequence[str],
    columns: Sequence[str] | None = None,
    **facts: Any,
) -> Record:
    """Two axes of numbers in the unit of the layout, or of their names, as a record in mV.

    Args:
        values: of all leads of the layout.
        has_leads_first: whether the axis of leads precedes that of time.
        layout: of the file; its leads as the file has them, where it names them.
        path: the file, for the messages.
        leads: that must be sound.
        columns: the user's names of the leads, where the file has its own.
        facts: of the record.
    """
    names = lead_names(layout.leads or (), dict(layout.lead_names or ()), columns)
    return named_record(names, values if has_leads_first else values.T, layout, path, leads, facts)


def named_record(
    names: Sequence[LeadName],
    signals: Iterable[np.ndarray],
    layout: Layout,
    path: Path,
    leads: Sequence[str],
    facts: Mapping[str, Any],
) -> Record:
    """Signals of these names in the unit of the layout, or of their names, as a record in mV."""
    unit = layout.unit or next((name.unit for name in names if name.unit), None)
    complete = replace(layout, leads=[name.lead for name in names] or None, unit=unit).require(path)
    channels = [
        channel(name, signal, layout.unit, complete.sampling_rate) for name, signal in zip(names, signals, strict=True)
    ]
    return channels_to_record(channels, leads, facts)


def with_stated(layout: Layout, stated: Mapping[str, Any]) -> Layout:
    """The layout with what a file states of `LAYOUT_KEYS`, which takes precedence.

    A unit that names no voltage (LSB, counts, a number, nothing) says nothing: that of the layout then holds.

    Raises:
        ValueError: the file states several units, or one that is not known, or none where the layout has none either.
    """
    changes = {name: stated[name] for name in ("leads", "sampling_rate") if name in stated}
    units = {text for name in ("unit", "units") if name in stated for text in _texts(stated[name])}
    if len(units) > 1:
        raise ValueError(
            f"it states several units ({', '.join(sorted(units))}); write all leads in one, which is stated once"
        )
    for unit in units:
        if not _NO_VOLTAGE.fullmatch(unit.casefold()):
            changes["unit"] = unit
        elif layout.unit is None and unit:
            raise ValueError(
                f"it states the unit {unit!r}, which names no voltage; state what one of it is, such as "
                "data.layout.unit='2.5 uV', or in a sidecar"
            )
    return replace(layout, **changes)


def _texts(stated: Any) -> set[str]:
    each = stated if isinstance(stated, list | tuple) else [stated]
    return {printable(str(unit), 30).strip() for unit in each if isinstance(unit, str | int | float)}


def is_numeric(dtype: np.dtype) -> bool:
    return dtype.kind in "iuf"


def check_record_size(shape: Sequence[int], itemsize: int, what: str) -> None:
    """Raise ValueError before memory is allocated for a record larger than any ECG."""
    size = prod(shape[-2:]) * itemsize
    if size > LARGEST_RECORD:
        raise ValueError(f"{what} has records of {size:,} bytes; one may have {LARGEST_RECORD:,}")


def _axis_of_leads(shape: Sequence[int], num_leads: int, what: str) -> int:
    axes = [axis for axis, length in enumerate(shape) if length == num_leads]
    if len(axes) != 1:
        which = "no axis" if not axes else "more than one axis"
        raise ValueError(
            f"{what}: of the shape {tuple(shape)} of a record, {which} has the length of {num_leads} leads"
        )
    return axes[0]


def _listed(shapes: Mapping[str, Sequence[int]]) -> str:
    listed = [f"{name} {tuple(shape)}" for name, shape in list(shapes.items())[:6]]
    return ", ".join([*listed, "…"] if len(shapes) > len(listed) else listed) or "none"
