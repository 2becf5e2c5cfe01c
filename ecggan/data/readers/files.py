"""Which reader is for which file."""

from pathlib import Path

from ecggan.data.readers.text_files import read_text
from ecggan.data.readers.wfdb_files import read_wfdb
from ecggan.data.record import Layout, Record

TEXT_SUFFIXES = (".asc", ".csv", ".txt")


def read_record(path: str | Path, layout: Layout) -> Record:
    """Read a file by its suffix: ``.hea`` is WFDB; ``.asc``, ``.csv`` and ``.txt`` are text.

    Raises:
        FileNotFoundError: the file, or the signal file that a WFDB header names, is missing.
        ValueError: the file is damaged, its unit unknown, or its suffix not one of these.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".hea":
        return read_wfdb(path)
    if suffix in TEXT_SUFFIXES:
        assert layout.leads is not None
        assert layout.sampling_rate is not None
        assert layout.unit is not None
        return read_text(path, layout.leads, layout.sampling_rate, layout.unit)
    raise ValueError(f"{path}: files ending in {suffix!r} are not known; known are .hea, {', '.join(TEXT_SUFFIXES)}")
