"""The ECG set: the one format that joins training, generation and evaluation.

A set is a folder of three files::

    signals.npy       (record, lead, time) int16, µV; memory-mapped, never read whole
    records.parquet   one row a record: `record` (its name, unique) and its facts (source, patient, split …); real
                      records with their [record_hash][]
    manifest.json     leads, sampling rate, unit, kind (real or generated), how it was made, the account of excluded
                      records, versions, SHA-256 of the other two files

A source is packed into a set once; training maps a set, generation writes one, evaluation reads two. Real and generated
ECGs have one format, so that no measurement depends on where its input comes from.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int16

from ecggan.data.sets.batches import batches
from ecggan.data.sets.manifest import MANIFEST, RECORDS, SIGNALS, Kind, new_manifest, read_manifest
from ecggan.data.sets.writer import create_ecg_set, records_table
from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT, select_leads, to_microvolts
from ecggan.files.checksums import sha256_of


@dataclass(frozen=True)
class ECGSet:
    """Records of one shape with their facts; on disk (memory-mapped) or in memory.

    Made by [ECGSet.open][], [ECGSet.from_arrays][] or [create_ecg_set][]. All records of a set
    have the same leads and sampling rate.

    Args:
        records: one row a record, in the order of the set.
        manifest: see the module's docstring.
        path: the folder it was opened from; None for a set in memory.
        signals: every record stored, µV.
        rows: which of the stored records are in the set, in order (a split is a view, not a copy).
    """

    records: pd.DataFrame
    manifest: dict[str, Any]
    path: Path | None
    signals: Int16[np.ndarray, "stored lead time"]
    rows: np.ndarray

    @classmethod
    def open(cls, path: str | Path, check_hashes: bool = True) -> "ECGSet":
        """Map a set from disk, checking that its files agree with each other.

        Args:
            path: the folder.
            check_hashes: also read both files once and compare their SHA-256 with the manifest's (about 2 s a GB).

        Raises:
            FileNotFoundError: the folder or one of its files is missing.
            ValueError: shapes, types, units, counts or hashes disagree; the message says which.
        """
        path = Path(path)
        for name in (MANIFEST, SIGNALS, RECORDS):
            if not (path / name).is_file():
                remedy = "; of ECG files, evaluate.py job=pack makes one" if path.exists() and name == MANIFEST else ""
                raise FileNotFoundError(f"{path} is not an ECG set: {name} is missing{remedy}")
        manifest = read_manifest(path / MANIFEST)
        shape = (manifest["num_records"], len(manifest["leads"]), manifest["num_samples"])
        signals = _map_signals(path / SIGNALS, shape)
        # Without threads: the table is small, and pyarrow's own, alive when the process exits, can abort it
        # (apache/arrow issue 34314: "terminate called without an active exception").
        records = pd.read_parquet(path / RECORDS, use_threads=False, pre_buffer=False)
        if len(records) != shape[0] or "record" not in records:
            raise ValueError(
                f"{path / RECORDS} must have {shape[0]} rows and a column 'record'; "
                f"it has {len(records)} rows and the columns {list(records)}"
            )
        if check_hashes:
            for name in (SIGNALS, RECORDS):
                found, stated = sha256_of(path / name), manifest["sha256"].get(name)
                if found != stated:
                    raise ValueError(
                        f"{path / name} was changed after the set was written: its SHA-256 is {found}, "
                        f"the manifest says {stated}; make the set again"
                    )
        return cls(records, manifest, path, signals, np.arange(shape[0]))

    @classmethod
    def from_arrays(
        cls,
        millivolts: np.ndarray,
        leads: Sequence[str],
        sampling_rate: int,
        kind: Kind = "real",
    ) -> "ECGSet":
        """A set in memory from ``(record, lead, time)`` in mV.

        Raises:
            ValueError: the array has another number of axes or leads, or a value that 16 bits of µV cannot hold.
        """
        if millivolts.ndim != 3 or millivolts.shape[1] != len(leads):
            raise ValueError(
                f"signals must be (record, lead, time) with {len(leads)} leads ({', '.join(leads)}); "
                f"got the shape {millivolts.shape}"
            )
        rows = [{"record": str(i)} for i in range(len(millivolts))]
        manifest = new_manifest(leads, sampling_rate, millivolts.shape[2], kind, made_by={"how": "from arrays"})
        return cls.in_memory(to_microvolts(millivolts), rows, manifest)

    @classmethod
    def in_memory(
        cls,
        microvolts: Int16[np.ndarray, "record lead time"],
        rows: Sequence[Mapping[str, Any]],
        manifest: Mapping[str, Any],
    ) -> "ECGSet":
        """A set that is not on disk, of the signals, rows and manifest that [create_ecg_set][] would write."""
        manifest = {**manifest, "num_records": len(rows)}
        return cls(records_table(rows), manifest, None, microvolts, np.arange(len(rows)))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def leads(self) -> tuple[str, ...]:
        return tuple(self.manifest["leads"])

    @property
    def sampling_rate(self) -> int:
        return int(self.manifest["sampling_rate"])

    @property
    def num_samples(self) -> int:
        return int(self.manifest["num_samples"])

    @property
    def kind(self) -> Kind:
        return "generated" if self.manifest["kind"] == "generated" else "real"

    def microvolts(self, which: slice | Sequence[int] | np.ndarray = slice(None)) -> Int16[np.ndarray, "r l t"]:
        """Records by position, as stored."""
        return np.asarray(self.signals[self.rows[which]])

    def hashes(self) -> list[str]:
        """The [record_hash][] of each record; from the table, or computed from the signals if the table has none."""
        if "hash" in self.records:
            return [str(written) for written in self.records["hash"]]
        return [record_hash(self.microvolts([i])[0], self.leads) for i in range(len(self))]

    def millivolts(
        self, which: slice | Sequence[int] | np.ndarray = slice(None), leads: Sequence[str] | None = None
    ) -> Float32[np.ndarray, "r l t"]:
        """Records by position in mV, in the leads asked for (limb leads are derived if needed)."""
        return to_millivolts(self.microvolts(which), self.leads, leads)

    def batches(self, size: int = 256) -> list[slice]:
        """The positions of all records in runs of at most `size`, for [ECGSet.microvolts][] and the like."""
        return batches(len(self), size)

    def subset(self, which: slice | Sequence[int] | np.ndarray) -> "ECGSet":
        """The records at these positions (numbers or a mask), as a view."""
        return replace(
            self, rows=self.rows[which], records=self.records.iloc[np.arange(len(self))[which]].reset_index(drop=True)
        )

    def where_split(self, split: str | Sequence[str]) -> "ECGSet":
        """The records of one split, or of several.

        Raises:
            ValueError: the set has no record of such a split, or no column of splits.
        """
        if "split" not in self.records:
            raise ValueError(f"{self.path} has no splits: its records have no column 'split'")
        counts = self.records["split"].value_counts().to_dict()
        wanted = [split] if isinstance(split, str) or not isinstance(split, Iterable) else list(split)
        if not wanted:
            raise ValueError(f"name at least one split; the set has {counts}")
        for name in wanted:
            if name not in counts:
                raise ValueError(f"no record of split {name!r}; the set has {counts}")
        return self.subset(self.records["split"].isin(wanted).to_numpy())

    def save(self, path: str | Path) -> "ECGSet":
        """Write the set to a new folder and return it as opened from there."""
        shape, made_by = (self.leads, self.sampling_rate, self.num_samples), self.manifest["made_by"]
        with create_ecg_set(path, *shape, kind=self.kind, made_by=made_by) as writer:
            for batch in self.batches():
                rows = [
                    {str(key): value for key, value in row.items()}
                    for row in self.records.iloc[batch].to_dict("records")
                ]
                writer.append(self.microvolts(batch), rows)
            writer.account = self.manifest.get("account")
        return ECGSet.open(path, check_hashes=False)


def to_millivolts(
    microvolts: Int16[np.ndarray, "r l t"], stored: tuple[str, ...], leads: Sequence[str] | None
) -> Float32[np.ndarray, "r chosen t"]:
    """Stored records in mV, in the leads asked for (derived if needed); None for the stored ones."""
    signals = microvolts / np.float32(MICROVOLTS_PER_MILLIVOLT)
    return signals if leads is None or tuple(leads) == stored else select_leads(signals, stored, leads)


def record_hash(microvolts: Int16[np.ndarray, "lead time"], leads: Sequence[str]) -> str:
    """A fingerprint of a recording in 16 hexadecimal digits, of lead II, or of the first lead if II is absent.

    Only one lead, so that the hash does not depend on the other leads of a set and their order.
    """
    lead = leads.index("II") if "II" in leads else 0
    return hashlib.sha256(np.ascontiguousarray(microvolts[lead], "<i2").tobytes()).hexdigest()[:16]


def _map_signals(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        # numpy cannot map an empty array
        signals = np.load(path, mmap_mode="r" if shape[0] else None, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be mapped ({error}); it holds {os.path.getsize(path)} bytes") from error
    if signals.dtype != np.int16 or signals.shape != shape:
        raise ValueError(f"{path} must be int16 {shape}, as the manifest says; it is {signals.dtype} {signals.shape}")
    return signals
