"""Which reader is for which file."""

from dataclasses import replace
from pathlib import Path

from ecggan.data.readers.device_files import DEVICE_SUFFIXES, read_device_file
from ecggan.data.readers.links import leads_out_of
from ecggan.data.readers.sidecars import read_sidecars, sidecars_of
from ecggan.data.readers.text_files import read_text
from ecggan.data.readers.wfdb_files import read_wfdb
from ecggan.data.record import Layout, Record

TEXT_SUFFIXES = (".asc", ".csv", ".txt")
SUFFIXES = (".hea", *DEVICE_SUFFIXES, *TEXT_SUFFIXES)


def read_record(path: str | Path, layout: Layout, root: str | Path | None = None) -> Record:
    """Read a file by its suffix: ``.hea`` is WFDB, ``.xml``, ``.dcm`` and ``.scp`` are of devices, the rest is text.

    Args:
        path: the file.
        layout: what neither the file nor a sidecar says.
        root: the folder out of which no link may lead, and where sidecars are looked for; None for the file's own.

    Raises:
        FileNotFoundError: the file, or the signal file that a WFDB header names, is missing.
        ValueError: the file is damaged, does not say all that is needed, leads out of `root`, or its suffix is not one
            of these.
    """
    path = Path(path)
    root = path.parent if root is None else Path(root)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: files ending in {suffix!r} are not known; known are {', '.join(SUFFIXES)}")
    if leads_out_of(path, root):
        raise ValueError(f"{path} is a link that leads out of {root}; give the folder that it leads to")
    layout, facts = read_sidecars(sidecars_of(path, root), layout)
    if suffix == ".hea":
        record = read_wfdb(path, root=root)
    elif suffix in DEVICE_SUFFIXES:
        record = read_device_file(path)
    else:
        record = read_text(path, layout)
    return replace(record, facts={**record.facts, **facts})
