"""Text: a row a time point, a column a lead."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.readers.channels import Channel, channel, faulty, to_record
from ecggan.data.readers.lead_names import LeadName, is_no_signal, is_no_voltage, lead_names, unit_of_row
from ecggan.data.record import Layout, Record, millivolts_per, printable
from ecggan.ecg import TWELVE_LEADS, listed

TEXT_SUFFIXES = (".asc", ".csv", ".txt")
_LARGEST = 2**28  # bytes; 10 s of 12 leads take about 0.3 MB
_LONGEST_LINE = 2**16
_LOOKED_AT = 50  # rows, to find what separates the columns
_MISSING = ("", "-", "NA", "N/A", "#N/A", "<NA>", "null", "NULL", "None")  # as pandas reads them; nan is a number
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_COUNT = re.compile(r"\d{1,5}")
_EXCEL_SEPARATOR = re.compile(r"\"?sep=(?P<separator>[;,\t])\"?", re.I)
_SURELY_NO_SAMPLE = 6  # columns: 0, 1, 2 … is as good as never the first sample of so many leads, in µV
_MOST_COLUMNS_COUNTED = 100
_MOST_COLUMNS = 512


def read_text(path: str | Path, layout: Layout, leads: Sequence[str] = TWELVE_LEADS) -> Record:
    """Read one row a time point, one column a lead, separated by tabs, semicolons, commas or white space.

    A first row may name the leads ([ecggan.data.readers.lead_names][]), a second one their units. An empty cell is NaN.
    Where semicolons or white space separate, a comma is that of a decimal number.

    Args:
        path: the file.
        layout: what it does not state.
        leads: that must be sound, where the file has them.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: leads, unit or sampling rate are unknown, the columns are not as many as the leads, a cell of a lead
            is not a number, or the first row may be a header as well as a sample.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    check_text_size(path, path.stat().st_size)
    return parse_text(path.read_bytes(), layout, path, leads)


def check_text_size(what: str | Path, size: int) -> None:
    """Raise ValueError if a text is larger than that of any ECG."""
    if size > _LARGEST:
        raise ValueError(f"{what} has {size:,} bytes; a text file may have {_LARGEST:,}")


def parse_text(content: bytes, layout: Layout, path: Path, leads: Sequence[str] = TWELVE_LEADS) -> Record:
    """[read_text][] of a file's content; `path` is for the messages."""
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # as spreadsheets write "Unicode text"
            content = content.decode("utf-16").encode()
        head = _read_head(content, layout)
        if len(head.names or ()) > _MOST_COLUMNS:
            raise ValueError(f"its first row names {len(head.names or ()):,} columns; at most {_MOST_COLUMNS} are read")
        names = _names(head, layout)
        unit = layout.unit or next((name.unit for name in names if name.unit), None)
        complete = replace(layout, leads=[name.lead for name in names] or None, unit=unit).require(path)
        table = pd.read_csv(
            BytesIO(content),
            sep=head.separator or r"\s+",
            header=None,  # pandas would take a column without a name for an index
            skiprows=head.skipped,
            encoding="utf-8-sig",
            decimal="," if head.has_decimal_commas else ".",
            na_values=["-"],
            skipinitialspace=True,
            low_memory=False,  # or the type of a column may change on its way
        )
        while table.shape[1] > len(names) and table.iloc[:, -1].isna().all():  # a separator at the end of each row
            table = table.iloc[:, :-1]
        if table.shape[1] != len(names):
            raise ValueError(f"{table.shape[1]} columns, but {len(names)} leads are expected: {listed(complete.leads)}")
        channels = [
            _channel(table.iloc[:, position], name, layout.unit, complete.sampling_rate, head)
            for position, name in enumerate(names)
        ]
        return to_record(channels, leads, {})
    except ValueError as error:  # pandas' own errors and UnicodeDecodeError are ValueErrors too
        raise ValueError(f"{path} is not a table of numbers, one column a lead: {error}") from error


