"""The pieces of every export format: chunks that are written as one, and file names safe on any system."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecggan.data.sets.ecg_set import ECGSet

BATCH = 64  # records in memory at once: 5 MB of eight leads over 10 s
LONGEST_NAME = 100

EXPORTED_AS = "exported_as"  # the column of the record table that names each record's file


@dataclass(frozen=True)
class Chunk:
    """Records that are written together, and written again together after an interruption.

    Args:
        num_records: how many.
        write: writes their files below a folder; yields the number of records written since the last yield. Must
            be picklable.
    """

    num_records: int
    write: Callable[[Path], Iterator[int]]


@dataclass(frozen=True)
class Form:
    """One format to export to.

    Args:
        chunks: the work, in the order of the set.
        how_to_read: Python for the card, at most three lines.
        suffix: of each record's file; None where a file holds many records.
        records_a_folder: how many files a numbered folder takes; None for one folder.
        index: the name of a file that lists the records; None for none.
    """

    chunks: Callable[[ECGSet], list[Chunk]]
    how_to_read: str
    suffix: str | None = None
    records_a_folder: int | None = None
    index: str | None = None


def safe_names(names: Sequence[str]) -> list[str]:
    """Names of letters, digits, - and _ only, as WFDB requires, unique even on file systems that ignore case.

    A safe name is kept, except the second of two that differ in case only.

    >>> safe_names(["site a/1", "site_a_1", "Å", "SITE_A_1"])
    ['site_a_1_3', 'site_a_1', '_', 'SITE_A_1_2']
    """
    wanted = [re.sub(r"[^A-Za-z0-9_-]", "_", str(name))[:LONGEST_NAME] or "_" for name in names]
    safe: list[str] = [""] * len(wanted)
    taken: set[str] = set()
    times: Counter[str] = Counter()
    for i in sorted(range(len(wanted)), key=lambda i: wanted[i] != names[i]):  # a stable sort: safe ones first
        name = wanted[i]
        while name.casefold() in taken:
            times[wanted[i].casefold()] += 1
            name = f"{wanted[i]}_{times[wanted[i].casefold()] + 1}"
        taken.add(name.casefold())
        safe[i] = name
    return safe
