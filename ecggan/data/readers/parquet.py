"""Parquet files: a row a record with its signals as lists, or a table of leads that is one record.

Signals are one column of lists of lists, (lead, time) or (time, lead), or a column of lists for each lead, by name.
Files of our export state leads, rate and unit in the file's metadata; the columns `record`, `patient`, `age`, `sex` and
`split` become facts.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ecggan.data.readers.collection import (
    LARGEST_RECORD,
    LAYOUT_KEYS,
    MOST_RECORDS,
    RecordLocation,
    locate_records,
    named_record,
    to_record,
    with_stated,
)
from ecggan.data.readers.lead_names import LeadName, lead_names
from ecggan.data.record import Layout, Record, years
from ecggan.ecg import TWELVE_LEADS

_METADATA = b"ecggan"
_LARGEST_ROW_GROUP = 2**30  # bytes, of the signals: so many are in memory at once
_OTHERS = ("record", "patient", "age", "sex", "split")
_SPLITS = ("train", "validation", "test")


class Parquet:
    """A file of ECGs, open.

    Args:
        path: the file.
        layout: what the file does not state.

    Raises:
        ValueError: it is damaged, holds no signals, or the layout does not fit it.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.file = pq.ParquetFile(path)
        schema = self.file.schema_arrow
        self._layout = _with_stated_layout(layout, schema.metadata or {}, path)
        self._user_columns = layout.leads
        self._columns, self._names_of_leads, self._is_table = _signal_columns(schema, self._layout, path)
        self._layout = with_stated(self._layout, {"units": _stated_units(schema, self._columns)})
        rows = [self.file.metadata.row_group(i).num_rows for i in range(self.file.num_row_groups)]
        self._first_rows = np.concatenate([[0], np.cumsum(rows)])
        if self._first_rows[-1] > MOST_RECORDS and not self._is_table:
            raise ValueError(f"{path} states {self._first_rows[-1]:,} records; one file may hold {MOST_RECORDS:,}")
        self._others = [name for name in _OTHERS if name in schema.names]
        self.names: Sequence[str] = [path.stem] if self._is_table else self._names(int(self._first_rows[-1]))
        self._group = lru_cache(maxsize=1)(self._read_group)

    def read(self, position: int, leads: Sequence[str]) -> Record:
        if self._is_table:
            table = pa.concat_tables([self._read_group(i) for i in range(self.file.num_row_groups)])
            signals = [table[name].to_numpy() for name in self._columns]
            return named_record(self._names_of_leads, signals, self._layout, self.path, leads, {})
        group = int(np.searchsorted(self._first_rows, position, side="right")) - 1
        row = self._group(group).slice(position - self._first_rows[group], 1)
        facts = _facts(row, self._others)
        if self._names_of_leads:
            signals = [_flat(row[name].combine_chunks(), self.path) for name in self._columns]
            return named_record(self._names_of_leads, signals, self._layout, self.path, leads, facts)
        lists = row[self._columns[0]].combine_chunks().flatten()
        values = _flat(lists, self.path)
        if not len(lists) or len(values) % len(lists):
            raise ValueError(f"{self.path}, record {position}: its lists are of different lengths, or there is none")
        values = values.reshape(len(lists), -1)
        location: RecordLocation = locate_records(
            {"signal": values.shape}, replace(self._layout, array=None), self.path
        )[1][0]
        has_leads_first, columns = location.has_leads_first, self._user_columns
        return to_record(values, has_leads_first, self._layout, self.path, leads, columns, **facts)

    def _read_group(self, number: int) -> pa.Table:
        metadata = self.file.metadata.row_group(number)
        size = metadata.total_byte_size
        if size > _LARGEST_ROW_GROUP:
            raise ValueError(
                f"{self.path} has a row group of {size:,} bytes, which would be read whole; write it with row groups "
                "of fewer rows, such as pyarrow.parquet.write_table(…, row_group_size=256)"
            )
        return self.file.read_row_group(number, [*self._columns, *self._others], use_threads=False)

    def _names(self, count: int) -> Sequence[str]:
        if "record" not in self._others:
            return list(map(str, range(count)))
        return [str(name) for name in self.file.read(["record"], use_threads=False)["record"].to_pylist()]


def _with_stated_layout(layout: Layout, metadata: dict[bytes, bytes], path: Path) -> Layout:
    if _METADATA not in metadata:
        return layout
    try:
        stated = json.loads(metadata[_METADATA])
        return with_stated(layout, {name: stated[name] for name in LAYOUT_KEYS if name in stated})
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: its metadata of ECGs cannot be read ({error})") from error


def _stated_units(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    """What the metadata of the file or of its signals say for their unit."""
    metadata = [schema.metadata or {}, *(schema.field(name).metadata or {} for name in columns)]
    return [each[key].decode(errors="replace") for each in metadata for key in (b"unit", b"units") if key in each]


def _signal_columns(schema: pa.Schema, layout: Layout, path: Path) -> tuple[list[str], list[LeadName], bool]:
    """Which columns hold signals, their leads if there is one for each, and whether all rows are one record."""
    nested = [field.name for field in schema if _depth(field.type) == 2]
    if layout.array is not None:
        if layout.array not in nested:
            raise ValueError(f"{path} has no column {layout.array!r} of lists of lists; it has {schema.names[:20]}")
        return [layout.array], [], False
    if len(nested) == 1:
        return nested, [], False
    if nested:
        raise ValueError(f"{path} has several columns of lists of lists ({nested}); name one in data.layout.array")
    depth_of = {
        field.name: _depth(field.type)
        for field in schema
        if _depth(field.type) in (0, 1) and field.name not in _OTHERS and not field.name.startswith("__index_level_")
    }
    named = zip(depth_of, lead_names(list(depth_of), dict(layout.lead_names or ()), layout.leads), strict=True)
    leads = {column: name for column, name in named if name.lead in TWELVE_LEADS}
    depths = {depth_of[column] for column in leads}
    if len(depths) != 1:
        raise ValueError(
            f"{path} holds no signals: no column of lists of lists, and no column a lead; it has {schema.names[:20]}"
        )
    return list(leads), list(leads.values()), depths == {0}


def _depth(kind: pa.DataType) -> int:
    """How many lists enclose a number; -1 if it is no number."""
    depth = 0
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind, depth = kind.value_type, depth + 1
    return depth if pa.types.is_integer(kind) or pa.types.is_floating(kind) else -1


def _flat(lists: pa.Array, path: Path) -> np.ndarray:
    """The numbers of equally long lists, one after the other."""
    lengths = {len(each) for each in lists} if lists.null_count == 0 else {0, 1}
    if len(lengths) != 1:
        raise ValueError(f"{path}: the lists of a record are missing or of different lengths")
    values = lists.flatten()
    if values.nbytes > LARGEST_RECORD:
        raise ValueError(f"{path} has a record of {values.nbytes:,} bytes; one may have {LARGEST_RECORD:,}")
    return values.to_numpy(zero_copy_only=False)  # a missing number is NaN


def _facts(row: pa.Table, names: Sequence[str]) -> dict[str, Any]:
    stated = {name: row[name][0].as_py() for name in names if name != "record"}
    facts = {
        "patient": None if stated.get("patient") is None else str(stated["patient"]),
        "age": age if isfinite(age := years(stated.get("age"))) else None,
        "sex": stated.get("sex") if stated.get("sex") in ("male", "female") else None,
        "split": stated.get("split") if stated.get("split") in _SPLITS else None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}