@dataclass(frozen=True)
class _Head:
    """What the first rows of a text show.

    Args:
        names: of the columns, or None if the first row is one of samples.
        units: cells of a row beneath the names; empty if there is none.
        separator: of the columns, None for white space.
        has_decimal_commas: rather than points.
        skipped: rows before the first of samples.
    """

    names: list[str] | None
    units: list[str]
    separator: str | None
    has_decimal_commas: bool
    skipped: int


def _read_head(content: bytes, layout: Layout) -> _Head:
    lines = [
        line[:_LONGEST_LINE].decode("utf-8-sig", "replace").strip(" \r")
        for line in content[: _LOOKED_AT * _LONGEST_LINE].splitlines()[:_LOOKED_AT]
    ]
    numbers = [number for number, line in enumerate(lines) if line.strip()]
    stated = _EXCEL_SEPARATOR.fullmatch(lines[numbers[0]]) if numbers else None
    numbers = numbers[1:] if stated is not None else numbers
    if not numbers:
        return _Head(None, [], None, False, 0)
    first, *others = (lines[number] for number in numbers)
    separator, has_commas = _separator(first, others, layout)
    separator = stated["separator"] if stated is not None else separator
    below = [_cells(line, separator) for line in others]
    cells = _cells_of_header(first, separator, len(below[0]) if below else 0)
    if not _is_header(cells, below, has_commas, layout):
        return _Head(None, [], separator, has_commas, numbers[0])
    texts = [cell for cell in below[0] if not _is_number(cell, has_commas)] if below else []
    if not texts or len(texts) < len([cell for cell in below[0] if cell]):
        return _Head(cells, [], separator, has_commas, numbers[0] + 1)
    if not any(unit_of_row(cell) or is_no_voltage(cell) for cell in below[0]) or len(below[0]) != len(cells):
        raise ValueError(f"its second row, {_shown(below[0])}, holds neither numbers nor the units of its columns")
    return _Head(cells, below[0], separator, has_commas, numbers[1] + 1)


def _separator(first: str, others: Sequence[str], layout: Layout) -> tuple[str | None, bool]:
    """What separates the columns, None for white space, and whether the comma is that of a decimal number."""
    samples = others or [first]
    for separator in (";", "\t"):
        rows = [line.split(separator) for line in samples if separator in line]
        is_filling = separator == "\t" and all("" in (cell.strip() for cell in row[1:-1]) for row in rows)
        ends_in_comma = any(cell.rstrip().endswith(",") for row in rows for cell in row)
        if rows and not is_filling and not ends_in_comma:
            return separator, any("," in cell for row in rows for cell in row)
    cells = [line.split() for line in samples]
    has_commas = any("," in line for line in samples)
    if has_commas and all(_WITH_COMMA.fullmatch(cell) or _is_number(cell) for row in cells for cell in row):
        # a row of one word, such as 0,001, is one number where one column is named, else two
        one = "," not in first if others and not _is_number(first.replace(",", "")) else len(layout.leads or ()) == 1
        if one or max(map(len, cells)) > 1:
            return None, True
    return ("," if has_commas else None), False


def _cells_of_header(line: str, separator: str | None, num_columns: int) -> list[str]:
    """The cells of the first row, which something else may separate where it names the columns."""
    cells = _cells(line.removeprefix("#").removeprefix("%").strip(" "), separator)
    if num_columns and len(cells) != num_columns:
        others = (_cells(line.lstrip("#% "), other) for other in (",", ";", "\t", None, " "))
        cells = next((each for each in others if len(each) == num_columns), cells)
    return cells


def _cells(line: str, separator: str | None) -> list[str]:
    cells = line.split() if separator is None else next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    return [cell.strip().strip("\"'").strip() for cell in cells]


