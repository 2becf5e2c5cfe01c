"""Write an ECG set record by record in constant memory; it appears whole or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from jaxtyping import Int16

from ecggan.data.sets.manifest import MANIFEST, RECORDS, SIGNALS, Kind, new_manifest
from ecggan.files.atomic import atomic_file, atomic_folder
from ecggan.files.checksums import sha256_of
from ecggan.files.json_file import write_json


class ECGSetWriter:
    """Appends records to a set that is being written; made by [create_ecg_set][].

    Attributes:
        account: how many records were read, kept and excluded, and why; goes into the manifest. None if nothing can be
            excluded.
        folder: of the set, until it is complete.
    """

    def __init__(self, folder: Path, file: BinaryIO, shape: tuple[int, int]) -> None:
        self.folder = folder
        self.account: Mapping[str, Any] | None = None
        self.rows: list[Mapping[str, Any]] = []
        self._file = file
        self._shape = shape

    def append(self, microvolts: Int16[np.ndarray, "r lead time"], records: Sequence[Mapping[str, Any]]) -> None:
        """Add records: their signals, and a row for each with at least `record`, its name."""
        assert microvolts.dtype == np.int16
        assert microvolts.shape == (len(records), *self._shape)
        self._file.write(np.ascontiguousarray(microvolts).tobytes())
        self.rows.extend(records)


@contextmanager
def create_ecg_set(
    path: str | Path,
    leads: Sequence[str],
    sampling_rate: int,
    num_samples: int,
    kind: Kind,
    made_by: Mapping[str, Any],
) -> Iterator[ECGSetWriter]:
    """Stream records into a new set in constant memory; the folder appears when the block ends well, or not at all.

    Raises:
        FileExistsError: the folder exists; nothing is overwritten.
        ValueError: two records have the same name.
    """
    shape = (len(leads), num_samples)
    manifest = new_manifest(leads, sampling_rate, num_samples, kind, made_by)
    with atomic_folder(path) as folder:
        with open(folder / SIGNALS, "w+b") as file:
            write_header(file, (0, *shape))
            writer = ECGSetWriter(folder, file, shape)
            yield writer
            write_header(file, (len(writer.rows), *shape))
        complete_ecg_set(folder, manifest, records_table(writer.rows), writer.account)


def complete_ecg_set(
    folder: Path, manifest: Mapping[str, Any], records: pd.DataFrame, account: Mapping[str, Any] | None
) -> None:
    """Add the table and the manifest to a folder that holds the signals of a set.

    Args:
        folder: holds `signals.npy`.
        manifest: of [new_manifest][].
        records: a row a record, in the order of the signals.
        account: how many records were read, kept and excluded, and why; None if nothing can be excluded.

    Raises:
        ValueError: two records have the same name.
    """
    twice = records["record"][records["record"].duplicated()]
    if len(twice):
        raise ValueError(f"the record name {twice.iloc[0]!r} appears twice; names must be unique within a set")
    with atomic_file(folder / RECORDS) as unfinished:
        records.to_parquet(unfinished, index=False)
    complete = {**manifest, "num_records": len(records)}
    if account is not None:
        complete["account"] = dict(account)
    complete["sha256"] = {name: sha256_of(folder / name) for name in (SIGNALS, RECORDS)}
    write_json(folder / MANIFEST, complete)


def records_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=None if rows else ["record"])


def write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write the header of `signals.npy`; the records follow it."""
    # numpy leaves room in a .npy header for the first axis to grow, so that the count can be written last.
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "<i2", "fortran_order": False, "shape": shape})
