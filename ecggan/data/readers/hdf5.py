"""HDF5 files, such as CODE-15 %: arrays of records, or an array a record. The only door to h5py.

Datasets are (record, lead, time) or (record, time, lead), and without the first axis where they are one record, in any
group. A dataset's attributes, or the file's, may state `leads`, `sampling_rate` and `unit`. External links,
external storage and virtual datasets are not read.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ecggan.data.readers.collection import (
    LAYOUT_KEYS,
    MOST_RECORDS,
    check_record_size,
    is_numeric,
    locate_records,
    to_record,
    with_stated,
)
from ecggan.data.record import Layout, Record, in_one_line

_LARGEST_CHUNK = 2**28  # bytes: so many are inflated for one record
_MOST_COMPRESSION = 2000  # largest compression ratio; deflate's is at most 1032
_DEEPEST = 32


class HDF5:
    """A file of ECGs, open.

    Args:
        path: the file.
        layout: what the file does not state.

    Raises:
        ValueError: it is damaged, holds no such array, or the layout does not fit it.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self._columns = path, layout.leads
        self.file = h5py.File(path, "r", locking=False)  # file systems of clusters often have no locks
        self.datasets = dict(_datasets(self.file))
        numeric = {name: each for name, each in self.datasets.items() if is_numeric(each.dtype)}
        shapes = {name: each.shape for name, each in numeric.items()}
        self._layout = _with_stated_layout(layout, self.file.attrs)
        candidates = [name for name, shape in shapes.items() if len(shape) in (2, 3) and layout.array in (None, name)]
        for name in candidates:
            self._check(numeric[name], f"{path}, {name}")
        first = [numeric[name].attrs for name in candidates[:1]]
        located = _with_stated_layout(self._layout, first[0]) if first else self._layout
        self.names, self.locations = locate_records(shapes, located, path)

    def read(self, position: int, leads: Sequence[str]) -> Record:
        location = self.locations[position]
        dataset = self.datasets[location.array]
        values = dataset[()] if location.row is None else dataset[location.row]
        layout = _with_stated_layout(self._layout, dataset.attrs)
        return to_record(values, location.has_leads_first, layout, self.path, leads, self._columns)

    def _check(self, dataset: h5py.Dataset, what: str) -> None:
        _check_location(dataset, what)
        check_record_size(dataset.shape, dataset.dtype.itemsize, what)
        chunk = prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
        if chunk > _LARGEST_CHUNK:
            raise ValueError(f"{what} is cut into chunks of {chunk:,} bytes; one may have {_LARGEST_CHUNK:,}")
        stored, size = dataset.id.get_storage_size(), prod(dataset.shape) * dataset.dtype.itemsize
        if size > stored * (_MOST_COMPRESSION if dataset.chunks else 1):
            raise ValueError(f"{what} states {size:,} bytes of samples, but {stored:,} are stored")


def read_column(path: Path, name: str) -> np.ndarray:
    """A dataset of one axis, such as the numbers of exams.

    Raises:
        ValueError: the file is damaged, or has no such dataset.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            dataset = dict(_datasets(file)).get(name)
            if dataset is None or len(dataset.shape) != 1 or not is_numeric(dataset.dtype):
                raise ValueError(f"it has no dataset {name!r} of one axis of numbers")
            _check_location(dataset, f"{path}, {name}")
            if dataset.shape[0] > MOST_RECORDS:
                raise ValueError(f"{name!r} states {dataset.shape[0]:,} records; one file may hold {MOST_RECORDS:,}")
            return dataset[()]
    except Exception as error:  # h5py fails in many ways
        raise ValueError(f"{path} cannot be read ({in_one_line(error)})") from error


def _check_location(dataset: h5py.Dataset, what: str) -> None:
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"{what} is stored in other files, which are not read")


def _with_stated_layout(layout: Layout, attributes: Mapping[str, Any]) -> Layout:
    return with_stated(layout, {name: _plain(attributes[name]) for name in LAYOUT_KEYS if name in attributes})


def _plain(value: Any) -> Any:
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


def _datasets(group: h5py.Group, above: str = "", depth: int = 0) -> Iterator[tuple[str, h5py.Dataset]]:
    """All datasets of a file by their paths; links, which may form a circle, are not followed."""
    if depth > _DEEPEST or len(group) > MOST_RECORDS:
        raise ValueError("its groups are too many, or lie too deep")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        found = group[name]
        if isinstance(found, h5py.Group):
            yield from _datasets(found, f"{above}{name}/", depth + 1)
        elif isinstance(found, h5py.Dataset):
            yield f"{above}{name}", found
