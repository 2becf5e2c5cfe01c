"""The reader of each file suffix."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ecggan.data.readers.arrays import open_npy, open_npz
from ecggan.data.readers.collection import Collection
from ecggan.data.readers.devices import DEVICE_SUFFIXES, read_device_file
from ecggan.data.readers.hdf5 import HDF5
from ecggan.data.readers.parquet import Parquet
from ecggan.data.readers.sidecars import read_sidecars, sidecars_of
from ecggan.data.readers.text import TEXT_SUFFIXES, read_text
from ecggan.data.readers.wfdb import read_wfdb
from ecggan.data.readers.zip import open_zip
from ecggan.data.record import Layout, Record, in_one_line
from ecggan.ecg import TWELVE_LEADS
from ecggan.files.path_safety import check_within_root

COLLECTIONS: dict[str, Callable[[Path, Layout], Collection]] = {
    ".npy": open_npy,
    ".npz": open_npz,
    ".parquet": Parquet,
    ".h5": HDF5,
    ".hdf5": HDF5,
    ".zip": open_zip,
}
SUFFIXES = (".hea", *DEVICE_SUFFIXES, *TEXT_SUFFIXES, *COLLECTIONS)


def is_collection(path: Path) -> bool:
    """Whether a file of this name may hold many records."""
    return path.suffix.lower() in COLLECTIONS


def read_record(
    path: str | Path,
    layout: Layout,
    root: str | Path | None = None,
    position: int | None = None,
    leads: Sequence[str] = TWELVE_LEADS,
) -> Record:
    """Read a file by its suffix; see `SUFFIXES` and docs/how-to/data.md.

    Args:
        path: the file.
        layout: what neither the file nor a sidecar states.
        root: links must not lead out of this folder, and sidecars are searched in it; None for the file's own.
        position: of the record, from 0, in a file of many.
        leads: that must be sound, where the file has them or what they are made of; what is wrong with another signal
            costs that signal alone.

    Raises:
        FileNotFoundError: the file, or the signal file that a WFDB header names, is missing.
        ValueError: the file is damaged, does not state all that is needed, leads out of `root`, or its suffix is
            unknown.
    """
    path, layout, facts = _prepare(path, layout, root)
    suffix = path.suffix.lower()
    if suffix in COLLECTIONS:
        record = _read_of_many(path, layout, position, leads)
    elif suffix == ".hea":
        record = read_wfdb(path, None, path.parent if root is None else root, leads, layout.lead_names)
    elif suffix in DEVICE_SUFFIXES:
        record = read_device_file(path, leads, layout.lead_names)
    else:
        record = read_text(path, layout, leads)
    if layout.factor != 1:
        record = replace(record, millivolts=record.millivolts * layout.factor)
    return replace(record, facts={**record.facts, **facts})


def record_names(path: str | Path, layout: Layout, root: str | Path | None = None) -> Sequence[str]:
    """The unique names of the records in a file of many, in their order.

    Args:
        path: the file.
        layout: as of [read_record][].
        root: as of [read_record][].

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: as [read_record][] does.
    """
    path, layout, _ = _prepare(path, layout, root)
    names = list(_opened(path, layout).names)
    if len(set(names)) == len(names):
        return names
    return [f"{position}" for position in range(len(names))]


def _prepare(path: str | Path, layout: Layout, root: str | Path | None) -> tuple[Path, Layout, dict[str, Any]]:
    path = Path(path)
    root = path.parent if root is None else Path(root)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: files ending in {path.suffix!r} are not known; known are {', '.join(SUFFIXES)}")
    check_within_root(path, root)
    return path, *read_sidecars(sidecars_of(path, root), layout)


def _read_of_many(path: Path, layout: Layout, position: int | None, leads: Sequence[str]) -> Record:
    opened = _opened(path, layout)
    if position is None and len(opened.names) != 1:
        raise ValueError(f"{path} holds {len(opened.names) or 'no'} records, and none of them is named by its position")
    try:
        return opened.read(position or 0, leads)
    except Exception as error:  # h5py, pyarrow and zipfile fail in many ways
        raise ValueError(f"{path}, record {position or 0}, cannot be read ({in_one_line(error)})") from error


def _opened(path: Path, layout: Layout) -> Collection:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    status = path.stat()
    try:
        return _open(path, layout, (status.st_size, status.st_mtime_ns))
    except Exception as error:
        raise ValueError(f"{path} cannot be read ({in_one_line(error)})") from error


@lru_cache(maxsize=2)  # the next record is usually in the same file
def _open(path: Path, layout: Layout, stamp: tuple[int, int]) -> Collection:
    return COLLECTIONS[path.suffix.lower()](path, layout)
