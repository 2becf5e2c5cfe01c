"""ECGs -> a table with one measured row a record: in parallel, kept as it grows, found again by what was measured.

With a cache, each 512 records are written as they are done, under a key of the set's content and the measuring version:
an interrupted run goes on where it was, a finished one is read back, and nothing stale is ever read.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ecggan.compute.workers import each
from ecggan.data.sets.ecg_set import SIGNALS, ECGSet
from ecggan.data.sets.record_batches import StoredRecords
from ecggan.ecg import check_leads
from ecggan.files.atomic import atomic_file
from ecggan.measurement.columns import MEASUREMENTS as MEASUREMENTS
from ecggan.measurement.columns import display_name as display_name
from ecggan.measurement.measure_record import (
    Value,
    check_sampling_rate,
    measuring_version,
    row_columns,
    row_without_numbers,
)
from ecggan.measurement.measure_record import measure_record as measure_record

log = logging.getLogger(__name__)

RECORDS_PER_TASK = 16
RECORDS_PER_PART = 512


def measure(
    ecgs: ECGSet | np.ndarray,
    leads: Sequence[str] | None = None,
    sampling_rate: int | float | None = None,
    num_workers: int | None = None,
    progress: bool = True,
    cache: str | Path | None = None,
) -> pd.DataFrame:
    """Measure every record: one row each, in their order, whatever happens to one of them.

    Args:
        ecgs: an ECG set, or an array ``(record, lead, time)`` in mV.
        leads: the names of an array's leads, in their order; a set knows its own.
        sampling_rate: of an array, in Hz, at least 100.
        num_workers: processes; None for one a core. The table does not depend on it.
        progress: show a bar (not for a single task of records, which is done at once).
        cache: a folder where the rows of a set on disk are kept and looked for; None keeps nothing.

    Returns:
        `record` (its name in the set, or its position), `patient` where the set knows patients, `is_measurable`,
        `reason` (empty, or why not), `missing` (every measurement that could not be had, with its reason), `num_beats`
        found, `num_beats_used` for the median beat, and [MEASUREMENTS][], NaN where a value could not be had;
        amplitudes of the leads that are there or follow.

    Raises:
        ValueError: leads or sampling_rate are missing, or do not fit the array.
    """
    if isinstance(ecgs, ECGSet):
        if leads is not None or sampling_rate is not None:
            raise ValueError("leads and sampling_rate are for arrays; an ECG set knows its own, so leave them out")
        names = ecgs.records["record"].astype(str).tolist() if len(ecgs) else []
        leads, sampling_rate = ecgs.leads, ecgs.sampling_rate
    else:
        leads, sampling_rate = _check_array(ecgs, leads, sampling_rate)
        names = [str(i) for i in range(len(ecgs))]
    check_sampling_rate(sampling_rate)
    if num_workers is not None and num_workers < 1:
        raise ValueError(f"num_workers must be at least 1, or None for one a core; got {num_workers}")
    folder = _cache_folder(ecgs, cache)
    lengths = {s: min(RECORDS_PER_PART, len(names) - s) for s in range(0, len(names), RECORDS_PER_PART)}
    parts: dict[int, pd.DataFrame] = {} if folder is None else _kept(folder, lengths, leads)
    todo = [start for start in lengths if start not in parts]
    tasks = [task for start in todo for task in range(start, start + lengths[start], RECORDS_PER_TASK)]
    with tqdm(total=len(names), desc="measuring", unit="ECG", disable=not progress or len(tasks) < 2) as bar:
        bar.update(sum(len(part) for part in parts.values()))
        arguments = ((some, tuple(leads), sampling_rate) for some in _records(ecgs, tasks))
        measured = each(_measure_some, arguments, len(tasks), num_workers)
        rows: list[dict[str, Value]] = []
        for task, some in zip(tasks, measured, strict=True):
            rows += some
            bar.update(len(some))
            start = task - task % RECORDS_PER_PART
            if len(rows) == lengths[start]:
                parts[start] = _typed(rows, leads)
                rows = []
                if folder is not None:
                    with atomic_file(folder / _part_name(start)) as file:
                        parts[start].to_parquet(file, index=False)
    table = pd.concat([parts[start] for start in sorted(parts)], ignore_index=True) if parts else _typed([], leads)
    table.insert(0, "record", pd.Series(names, dtype=object))
    if isinstance(ecgs, ECGSet) and "patient" in ecgs.records:
        table.insert(1, "patient", ecgs.records["patient"].to_numpy())
    for reason, count in table.loc[table["reason"] != "", "reason"].value_counts().items():
        level = logging.ERROR if str(reason).startswith("error") else logging.INFO
        log.log(level, "%d of %d records not measurable: %s", count, len(table), reason)
    return table


def _check_array(
    ecgs: np.ndarray, leads: Sequence[str] | None, sampling_rate: int | float | None
) -> tuple[Sequence[str], int | float]:
    if leads is None or sampling_rate is None:
        missing = "leads" if leads is None else "sampling_rate"
        raise ValueError(
            f"{missing} must be given with an array, e.g. measure(array_mv, leads=['I', 'II'], sampling_rate=500)"
        )
    if not isinstance(ecgs, np.ndarray) or ecgs.ndim != 3 or ecgs.shape[1] != len(leads):
        found = f"the shape {ecgs.shape}" if isinstance(ecgs, np.ndarray) else type(ecgs).__name__
        raise ValueError(f"ecgs must be an array (record, lead, time) in mV with {len(leads)} leads; got {found}")
    check_leads(leads)
    if np.issubdtype(ecgs.dtype, np.integer):
        raise ValueError(f"ecgs must be in mV, as floating-point numbers; got {ecgs.dtype} (whole µV? divide by 1000)")
    return leads, sampling_rate


def _cache_folder(ecgs: ECGSet | np.ndarray, cache: str | Path | None) -> Path | None:
    """Where the rows of these records are kept; None for what has no hash to be known by."""
    if cache is None or not isinstance(ecgs, ECGSet) or ecgs.path is None:
        return None
    what = [ecgs.manifest["sha256"][SIGNALS], ecgs.leads, ecgs.sampling_rate, measuring_version(), RECORDS_PER_PART]
    digest = hashlib.sha256(json.dumps(what).encode())
    digest.update(np.ascontiguousarray(ecgs.rows, "<i8").tobytes())
    return Path(cache).expanduser() / "measurements" / digest.hexdigest()[:16]


def _part_name(start: int) -> str:
    return f"rows_{start:09d}.parquet"


def _kept(folder: Path, lengths: Mapping[int, int], leads: Sequence[str]) -> dict[int, pd.DataFrame]:
    parts = {}
    for start, length in lengths.items():
        path = folder / _part_name(start)
        if path.is_file():
            try:
                part = pd.read_parquet(path)
            except (ValueError, OSError) as error:
                raise ValueError(f"{path} is damaged ({error}); delete it to measure these records anew") from error
            if list(part) != list(row_columns(leads)) or len(part) != length:
                raise ValueError(f"{path} holds other rows than it should; delete it to measure these records anew")
            parts[start] = part.astype(row_columns(leads))
    if parts:
        num_kept, num_records = sum(map(len, parts.values())), sum(lengths.values())
        log.info("%d of %d records were measured before: %s", num_kept, num_records, folder)
    return parts


def _records(ecgs: ECGSet | np.ndarray, starts: Sequence[int]) -> Iterator[StoredRecords | np.ndarray]:
    """What to measure: records of a set, or the signals in mV."""
    for start in starts:
        some = slice(start, start + RECORDS_PER_TASK)
        yield StoredRecords.of(ecgs, some) if isinstance(ecgs, ECGSet) else ecgs[some]


def _measure_some(
    records: StoredRecords | np.ndarray, leads: Sequence[str], sampling_rate: int | float
) -> list[dict[str, Value]]:
    signals = records.millivolts() if isinstance(records, StoredRecords) else records
    rows = []
    for record in signals:
        try:
            rows.append(measure_record(record, leads, sampling_rate))
        except Exception as error:  # one record must not end a run of thousands: kept as its reason, logged by measure
            rows.append(row_without_numbers(leads, f"error: {type(error).__name__}: {error}".splitlines()[0]))
    return rows


def _typed(rows: Sequence[dict[str, Value]], leads: Sequence[str]) -> pd.DataFrame:
    types = row_columns(leads)
    return pd.DataFrame(rows, columns=list(types)).astype(types)
