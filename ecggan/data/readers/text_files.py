"""Text: a row a time point, a column a lead."""

from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.record import Layout, Record, millivolts_per
from ecggan.ecg import canonical_lead

_LARGEST = 2**28  # bytes; 10 s of 12 leads take about 0.3 MB
_LONGEST_LINE = 2**16


def read_text(path: str | Path, layout: Layout) -> Record:
    """Read one row a time point, one column a lead, separated by white space, commas or semicolons.

    Where the first row names the leads, those names count; else the layout's do. An empty cell is NaN.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: leads, unit or sampling rate are not known, the number of columns is another than that of the leads,
            or a cell is not a number.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes; a text file may have {_LARGEST:,}")
    try:
        with path.open(encoding="utf-8-sig") as file:  # spreadsheets begin a csv with a byte-order mark
            first = file.readline(_LONGEST_LINE).strip()
        separator = next((mark for mark in ";," if mark in first), None)  # None: white space
        fields = [field.strip().strip("\"'") for field in first.split(separator)]
        has_names = not all(_is_number(field) for field in fields)
        leads = fields if has_names else layout.leads
        unknown = [what for what, said in (("leads", leads), *_rate_and_unit(layout)) if said is None]
        if unknown or leads is None or layout.unit is None or layout.sampling_rate is None:
            raise ValueError(
                f"its {' and '.join(unknown)} are not known: say it in data.layout, or beside it in "
                f"{path.with_suffix('.json').name} or ecg.json"
            )
        # names apart from the numbers: pandas would take a column that the header does not name for an index
        skipped = 1 if has_names else 0
        table = pd.read_csv(path, sep=separator or r"\s+", header=None, skiprows=skipped, encoding="utf-8-sig")
        millivolts = table.to_numpy(dtype=np.float64).T * millivolts_per(layout.unit)
        names = tuple(map(canonical_lead, leads))
        if len(millivolts) != len(names):
            raise ValueError(f"{len(millivolts)} columns, but {len(names)} leads are expected: {', '.join(names)}")
        return Record(millivolts, names, layout.sampling_rate)
    except ValueError as error:  # pandas' own errors and UnicodeDecodeError are ValueErrors too
        raise ValueError(f"{path} is not a table of numbers, one column a lead: {error}") from error


def _rate_and_unit(layout: Layout) -> tuple[tuple[str, object], ...]:
    return ("sampling rate", layout.sampling_rate), ("unit", layout.unit)


def _is_number(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True
