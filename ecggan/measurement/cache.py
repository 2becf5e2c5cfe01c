"""Measured rows on disk, in parts of 512 records, under a key of the set's content, delineation and measuring version.

An interrupted run resumes after its last whole part; a key never matches other records or other code.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import SIGNALS
from ecggan.files.atomic import atomic_file
from ecggan.files.cache import in_cache
from ecggan.measurement.measure_record import measuring_version, row_columns

log = logging.getLogger(__name__)

RECORDS_PER_PART = 512


def part_lengths(num_records: int) -> dict[int, int]:
    """The number of records of each part, by the position of its first one."""
    return {start: min(RECORDS_PER_PART, num_records - start) for start in range(0, num_records, RECORDS_PER_PART)}


def cache_folder(ecgs: ECGSet | np.ndarray, cache: str | Path | None, delineation: str) -> Path | None:
    """The folder of the rows of these records; None without a cache, or for records that are not on disk."""
    if cache is None or not isinstance(ecgs, ECGSet) or ecgs.path is None:
        return None
    what = [ecgs.manifest["sha256"][SIGNALS], ecgs.leads, ecgs.sampling_rate, measuring_version(), RECORDS_PER_PART]
    what.append(delineation)
    digest = hashlib.sha256(json.dumps(what).encode())
    digest.update(np.ascontiguousarray(ecgs.rows, "<i8").tobytes())
    return in_cache(cache, "measurements", digest.hexdigest()[:16])


def read_parts(folder: Path, lengths: Mapping[int, int], leads: Sequence[str]) -> dict[int, pd.DataFrame]:
    """The parts that are on disk, by the position of their first record.

    Raises:
        ValueError: a part cannot be read, or does not hold the rows that it should.
    """
    types, parts = row_columns(leads), {}
    for start, length in lengths.items():
        path = _part_path(folder, start)
        if path.is_file():
            try:
                part = pd.read_parquet(path)
            except (ValueError, OSError) as error:
                raise ValueError(f"{path} is damaged ({error}); delete it to measure these records anew") from error
            if list(part) != list(types) or len(part) != length:
                raise ValueError(f"{path} holds other rows than it should; delete it to measure these records anew")
            parts[start] = part.astype(types)
    if parts:
        num_read, num_records = sum(map(len, parts.values())), sum(lengths.values())
        log.info("%d of %d records were measured before: %s", num_read, num_records, folder)
    return parts


def write_part(folder: Path, start: int, part: pd.DataFrame) -> None:
    with atomic_file(_part_path(folder, start)) as file:
        part.to_parquet(file, index=False)


def _part_path(folder: Path, start: int) -> Path:
    return folder / f"rows_{start:09d}.parquet"
