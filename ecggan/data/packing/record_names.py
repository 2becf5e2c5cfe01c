"""Names of records: printable, and unique within a set."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ecggan.data.record import RecordReference, printable


def with_unique_names(references: Sequence[RecordReference], root: Path) -> list[RecordReference]:
    """The same references with printable, unique names; records of the same name are named by their path."""
    named = [replace(reference, record=printable(reference.record)) for reference in references]
    times = Counter(reference.record for reference in named)
    seen: Counter[str] = Counter()
    for i, reference in enumerate(named):
        name = reference.record
        if times[name] > 1:
            path = printable(reference.path.relative_to(root).as_posix())
            member = PurePosixPath(name).name if reference.position is not None else ""
            name = f"{path}/{member}" if member else path
        seen[name] += 1
        named[i] = replace(reference, record=name if seen[name] == 1 else f"{name}~{seen[name]}")
    return named
