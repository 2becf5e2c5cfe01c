"""One file that somebody brought -> an ECG; in a process that may be lost, with a limit of time and memory."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecggan.data.readers.registry import is_collection, read_record, record_names
from ecggan.data.record import Layout, Record, printable
from ecggan.ecg import TWELVE_LEADS, canonical_lead

LONGEST_S = 10.0  # shown at once
HIGHEST_RATE_HZ = 5000
MOST_NAMES = 500  # of the records in a file of many


def read(folder: Path, name: str, layout: Mapping[str, Any], position: int, start_s: float) -> dict[str, Any]:
    """Read a file, and take 10 s of one of its records.

    Args:
        folder: that holds it, and nothing but what was sent with it.
        name: of the file.
        layout: what the file does not state; see [Layout][ecggan.data.record.Layout].
        position: of the record in a file of many.
        start_s: where the 10 s begin.

    Raises:
        FileNotFoundError: a file that it names is missing.
        ValueError: it cannot be read, or holds no lead of the twelve.
    """
    path, stated = folder / name, Layout(**layout)
    names = list(record_names(path, stated, folder)) if is_collection(path) else [Path(name).stem]
    if not 0 <= position < len(names):
        raise ValueError(f"{name} holds {len(names)} records; there is no record {position}")
    record = read_record(path, stated, folder, position if is_collection(path) else None)
    if record.sampling_rate > HIGHEST_RATE_HZ:
        raise ValueError(
            f"its sampling rate is {record.sampling_rate:g} Hz; up to {HIGHEST_RATE_HZ:,} Hz is shown here"
        )
    leads, others = _known_leads(record)
    first = max(0, round(start_s * record.sampling_rate))
    shown = record.millivolts[list(leads.values()), first : first + round(LONGEST_S * record.sampling_rate)]
    if not shown.shape[1]:
        raise ValueError(f"there is nothing at {start_s:g} s: the record has {_duration_s(record):.4g} s")
    facts = {key: printable(str(value), 60) for key, value in record.facts.items() if value == value}
    return {
        "record": printable(str(names[position]), 60),
        "records": [printable(str(each), 60) for each in names[:MOST_NAMES]],
        "num_records": len(names),
        "millivolts": np.asarray(shown, dtype=np.float32),
        "leads": list(leads),
        "other_leads": others,
        "sampling_rate": record.sampling_rate,
        "duration_s": _duration_s(record),
        "start_s": first / record.sampling_rate,
        "facts": {key: facts[key] for key in ("age", "sex") if key in facts},
    }


def _known_leads(record: Record) -> tuple[dict[str, int], list[str]]:
    """The position of each of the twelve leads in the record, and the names of the other leads."""
    leads: dict[str, int] = {}
    others = []
    for place, name in enumerate(record.leads):
        lead = canonical_lead(name)
        if lead in TWELVE_LEADS and lead not in leads:
            leads[lead] = place
        else:
            others.append(printable(name, 20))
    if not leads:
        raise ValueError(f"none of its leads is one of {', '.join(TWELVE_LEADS)}: it has {', '.join(others[:12])}")
    return leads, others[:12]


def _duration_s(record: Record) -> float:
    duration = record.millivolts.shape[1] / record.sampling_rate
    return duration if math.isfinite(duration) else 0.0
