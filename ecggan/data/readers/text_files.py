"""Text: a row a time point, a column a lead."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.record import Record, millivolts_per
from ecggan.ecg import canonical_lead


def read_text(path: str | Path, leads: Sequence[str], sampling_rate: int | float, unit: str) -> Record:
    """Read one row a time point, one column a lead, separated by white space, commas or semicolons.

    Where the first row names the leads, those names count; else `leads` do. An empty cell is NaN.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: the number of columns is another than that of the leads, or a cell is not a number.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    try:
        with path.open(encoding="utf-8-sig") as file:  # spreadsheets begin a csv with a byte-order mark
            first = file.readline().strip()
        separator = next((mark for mark in ";," if mark in first), None)  # None: white space
        fields = [field.strip().strip("\"'") for field in first.split(separator)]
        has_names = not all(_is_number(field) for field in fields)
        # names apart from the numbers: pandas would take a column that the header does not name for an index
        skipped = 1 if has_names else 0
        table = pd.read_csv(path, sep=separator or r"\s+", header=None, skiprows=skipped, encoding="utf-8-sig")
        millivolts = table.to_numpy(dtype=np.float64).T * millivolts_per(unit)
        names = tuple(map(canonical_lead, fields if has_names else leads))
        if len(millivolts) != len(names):
            raise ValueError(f"{len(millivolts)} columns, but {len(names)} leads are expected: {', '.join(names)}")
        return Record(millivolts, names, sampling_rate)
    except ValueError as error:  # pandas' own errors and UnicodeDecodeError are ValueErrors too
        raise ValueError(f"{path} is not a table of numbers, one column a lead: {error}") from error


def _is_number(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True
