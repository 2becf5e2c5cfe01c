"""Any folder of ECG files, of one or many records each, split by patient or by name."""

import logging
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from ecggan.data.packing.outcomes import NotWantedError
from ecggan.data.packing.packer import Packer
from ecggan.data.patients import known_patient
from ecggan.data.readers.registry import is_collection, read_record, record_names
from ecggan.data.readers.sidecars import sidecars_of
from ecggan.data.record import Layout, Record, RecordReference
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import MANIFEST, RECORDS, SIGNALS, Kind, read_export
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.selection import Selection
from ecggan.files.path_safety import leads_out_of
from ecggan.quoting import as_argument

log = logging.getLogger(__name__)


def folder_set(
    root: str | Path | None,
    packer: Packer,
    selection: Selection,
    patterns: Sequence[str],
    layout: Layout,
    validation: int | float,
    test: int | float,
    kind: Kind = "real",
) -> ECGSet:
    """Pack every file under a folder, at any depth; hidden files and folders are ignored.

    A record is named by its path without the suffix, as in ``site_a/00017``; where two files share that name, each
    keeps its suffix. They still share a split, for they may be one ECG in two formats. A record of a file of many is
    named by the file and its own name or number, as in ``site_a/tracings/0``.

    Args:
        root: the folder, or a file of many records.
        packer: makes the set.
        selection: by age and sex, where a file or a sidecar states them.
        patterns: of file names, e.g. ``*.hea``.
        layout: facts that neither a file nor a sidecar states ([ecggan.data.readers.sidecars][]).
        validation: the share of the names in that split, of 1.
        test: the share of the names in the test split, of 1. If a file or a sidecar names the patient, the shares are
            of patients. A split that a file states for its records is kept.
        kind: of the ECGs; of generated ones none is excluded that can be read.

    Raises:
        FileNotFoundError: no such folder, or no such file in it.
        ValueError: no record is usable.
    """
    packer = packer.of_generated() if kind == "generated" else packer
    root = None if root is None else Path(root).expanduser()
    layout = layout if root is None else _with_layout_of_export(layout, root)
    if root is not None and root.is_file() and is_collection(root):
        root, paths = root.parent, [root]
    elif root is None or not root.is_dir():
        where = "" if root is None else f"; {root} is neither"
        raise FileNotFoundError(
            f"data=folder needs data.root=FOLDER, the folder of ECG files, or a file of many records{where}"
        )
    else:
        if (root / MANIFEST).is_file() and (root / SIGNALS).is_file():
            raise ValueError(f"{root} is an ECG set: give data=ecg_set {as_argument('data.root', root)}")
        patterns = [patterns] if isinstance(patterns, str) else patterns
        paths = [path for path in find_files(root, patterns) if not _is_table_of_an_export(path)]
        if not paths:
            raise FileNotFoundError(
                f"no file in {root} or below is named like {', '.join(patterns)} (data.source.patterns)"
            )
    names = [path.relative_to(root).with_suffix("").as_posix() for path in paths]
    times = Counter(names)
    named = [name if times[name] == 1 else name + path.suffix for name, path in zip(names, paths, strict=True)]
    many = packer.each(
        partial(_names_of, layout=layout, root=root), [path for path in paths if is_collection(path)], _nameless
    )
    references = []
    for stem, name, path in zip(names, named, paths, strict=True):
        beside = tuple(sidecars_of(path, root))
        members = next(many) if is_collection(path) else None
        if members is None:
            references.append(RecordReference(name, path, {"split": split_of(stem, validation, test)}, beside))
            continue
        for position, member in enumerate(members):
            facts = {"split": split_of(f"{stem}/{member}", validation, test)}
            references.append(RecordReference(f"{name}/{member}", path, facts, beside, position))
    read = partial(
        _read,
        layout=layout,
        root=root,
        leads=packer.ecg.leads,
        selection=selection,
        validation=validation,
        test=test,
        placeholders=packer.placeholders,
    )
    made_by = {
        "patterns": list(patterns),
        "layout": asdict(layout),
        "selection": asdict(selection),
        "validation": validation,
        "test": test,
    }
    return packer.pack("folder", references, read, root, made_by)


def find_files(root: Path, patterns: Sequence[str]) -> list[Path]:
    """The files whose names match a pattern, ignoring case; links to files are included, to folders not followed."""
    found, elsewhere = [], []
    ignored = Counter[str]()
    for at, folders, files in os.walk(root):
        folder = Path(at)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [folder / name for name in folders if (folder / name).is_symlink()]
        elsewhere += [link for link in linked if leads_out_of(link, root)]
        for name in sorted(files):
            if any(fnmatch(name.lower(), pattern.lower()) for pattern in patterns) and not name.startswith("."):
                found.append(folder / name)
            else:
                ignored[Path(name).suffix or name] += 1
    if elsewhere:
        log.warning(
            "%d links in %s lead to folders elsewhere and are not followed, %s the first; give those as data.root",
            len(elsewhere),
            root,
            elsewhere[0],
        )
    if ignored:
        counts = ", ".join(f"{count} {suffix}" for suffix, count in ignored.most_common(9))
        log.info("files that no pattern names (signal files of WFDB among them): %s", counts)
    return sorted(found)


def _with_layout_of_export(layout: Layout, root: Path) -> Layout:
    """The layout that an export of an ECG set as text states in its manifest; the given one for any other folder."""
    export = read_export(root)
    if export is None or export["exported"]["form"] not in ("asc", "csv"):  # the other forms state it in their files
        return layout
    return replace(layout, leads=export["leads"], sampling_rate=export["sampling_rate"], unit=export["unit"])


def _is_table_of_an_export(path: Path) -> bool:
    return path.name == RECORDS and (path.parent / MANIFEST).is_file()


def _names_of(paths: Sequence[Path], layout: Layout, root: Path) -> list[Sequence[str] | None]:
    return [_names(path, layout, root) for path in paths]


def _names(path: Path, layout: Layout, root: Path) -> Sequence[str] | None:
    """The names of the records in a file; None if it holds one, or cannot be opened, which the packer will report."""
    try:
        names = record_names(path, layout, root)
    except (ValueError, OSError, MemoryError):
        return None
    return names if len(names) > 1 else None


def _nameless(path: Path, what_happened: str) -> None:
    """A file that crashes its reader has no names; it crashes again when it is packed, and is excluded then."""


def _read(
    reference: RecordReference,
    layout: Layout,
    root: Path,
    leads: Sequence[str],
    selection: Selection,
    validation: int | float,
    test: int | float,
    placeholders: Sequence[str],
) -> Record:
    """The record, in the split of its patient if the patient is known."""
    record = read_record(reference.path, layout, root, reference.position, leads)
    age, sex = record.facts.get("age", math.nan), record.facts.get("sex")
    step = selection.exclusion_reason(age, sex)
    if step:
        raise NotWantedError(step, f"age {age:g}, sex {sex or 'unknown'}")
    patient = known_patient(record.facts.get("patient"), placeholders)
    if patient is None or "split" in record.facts:
        return record
    split = split_of(patient, validation, test)
    return replace(record, facts={**record.facts, "split": split})
