"""NumPy files: ``.npy`` with one or many records, ``.npz`` with several arrays. Pickles are never read.

Arrays are (record, lead, time) or (record, time, lead), and without the first axis if they are one record. An `.npz`
may state `leads`, `sampling_rate`, `unit`, and the names of its records as `record`, as our export does.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecggan.data.readers.collection import (
    LAYOUT_KEYS,
    RecordLocation,
    check_record_size,
    is_numeric,
    locate_records,
    to_record,
    with_stated,
)
from ecggan.data.record import Layout, Record

_MOST_CHECKED = 2**28  # bytes; checking the checksum of a larger array would take as long as packing it
_LARGEST_FACT = 2**26  # bytes, of the arrays of an .npz that are not signals
_FACTS = (*LAYOUT_KEYS, "record")


@dataclass(frozen=True)
class _Npy:
    path: Path
    array: np.ndarray
    layout: Layout
    names: list[str]
    locations: list[RecordLocation]

    def read(self, position: int, leads: Sequence[str]) -> Record:
        location = self.locations[position]
        values = self.array if location.row is None else self.array[location.row]
        return to_record(values, location.has_leads_first, self.layout, self.path, leads)


def open_npy(path: Path, layout: Layout) -> _Npy:
    """Map an array.

    Raises:
        ValueError: it is damaged, holds objects, or the layout does not fit it.
    """
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or not is_numeric(array.dtype):
        raise ValueError(f"{path} holds no array of numbers")
    check_record_size(array.shape, array.itemsize, str(path))
    names, locations = locate_records({"array": array.shape}, replace(layout, array=None), path)
    return _Npy(path, array, layout, [path.stem] if locations[0].row is None else names, locations)


@dataclass(frozen=True)
class _Header:
    """Of an array within an archive, and where its values begin."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype
    begin: int


class _Npz:
    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.archive = zipfile.ZipFile(path)
        self.headers = {}
        self._member: tuple[str, zipfile.ZipExtFile] | None = None
        members = {info.filename.removesuffix(".npy"): info for info in self.archive.infolist()}
        for name, info in members.items():
            with self.archive.open(info) as member:
                if info.file_size <= _MOST_CHECKED:
                    while member.read(2**20):  # raises at the end where the checksum is wrong
                        pass
                    member.seek(0)
                header = _read_header(cast(zipfile.ZipExtFile, member), f"{path}, {name}")
            if header.begin + prod(header.shape) * header.dtype.itemsize != info.file_size:
                raise ValueError(
                    f"{path}, {name}: it states {header.shape}, which its {info.file_size:,} bytes are not"
                )
            self.headers[name] = header
        facts = {name: self._fact(name) for name in _FACTS if name in members}
        self.layout = with_stated(layout, {name: _plain(fact) for name, fact in facts.items() if name != "record"})
        self.columns = layout.leads
        shapes = {
            name: header.shape
            for name, header in self.headers.items()
            if name not in facts and is_numeric(header.dtype)
        }
        self.names, self.locations = locate_records(shapes, self.layout, path)
        for name in {location.array for location in self.locations}:
            header = self.headers[name]
            check_record_size(header.shape, header.dtype.itemsize, f"{path}, {name}")
            if header.is_fortran and len(header.shape) == 3:
                raise ValueError(f"{path}, {name}: its records do not lie one after the other (Fortran order)")
        stated = [str(name) for name in facts.get("record", np.empty(0)).ravel()]
        if len(stated) == len(self.names):
            self.names = stated

    def read(self, position: int, leads: Sequence[str]) -> Record:
        location = self.locations[position]
        header = self.headers[location.array]
        count = prod(header.shape[-2:])
        size = count * header.dtype.itemsize
        member = self._open(location.array)
        member.seek(header.begin + (location.row or 0) * size)
        content = member.read(size)
        if len(content) != size:
            raise ValueError(f"{self.path}, {location.array}: it ends before record {location.row or 0}")
        shape = header.shape[-2:]
        flat = np.frombuffer(content, header.dtype)
        values = flat.reshape(shape[::-1]).T if header.is_fortran else flat.reshape(shape)
        return to_record(values, location.has_leads_first, self.layout, self.path, leads, self.columns)

    def _open(self, name: str) -> zipfile.ZipExtFile:
        """The array, kept open: reading the next record is fast, inflating from the start is slow."""
        if self._member is None or self._member[0] != name:
            stored = f"{name}.npy" if f"{name}.npy" in self.archive.namelist() else name
            self._member = name, cast(zipfile.ZipExtFile, self.archive.open(stored))
        return self._member[1]

    def _fact(self, name: str) -> np.ndarray:
        header = self.headers[name]
        size = prod(header.shape) * header.dtype.itemsize
        if header.dtype.kind not in "iufU" or size > _LARGEST_FACT:
            raise ValueError(f"{self.path}, {name}: {header.dtype} {header.shape} is no text and no number")
        member = self._open(name)
        member.seek(header.begin)
        return np.frombuffer(member.read(size), header.dtype).reshape(header.shape)


def open_npz(path: Path, layout: Layout) -> _Npz:
    """Open an archive of arrays, without reading them.

    Raises:
        ValueError: it is damaged, or the layout does not fit it.
    """
    return _Npz(path, layout)


def _read_header(file: zipfile.ZipExtFile, what: str) -> _Header:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{what}: an array of version {version} is not known")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"{what} holds Python objects, which are not read")
    return _Header(shape, is_fortran, dtype, file.tell())


def _plain(fact: np.ndarray) -> Any:
    return fact.tolist() if fact.ndim else fact.item()
