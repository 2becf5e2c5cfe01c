"""Any folder of ECG files: every file is a record, and the split follows from its name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from ecggan.data.ecg_set import ECGSet
from ecggan.data.packing import RecordReference, pack, split_of
from ecggan.data.quality import QualityRules
from ecggan.data.readers.files import read_record
from ecggan.data.record import Layout, Record
from ecggan.ecg import ECGFormat


def folder_set(
    root: str | Path | None,
    ecg: ECGFormat,
    quality: QualityRules,
    cache: str | Path,
    num_workers: int | None,
    patterns: Sequence[str],
    text: Layout,
    validation: int | float,
    test: int | float,
) -> ECGSet:
    """Pack every file under a folder, at any depth; hidden files and folders are passed over.

    A record is named by its path without the suffix, as in ``site_a/00017``; where two files share that name, each
    keeps its suffix. They still share a split, for they may be one ECG in two formats.

    Args:
        root: the folder.
        ecg: see [pack][ecggan.data.packing.pack], like `quality`, `cache` and `num_workers`.
        quality: which records are left out.
        cache: the folder for packed sets.
        num_workers: processes that read; None for one a core.
        patterns: of file names, e.g. ``*.hea``.
        text: what text files do not say themselves.
        validation: the share of the names in that split, of 1.
        test: likewise. The files do not name their patients, so one with several records may be in two splits.

    Raises:
        FileNotFoundError: no such folder, or no such file in it.
        ValueError: no record is usable.
    """
    if root is None or not Path(root).expanduser().is_dir():
        where = "" if root is None else f"; {root} is not a folder"
        raise FileNotFoundError(f"data=folder needs data.root=FOLDER, the folder of ECG files{where}")
    root = Path(root).expanduser()
    patterns = [patterns] if isinstance(patterns, str) else patterns
    paths = _find(root, patterns)
    if not paths:
        raise FileNotFoundError(
            f"no file in {root} or below is named like {', '.join(patterns)} (data.source.patterns)"
        )
    names = [path.relative_to(root).with_suffix("").as_posix() for path in paths]
    times = Counter(names)
    references = [
        RecordReference(
            name if times[name] == 1 else name + path.suffix, path, {"split": split_of(name, validation, test)}
        )
        for name, path in zip(names, paths, strict=True)
    ]
    made_by = {"patterns": list(patterns), "text": asdict(text), "validation": validation, "test": test}
    return pack("folder", references, partial(_read, text=text), root, ecg, quality, cache, num_workers, made_by)


def _find(root: Path, patterns: Sequence[str]) -> list[Path]:
    found = {path for pattern in patterns for path in root.rglob(pattern) if path.is_file()}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))


def _read(reference: RecordReference, text: Layout) -> Record:
    return read_record(reference.path, text)
