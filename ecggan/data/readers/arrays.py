"""NumPy's files: ``.npy`` with an array of records or one, ``.npz`` with several arrays. No pickle is ever read.

Arrays are (record, lead, time) or (record, time, lead), and without the first axis where they are one record. An `.npz`
may say what its arrays do not: `leads`, `sampling_rate`, `unit`, and the names of its records as `record`, as the
export writes it.
"""

import zipfile
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecggan.data.readers.collection import Place, check_record_size, is_numeric, places_of, to_record
from ecggan.data.record import Layout, Record

_MOST_CHECKED = 2**28  # bytes, of a larger array the checksum is not checked: that would take as long as packing it
_LARGEST_FACT = 2**26  # bytes, of an .npz's arrays that are no signals
_FACTS = ("leads", "sampling_rate", "unit", "record")


@dataclass(frozen=True)
class _Npy:
    path: Path
    array: np.ndarray
    layout: Layout
    names: list[str]
    places: list[Place]

    def read(self, position: int) -> Record:
        place = self.places[position]
        values = self.array if place.row is None else self.array[place.row]
        return to_record(values, place.has_leads_first, self.layout, self.path)


def open_npy(path: Path, layout: Layout) -> _Npy:
    """Map an array.

    Raises:
        ValueError: it is damaged, holds objects, or the layout does not fit it.
    """
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or not is_numeric(array.dtype):
        raise ValueError(f"{path} holds no array of numbers")
    check_record_size(array.shape, array.itemsize, str(path))
    names, places = places_of({"array": array.shape}, replace(layout, array=None), path)
    return _Npy(path, array, layout, [path.stem] if places[0].row is None else names, places)


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
        says = {name: _plain(fact) for name, fact in facts.items() if name != "record"}
        self.layout = replace(layout, **says)
        shapes = {
            name: header.shape
            for name, header in self.headers.items()
            if name not in facts and is_numeric(header.dtype)
        }
        self.names, self.places = places_of(shapes, self.layout, path)
        for name in {place.array for place in self.places}:
            header = self.headers[name]
            check_record_size(header.shape, header.dtype.itemsize, f"{path}, {name}")
            if header.is_fortran and len(header.shape) == 3:
                raise ValueError(f"{path}, {name}: its records do not lie one after the other (Fortran order)")
        stated = [str(name) for name in facts.get("record", np.empty(0)).ravel()]
        if len(stated) == len(self.names):
            self.names = stated

    def read(self, position: int) -> Record:
        place = self.places[position]
        header = self.headers[place.array]
        count = prod(header.shape[-2:])
        size = count * header.dtype.itemsize
        member = self._open(place.array)
        member.seek(header.begin + (place.row or 0) * size)
        content = member.read(size)
        if len(content) != size:
            raise ValueError(f"{self.path}, {place.array}: it ends before record {place.row or 0}")
        shape = header.shape[-2:]
        flat = np.frombuffer(content, header.dtype)
        values = flat.reshape(shape[::-1]).T if header.is_fortran else flat.reshape(shape)
        return to_record(values, place.has_leads_first, self.layout, self.path)

    def _open(self, name: str) -> zipfile.ZipExtFile:
        """The array, kept open: to go on from the record before is cheap, to inflate all from the start is not."""
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
