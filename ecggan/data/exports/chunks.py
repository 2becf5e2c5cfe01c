"""What every form of export is made of: parts, each written as one, and names that any file system takes."""

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
class Part:
    """Some records that are written together, and written again together after an interruption.

    Args:
        num_records: how many.
        write: writes their files below a folder; yields the number of records written since it last did. Must be
            picklable.
    """

    num_records: int
    write: Callable[[Path], Iterator[int]]


@dataclass(frozen=True)
class Form:
    """One format to export to.

    Args:
        parts: the work, in the order of the set.
        how_to_read: Python for the card, at most three lines.
        suffix: of each record's file; None where a file holds many records.
        records_a_folder: a file a record goes into numbered folders of so many; None for one folder.
        index: the name of a file that lists the records, where the form has one.
    """

    parts: Callable[[ECGSet], list[Part]]
    how_to_read: str
    suffix: str | None = None
    records_a_folder: int | None = None
    index: str | None = None


def blocks(num_records: int, most: int) -> list[slice]:
    """Positions 0, 1, 2 … in runs of at most so many.

    >>> blocks(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(start, min(start + most, num_records)) for start in range(0, num_records, most)]


def safe_names(names: Sequence[str]) -> list[str]:
    """Names of letters, digits, - and _ alone, as WFDB wants them, none twice even where case does not count.

    A name that is safe already stays, but for the second of two that differ in case only.

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
