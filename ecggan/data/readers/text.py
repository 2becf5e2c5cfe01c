"""Text: a row a time point, a column a lead."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.record import Layout, Record, millivolts_per
from ecggan.ecg import canonical_lead, listed

TEXT_SUFFIXES = (".asc", ".csv", ".txt")
_LARGEST = 2**28  # bytes; 10 s of 12 leads take about 0.3 MB
_LONGEST_LINE = 2**16


def read_text(path: str | Path, layout: Layout) -> Record:
    """Read one row a time point, one column a lead, separated by white space, commas or semicolons.

    If the first row names the leads, it takes precedence over the layout. An empty cell is NaN.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: leads, unit or sampling rate are unknown, the columns are not as many as the leads, or a cell
            is not a number.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    check_text_size(path, path.stat().st_size)
    return parse_text(path.read_bytes(), layout, path)


def check_text_size(what: str | Path, size: int) -> None:
    """Raise ValueError if a text is larger than that of any ECG."""
    if size > _LARGEST:
        raise ValueError(f"{what} has {size:,} bytes; a text file may have {_LARGEST:,}")


def parse_text(content: bytes, layout: Layout, path: Path) -> Record:
    """[read_text][] of a file's content; `path` is for the messages."""
    try:
        first = (
            content[:_LONGEST_LINE].split(b"\n", 1)[0].decode("utf-8-sig").strip()
        )  # spreadsheets write a byte order mark
        separator = next((mark for mark in ";," if mark in first), None)  # None: white space
        fields = [field.strip().strip("\"'") for field in first.split(separator)]
        has_names = not all(_is_number(field) for field in fields)
        complete = (replace(layout, leads=fields) if has_names else layout).require(path)
        # the header is skipped: pandas takes a column without a name for an index
        skipped = 1 if has_names else 0
        table = pd.read_csv(
            BytesIO(content), sep=separator or r"\s+", header=None, skiprows=skipped, encoding="utf-8-sig"
        )
        millivolts = table.to_numpy(dtype=np.float64).T * millivolts_per(complete.unit)
        names = tuple(map(canonical_lead, complete.leads))
        if len(millivolts) != len(names):
            raise ValueError(f"{len(millivolts)} columns, but {len(names)} leads are expected: {listed(names)}")
        return Record(millivolts, names, complete.sampling_rate)
    except ValueError as error:  # pandas' own errors and UnicodeDecodeError are ValueErrors too
        raise ValueError(f"{path} is not a table of numbers, one column a lead: {error}") from error


def _is_number(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True
