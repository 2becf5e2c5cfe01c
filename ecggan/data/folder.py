"""Any folder of ECG files: every file is a record, and the split follows from its patient, or else from its name."""

import logging
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from ecggan.data.ecg_set import ECGSet
from ecggan.data.packing import NotWantedError, Packer, split_of
from ecggan.data.readers.files import read_record
from ecggan.data.readers.links import leads_out_of
from ecggan.data.readers.sidecars import sidecars_of
from ecggan.data.record import Layout, Record, RecordReference
from ecggan.data.selection import Selection

log = logging.getLogger(__name__)


def folder_set(
    root: str | Path | None,
    packer: Packer,
    selection: Selection,
    patterns: Sequence[str],
    layout: Layout,
    validation: int | float,
    test: int | float,
) -> ECGSet:
    """Pack every file under a folder, at any depth; hidden files and folders are passed over.

    A record is named by its path without the suffix, as in ``site_a/00017``; where two files share that name, each
    keeps its suffix. They still share a split, for they may be one ECG in two formats.

    Args:
        root: the folder.
        packer: makes the set.
        selection: by age and sex, where a file or a sidecar says it.
        patterns: of file names, e.g. ``*.hea``.
        layout: what neither a file nor a sidecar says ([ecggan.data.readers.sidecars][]).
        validation: the share of the names in that split, of 1.
        test: likewise. Where the file or a sidecar names the patient, it is the patients that are shared out.

    Raises:
        FileNotFoundError: no such folder, or no such file in it.
        ValueError: no record is usable.
    """
    if root is None or not Path(root).expanduser().is_dir():
        where = "" if root is None else f"; {root} is not a folder"
        raise FileNotFoundError(f"data=folder needs data.root=FOLDER, the folder of ECG files{where}")
    root = Path(root).expanduser()
    patterns = [patterns] if isinstance(patterns, str) else patterns
    paths = find_files(root, patterns)
    if not paths:
        raise FileNotFoundError(
            f"no file in {root} or below is named like {', '.join(patterns)} (data.source.patterns)"
        )
    names = [path.relative_to(root).with_suffix("").as_posix() for path in paths]
    times = Counter(names)
    references = [
        RecordReference(
            name if times[name] == 1 else name + path.suffix,
            path,
            {"split": split_of(name, validation, test)},
            tuple(sidecars_of(path, root)),
        )
        for name, path in zip(names, paths, strict=True)
    ]
    read = partial(_read, layout=layout, root=root, selection=selection, validation=validation, test=test)
    made_by = {
        "patterns": list(patterns),
        "layout": asdict(layout),
        "selection": asdict(selection),
        "validation": validation,
        "test": test,
    }
    return packer.pack("folder", references, read, root, made_by)


def find_files(root: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of such names, case aside; links to files are among them, and no link to a folder is followed."""
    found, elsewhere = [], []
    passed_over = Counter[str]()
    for at, folders, files in os.walk(root):
        folder = Path(at)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [folder / name for name in folders if (folder / name).is_symlink()]
        elsewhere += [link for link in linked if leads_out_of(link, root)]
        for name in sorted(files):
            if any(fnmatch(name.lower(), pattern.lower()) for pattern in patterns) and not name.startswith("."):
                found.append(folder / name)
            else:
                passed_over[Path(name).suffix or name] += 1
    if elsewhere:
        log.warning(
            "%d links in %s lead to folders elsewhere and are not followed, %s the first; give those as data.root",
            len(elsewhere),
            root,
            elsewhere[0],
        )
    if passed_over:
        counts = ", ".join(f"{count} {suffix}" for suffix, count in passed_over.most_common(9))
        log.info("files that no pattern names (signal files of WFDB among them): %s", counts)
    return sorted(found)


def _read(
    reference: RecordReference,
    layout: Layout,
    root: Path,
    selection: Selection,
    validation: int | float,
    test: int | float,
) -> Record:
    """The record; where a patient is known, the split is the patient's."""
    record = read_record(reference.path, layout, root)
    age, sex = record.facts.get("age", math.nan), record.facts.get("sex")
    step = selection.misses(age, sex)
    if step:
        raise NotWantedError(step, f"age {age:g}, sex {sex or 'unknown'}")
    if "patient" not in record.facts:
        return record
    split = split_of(record.facts["patient"], validation, test)
    return replace(record, facts={**record.facts, "split": split})
