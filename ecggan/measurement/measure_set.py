"""ECGs -> a table of measurements, one row a record: in parallel, and with a cache resumable (see `cache`)."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ecggan import checks
from ecggan.compute.workers import each
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.record_batches import RecordBatch
from ecggan.ecg import check_leads
from ecggan.files.cache import require_writable_cache
from ecggan.measurement.cache import cache_folder, part_lengths, read_parts, write_part
from ecggan.measurement.delineation_choice import DELINEATION_COLUMN, MEDIAN_BEAT, resolve_delineation
from ecggan.measurement.measure_record import (
    Value,
    check_sampling_rate,
    measure_record,
    row_columns,
    row_without_numbers,
)

log = logging.getLogger(__name__)

RECORDS_PER_TASK = 16


def measure(
    ecgs: ECGSet | np.ndarray,
    leads: Sequence[str] | None = None,
    sampling_rate: int | float | None = None,
    num_workers: int | None = None,
    progress: bool = True,
    cache: str | Path | None = None,
    delineation: str = MEDIAN_BEAT,
) -> pd.DataFrame:
    """Measure every record of a set or an array.

    An error in one record becomes its `reason`; the others are measured.

    Args:
        ecgs: an ECG set, or an array ``(record, lead, time)`` in mV.
        leads: the names of an array's leads, in their order; a set knows its own.
        sampling_rate: of an array, in Hz, at least 100.
        num_workers: processes; None for one a core. The table does not depend on it.
        progress: show a bar (not for a single task of records).
        cache: the folder that keeps the rows of a set on disk for the next call; None keeps nothing.
        delineation: where waves begin and end: ``median_beat``, or neurokit2's own delineation by ``neurokit2_dwt``,
            ``neurokit2_cwt``, ``neurokit2_peak`` or ``neurokit2_prominence`` (``neurokit2`` is the first of them), for
            comparison with figures that rest on it; see `neurokit_delineation`.

    Returns:
        One row a record, in their order: `record` (its name in the set, or its position), `patient` if the set has
        patients, `delineation`, `is_measurable`, `reason` (empty, or why it is not), `missing` (every missing
        measurement with its reason), `num_beats` found, `num_beats_used` for the median beat, `num_gaps` in the
        rhythm, which the rate leaves out (see `rate`), and the
        [MEASUREMENTS][ecggan.measurement.columns.MEASUREMENTS], NaN if missing; amplitudes of the leads of the records
        and of those that follow from I and II.

    Raises:
        ValueError: leads or sampling_rate are missing, or do not fit the array; the delineation is unknown.
    """
    delineation = resolve_delineation(delineation)
    if isinstance(ecgs, ECGSet):
        if leads is not None or sampling_rate is not None:
            raise ValueError("leads and sampling_rate are for arrays; an ECG set knows its own, so leave them out")
        names = ecgs.records["record"].astype(str).tolist() if len(ecgs) else []
        leads, sampling_rate = ecgs.leads, ecgs.sampling_rate
    else:
        leads, sampling_rate = _check_array(ecgs, leads, sampling_rate)
        names = [str(i) for i in range(len(ecgs))]
    check_sampling_rate(sampling_rate)
    checks.whole_number("num_workers", num_workers, at_least=1, or_null=True)
    folder, lengths = cache_folder(ecgs, cache, delineation), part_lengths(len(names))
    parts = {} if folder is None else read_parts(folder, lengths, leads)
    tasks = [
        (part, task)
        for part, length in lengths.items()
        if part not in parts
        for task in range(part, part + length, RECORDS_PER_TASK)
    ]
    if folder is not None and cache is not None and tasks:
        require_writable_cache(cache)
    with tqdm(total=len(names), desc="measuring", unit="ECG", disable=not progress or len(tasks) < 2) as bar:
        bar.update(sum(len(part) for part in parts.values()))
        arguments = (
            (some, tuple(leads), sampling_rate, delineation) for some in _records(ecgs, [task for _, task in tasks])
        )
        measured = each(_measure_some, arguments, len(tasks), num_workers)
        rows: list[dict[str, Value]] = []
        for (start, _), some in zip(tasks, measured, strict=True):
            rows += some
            bar.update(len(some))
            if len(rows) == lengths[start]:
                parts[start] = _typed(rows, leads)
                rows = []
                if folder is not None:
                    write_part(folder, start, parts[start])
    measured_parts = [parts[start] for start in sorted(parts)] or [_typed([], leads)]
    table = pd.concat(measured_parts, ignore_index=True).copy()  # in one piece: pandas warns of more than a hundred
    table.insert(0, "record", pd.Series(names, dtype=object))
    if isinstance(ecgs, ECGSet) and "patient" in ecgs.records:
        table.insert(1, "patient", ecgs.records["patient"].to_numpy())
    table.insert(list(table).index("is_measurable"), DELINEATION_COLUMN, delineation)
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


def _records(ecgs: ECGSet | np.ndarray, starts: Sequence[int]) -> Iterator[RecordBatch | np.ndarray]:
    """Yield the records of each task: those of a set as stored, those of an array in mV."""
    for start in starts:
        some = slice(start, start + RECORDS_PER_TASK)
        yield RecordBatch.of(ecgs, some) if isinstance(ecgs, ECGSet) else ecgs[some]


def _measure_some(
    records: RecordBatch | np.ndarray, leads: Sequence[str], sampling_rate: int | float, delineation: str
) -> list[dict[str, Value]]:
    signals = records.millivolts() if isinstance(records, RecordBatch) else records
    rows = []
    for record in signals:
        try:
            rows.append(measure_record(record, leads, sampling_rate, delineation))
        except Exception as error:  # one record must not end a run of thousands: measure() logs the reason
            rows.append(row_without_numbers(leads, f"error: {type(error).__name__}: {error}".splitlines()[0]))
    return rows


def _typed(rows: Sequence[dict[str, Value]], leads: Sequence[str]) -> pd.DataFrame:
    types = row_columns(leads)
    return pd.DataFrame(rows, columns=list(types)).astype(types)
