"""The ECG set: the one format that joins training, generation and evaluation.

A set is a folder of three files::

    signals.npy       (record, lead, time) int16, µV; memory-mapped, never read whole
    records.parquet   one row a record: `record` (its name, unique) and what is known of it (source, patient, split …);
                      real ones with their [record_hash][]
    manifest.json     leads, sampling rate, unit, kind (real or generated), how it was made, the account of what was
                      left out, versions, SHA-256 of the other two files

Reading a source packs it into a set once; training maps a set; generating writes one; evaluating reads two. So a
generated ECG becomes an ordinary ECG again, and the measurement cannot tell where its input came from.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int16

from ecggan._version import __version__
from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT, TWELVE_LEADS, select_leads, to_microvolts
from ecggan.files.atomic import atomic_file, atomic_folder
from ecggan.files.checksums import sha256_of

FORMAT_VERSION = 1
SIGNALS, RECORDS, MANIFEST = "signals.npy", "records.parquet", "manifest.json"

NUM_NAMED = 3  # records that a line of an account names

Kind = Literal["real", "generated"]


@dataclass(frozen=True)
class ECGSet:
    """Records of one shape, with what is known of each; on disk (memory-mapped) or in memory.

    Made by [ECGSet.open][], [ECGSet.from_arrays][] or [create_ecg_set][]. Two leads or rates never mix in one set.

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
                raise FileNotFoundError(f"{path} is not an ECG set: {name} is missing")
        manifest = _read_manifest(path / MANIFEST)
        shape = (manifest["num_records"], len(manifest["leads"]), manifest["num_samples"])
        signals = _map_signals(path / SIGNALS, shape)
        records = pd.read_parquet(path / RECORDS)
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
        """A set that is not on disk, of what [create_ecg_set][] would write there."""
        manifest = {**manifest, "num_records": len(rows)}
        return cls(_table(rows), manifest, None, microvolts, np.arange(len(rows)))

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
        """The [record_hash][] of each record; read from the table, or from the signals where it has none."""
        if "hash" in self.records:
            return [str(written) for written in self.records["hash"]]
        return [record_hash(self.microvolts([i])[0], self.leads) for i in range(len(self))]

    def millivolts(
        self, which: slice | Sequence[int] | np.ndarray = slice(None), leads: Sequence[str] | None = None
    ) -> Float32[np.ndarray, "r l t"]:
        """Records by position in mV, in the leads asked for (derived where they can be)."""
        return to_millivolts(self.microvolts(which), self.leads, leads)

    def subset(self, which: slice | Sequence[int] | np.ndarray) -> "ECGSet":
        """The records at these positions (numbers or a mask), as a view."""
        return replace(
            self, rows=self.rows[which], records=self.records.iloc[np.arange(len(self))[which]].reset_index(drop=True)
        )

    def where_split(self, split: str | Sequence[str]) -> "ECGSet":
        """The records of one split, or of several.

        Raises:
            ValueError: the set has no record of such a split, or knows none at all.
        """
        if "split" not in self.records:
            raise ValueError(f"{self.path} knows no splits: its records have no column 'split'")
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
            for start in range(0, len(self), 256):
                chunk = slice(start, start + 256)
                rows = [
                    {str(key): value for key, value in row.items()}
                    for row in self.records.iloc[chunk].to_dict("records")
                ]
                writer.append(self.microvolts(chunk), rows)
            writer.account = self.manifest.get("account")
        return ECGSet.open(path, check_hashes=False)


def to_millivolts(
    microvolts: Int16[np.ndarray, "r l t"], stored: tuple[str, ...], leads: Sequence[str] | None
) -> Float32[np.ndarray, "r chosen t"]:
    """Stored records in mV, in the leads asked for (derived where they can be); None for those that are stored."""
    signals = microvolts / np.float32(MICROVOLTS_PER_MILLIVOLT)
    return signals if leads is None or tuple(leads) == stored else select_leads(signals, stored, leads)


def record_hash(microvolts: Int16[np.ndarray, "lead time"], leads: Sequence[str]) -> str:
    """What tells a recording from all others, in 16 hexadecimal digits: of lead II, or of the first where it is absent.

    One lead, so that a recording is known again whatever other leads, and in whatever order, a set holds.
    """
    lead = leads.index("II") if "II" in leads else 0
    return hashlib.sha256(np.ascontiguousarray(microvolts[lead], "<i2").tobytes()).hexdigest()[:16]


def new_manifest(
    leads: Sequence[str], sampling_rate: int, num_samples: int, kind: Kind, made_by: Mapping[str, Any]
) -> dict[str, Any]:
    """A manifest but for what only the finished set knows: the count, the account and the hashes."""
    problem = _header_problem(leads, sampling_rate, num_samples, kind)
    if problem:
        raise ValueError(f"no ECG set can have {problem}")
    return {
        "format": "ecggan ECG set",
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "leads": list(leads),
        "sampling_rate": int(sampling_rate),
        "num_samples": int(num_samples),
        "unit": "uV",
        "made_by": dict(made_by),
        "versions": {"ecggan": __version__, "python": platform.python_version(), "numpy": np.__version__},
    }