def _is_header(cells: Sequence[str], below: Sequence[Sequence[str]], has_commas: bool, layout: Layout) -> bool:
    """Whether a first row names the columns.

    Raises:
        ValueError: it may do so, or hold the first sample.
    """
    numbers = [cell for cell in cells if cell and _is_number(cell, has_commas)]
    are_floats = len(numbers) >= _SURELY_NO_SAMPLE and all(cell.endswith(".0") for cell in numbers)
    whole = [cell.removesuffix(".0") if are_floats else cell for cell in numbers]
    counts = [int(cell) for cell in whole if _COUNT.fullmatch(cell)]
    is_count = len(counts) == len(numbers) and bool(counts)
    is_every = is_count and counts[0] in (0, 1) and counts == list(range(counts[0], counts[0] + len(counts)))
    told = {name for name, _ in layout.lead_names or ()}
    texts = [cell for cell in cells if cell and cell not in numbers]
    if texts:
        is_known = any(name.lead in TWELVE_LEADS for name in lead_names(cells, dict(layout.lead_names or ())))
        if numbers and not is_known and not (is_every and all(map(is_no_signal, texts))):
            raise ValueError(f"its first row, {_shown(cells)}, holds neither the names of leads nor numbers alone")
        return True
    if not is_count or not below or any(a >= b for a, b in pairwise(counts)):
        return False
    if set(numbers) <= told or (cells[0] == "" and is_every):  # as pandas writes an index
        return True
    has_fractions = not any(_COUNT.fullmatch(cell) for row in below for cell in row)
    if has_fractions and len(counts) > 1:
        return True
    if is_every and len(counts) >= _SURELY_NO_SAMPLE:
        return True
    if is_every or (counts[-1] < _MOST_COLUMNS_COUNTED and len(counts) >= _SURELY_NO_SAMPLE):
        if layout.leads is not None and len(layout.leads) != len(cells):  # which is refused anyway
            return False
        raise ValueError(
            f"its first row, {_shown(cells)}, may number the columns or hold the first sample: write a first row of "
            "lead names instead of it or before it, or say which leads the numbers are in data.layout.lead_names"
        )
    return False


def _names(head: _Head, layout: Layout) -> list[LeadName]:
    told = dict(layout.lead_names or ())
    if head.names is None:
        return lead_names(layout.leads or (), told)
    names = lead_names(head.names, told, layout.leads)
    return [_with_unit(name, cell) for name, cell in zip(names, head.units or [""] * len(names), strict=True)]


def _with_unit(name: LeadName, cell: str) -> LeadName:
    """A name with the unit that stands beneath it."""
    if not cell or is_no_voltage(cell):
        return name
    unit = unit_of_row(cell)
    if unit is None:
        return replace(name, fault=name.fault or f"the unit {printable(cell, 30)!r} of {name.lead} is no known voltage")
    if name.unit is not None and millivolts_per(unit) != millivolts_per(name.unit):
        return replace(name, fault=f"{name.lead} is in {name.unit} by its name, and in {unit} by the row beneath it")
    return replace(name, unit=unit)


def _channel(
    cells: "pd.Series", name: LeadName, unit: str | int | float | None, sampling_rate: int | float, head: _Head
) -> Channel:
    if cells.dtype.kind in "iuf":
        return channel(name, cells.to_numpy(np.float64), unit, sampling_rate)
    points = cells.astype(str).str.translate(str.maketrans(",.", ".,")) if head.has_decimal_commas else cells
    wrong = np.flatnonzero(pd.to_numeric(points, errors="coerce").isna() & cells.notna())
    row = int(wrong[0]) if len(wrong) else 0
    cell = printable(str(cells.iloc[row]), 60)
    fault = f"could not convert string to float: {cell!r} ({name.lead}, row {head.skipped + row + 1})"
    return faulty(name, sampling_rate, fault)


def _is_number(cell: str, has_commas: bool = False) -> bool:
    if cell in _MISSING:
        return True
    try:
        float(cell.replace(",", ".") if has_commas else cell)
    except ValueError:
        return False
    return True


def _shown(cells: Sequence[str]) -> str:
    return printable(", ".join(cells), 60)