class ECGSetWriter:
    """Takes records into a set that is being written; made by [create_ecg_set][].

    Attributes:
        account: how many records were read, kept and left out, and why; goes into the manifest. None when nothing can
            be left out.
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
        FileExistsError: the folder is there already. Nothing is overwritten.
        ValueError: two records have one name.
    """
    shape = (len(leads), num_samples)
    manifest = new_manifest(leads, sampling_rate, num_samples, kind, made_by)
    with atomic_folder(path) as folder:
        with open(folder / SIGNALS, "w+b") as file:
            write_header(file, (0, *shape))
            writer = ECGSetWriter(folder, file, shape)
            yield writer
            write_header(file, (len(writer.rows), *shape))
        complete_ecg_set(folder, manifest, _table(writer.rows), writer.account)


def complete_ecg_set(
    folder: Path, manifest: Mapping[str, Any], records: pd.DataFrame, account: Mapping[str, Any] | None
) -> None:
    """Add to a folder with all of a set's signals what makes it a set.

    Args:
        folder: holds `signals.npy`.
        manifest: of [new_manifest][].
        records: a row a record, in the order of the signals.
        account: how many records were read, kept and left out, and why; None where nothing can be left out.

    Raises:
        ValueError: two records have one name.
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
    with atomic_file(folder / MANIFEST) as unfinished:
        unfinished.write_text(json.dumps(complete, indent=2, ensure_ascii=False) + "\n")


def summarize_exclusions(account: Mapping[str, Any]) -> dict[str, str]:
    """For each rule of an account, how many records it left out and the first of them: ``3 (00473_hr: lead V1 …)``."""
    words = {}
    for rule, entries in account["left_out"].items():
        named = "; ".join(f"{entry['record']}: {entry['detail']}" for entry in entries[:NUM_NAMED])
        more = f"; and {len(entries) - NUM_NAMED} more" if len(entries) > NUM_NAMED else ""
        words[rule] = f"{len(entries)} ({named}{more})"
    return words


def _table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=None if rows else ["record"])


def write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Begin `signals.npy`, whose records follow one after the other."""
    # numpy leaves room in a .npy header for the first axis to grow, so that the count can be written last.
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "<i2", "fortran_order": False, "shape": shape})


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text())
        version, unit = manifest["format_version"], manifest["unit"]
        leads, counts = manifest["leads"], [manifest[k] for k in ("num_records", "num_samples", "sampling_rate")]
        manifest["kind"], manifest["sha256"], manifest["made_by"]
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}); make the set again") from error
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not the manifest of an ECG set: {error} is missing") from error
    if version != FORMAT_VERSION:
        raise ValueError(f"{path} has format version {version}; this ecggan reads version {FORMAT_VERSION}")
    if unit != "uV":
        raise ValueError(f"{path} states the unit {unit!r}; an ECG set is stored in 'uV'")
    num_records, num_samples, sampling_rate = counts
    problem = _header_problem(leads, sampling_rate, num_samples, manifest["kind"])
    if not problem and not (isinstance(num_records, int) and num_records >= 0):
        problem = f"{num_records!r} records"
    if not problem and not isinstance(manifest["sha256"], dict):
        problem = "no hashes"
    if problem:
        raise ValueError(f"{path} was damaged or edited: it states {problem}; make the set again")
    return dict(manifest)


def _header_problem(leads: Any, sampling_rate: Any, num_samples: Any, kind: Any) -> str:
    """What cannot be true of any set; empty when all is well."""
    if not isinstance(leads, list | tuple) or not leads or len(set(leads)) != len(leads):
        return f"the leads {leads!r}: they must be a list of distinct names"
    unknown = [lead for lead in leads if lead not in TWELVE_LEADS]
    if unknown:
        return f"the lead {unknown[0]!r}; known are {', '.join(TWELVE_LEADS)}"
    for name, number in (("sampling rate", sampling_rate), ("number of samples", num_samples)):
        if not isinstance(number, int | np.integer) or number < 1:
            return f"the {name} {number!r}: it must be a whole number above 0"
    return "" if kind in ("real", "generated") else f"the kind {kind!r}: it must be 'real' or 'generated'"


def _map_signals(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        # numpy cannot map an empty array
        signals = np.load(path, mmap_mode="r" if shape[0] else None, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be mapped ({error}); it holds {os.path.getsize(path)} bytes") from error
    if signals.dtype != np.int16 or signals.shape != shape:
        raise ValueError(f"{path} must be int16 {shape}, as the manifest says; it is {signals.dtype} {signals.shape}")
    return signals
