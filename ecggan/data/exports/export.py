"""An ECG set -> a new folder in another format: in chunks, on several cores, resumed after a kill.

A chunk is written below `notes`, moved to its place file by file, and then noted as done with the hashes of its files.
A chunk without a note is written again, so an export is byte-identical however often it was interrupted.
"""

import errno
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from filelock import FileLock
from tqdm import tqdm

from ecggan._version import __version__
from ecggan.data.exports.card import card, front_matter
from ecggan.data.exports.chunks import BATCH, EXPORTED_AS, Chunk, Form, safe_names
from ecggan.data.exports.npz import NPZ
from ecggan.data.exports.parquet import PARQUET, splits
from ecggan.data.exports.text import ASC, CSV
from ecggan.data.exports.wfdb import WFDB
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import MANIFEST, RECORDS
from ecggan.data.sets.training_records import without_hashes
from ecggan.files.atomic import atomic_file
from ecggan.files.checksums import sha256_of
from ecggan.files.json_file import write_json
from ecggan.files.locks import is_alive
from ecggan.files.resumable_folder import ResumableFolder
from ecggan.files.text_file import write_text
from ecggan.stats.resampling import evenly_spaced

FORMS = {"asc": ASC, "csv": CSV, "wfdb": WFDB, "parquet": PARQUET, "npz": NPZ}

CHECKSUMS, CARD = "checksums.sha256", "README.md"
NUM_PROBED = 16  # records written to estimate the space that all of them take
BLOCK = 4096  # bytes: what a small file takes on most disks
RECORDS_A_WORKER = 4000  # fewer are written faster than another process starts


def export(
    ecgs: ECGSet,
    form: str,
    out: str | Path,
    *,
    license: str | None = None,
    num_workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Write a set, or a view of one, to a new folder in a format that others read.

    ======== ==========================================================================================================
    form     what is written
    ======== ==========================================================================================================
    asc      a file a record as the package deepfake-ecg writes it: a row a time point, a column a lead, whole µV
    csv      the same with commas and a header of the leads' names
    wfdb     format 16 with 1000 steps a mV, in folders of 1,000, listed in ``RECORDS``
    parquet  ``data/SPLIT-….parquet``, a row a record; ``datasets.load_dataset(out)`` opens it
    npz      ``ecgs.npz``: signals (record, lead, time) int16 µV, leads, sampling_rate, unit, record
    ======== ==========================================================================================================

    The set's manifest and table of records, a card (``README.md``) and the hashes of all files are written beside them.
    The folder appears whole or not at all; the same call resumes an export that was interrupted or killed.

    Args:
        ecgs: the set.
        form: see above.
        out: a new folder. Files are named after the records, what is no letter, digit, - or _ becoming _; the column
            `exported_as` of ``records.parquet`` names each record's file.
        license: for the card, as the Hugging Face hub spells it, e.g. ``cc-by-4.0``; None: none is chosen yet,
            or, of real ECGs, the source's applies.
        num_workers: processes that write; None for one a core where there is enough to do, 0 and 1 write in this one.
            A set in memory is always written in this one.
        progress: show a progress bar.

    Raises:
        FileExistsError: `out` exists and is not empty, or holds an unfinished other export.
        ValueError: the form is unknown, the set is empty, or a value does not fit the form.
        OSError: too little space on the disk, before the start or later.
    """
    if form not in FORMS:
        raise ValueError(f"the form {form!r} is not known; known are {', '.join(FORMS)}")
    if len(ecgs) == 0:
        raise ValueError("the set is empty: there is nothing to export")
    chosen = FORMS[form]
    ecgs = replace(ecgs, records=_name_files(ecgs, chosen))
    request = {"form": form, "ecg_set": _identity(ecgs), "license": license, "ecggan": __version__}
    folder = ResumableFolder(out, request)
    with FileLock(folder.notes / "exporting.lock"):
        if not folder.is_begun() and is_exported(ecgs, form, out, license):  # by another process, meanwhile
            ResumableFolder.clear_away(out)
            return folder.path
        return _export(ecgs, form, folder, license, num_workers, progress)


def _export(
    ecgs: ECGSet, form: str, folder: ResumableFolder, license: str | None, num_workers: int | None, progress: bool
) -> Path:
    chosen = FORMS[form]
    chunks = chosen.chunks(ecgs)
    _remove_scratch_of_the_dead(folder)
    done = _done(folder, chunks)
    left = [number for number in range(len(chunks)) if number not in done]
    try:
        _require_space(folder, ecgs, chosen, num_records=sum(chunks[number].num_records for number in left))
        before = sum(chunks[number].num_records for number in done)
        with tqdm(total=len(ecgs), initial=before, unit="ECG", desc=f"exporting {form}", disable=not progress) as bar:
            for written in _write_chunks(folder, chunks, left, _num_processes(ecgs, left, chunks, num_workers)):
                bar.update(written)
        _write_companions(folder, ecgs, form, license, len(chunks))
    except (ValueError, OSError) as error:
        if not _done(folder, chunks):
            folder.discard()  # nothing to resume
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise OSError(
                f"no space left on the disk of {folder.path}; make room and run the same again to resume, "
                f"or remove {folder.notes}"
            ) from error
        raise
    folder.finish()
    return folder.path


def is_exported(ecgs: ECGSet, form: str, path: str | Path, license: str | None) -> bool:
    """Whether this folder is an export of this set in this form."""
    try:
        there = json.loads((Path(path) / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = _manifest(ecgs, form, license)
    return isinstance(there, dict) and all(there.get(key) == wanted[key] for key in ("num_records", "exported"))


def _name_files(ecgs: ECGSet, form: Form) -> pd.DataFrame:
    """The table of records, with each record's file if the form writes a file a record."""
    records = ecgs.records.reset_index(drop=True)
    if form.suffix is None:
        return records
    a_folder = form.records_a_folder
    places = [f"{i - i % a_folder:06d}/" if a_folder else "" for i in range(len(records))]
    names = safe_names(records["record"].tolist())
    return records.assign(**{EXPORTED_AS: [f"{a}{b}{form.suffix}" for a, b in zip(places, names, strict=True)]})


def _identity(ecgs: ECGSet) -> str:
    """A hash of all that the export depends on; of a set on disk, the manifest's hashes represent the signals."""
    digest = hashlib.sha256(json.dumps(ecgs.manifest, sort_keys=True, default=str).encode())
    digest.update(ecgs.rows.tobytes())
    digest.update(ecgs.records.to_parquet(index=False))
    if ecgs.path is None:
        for batch in ecgs.batches(BATCH):
            digest.update(ecgs.microvolts(batch).tobytes())
    return digest.hexdigest()


def _require_space(folder: ResumableFolder, ecgs: ECGSet, form: Form, num_records: int) -> None:
    """Write a few records to a temporary folder, and raise OSError if all of them would not fit on the disk."""
    few = ecgs.subset(evenly_spaced(len(ecgs), NUM_PROBED, ends="both"))
    with tempfile.TemporaryDirectory() as scratch:
        for chunk in form.chunks(few):
            for _ in chunk.write(Path(scratch)):
                pass
        taken = sum(-(-file.stat().st_size // BLOCK) * BLOCK for file in Path(scratch).rglob("*") if file.is_file())
    needed, free = taken * num_records // len(few), shutil.disk_usage(folder.path.parent).free
    if needed > free:
        raise OSError(
            f"too little space on the disk of {folder.path}: about {needed / 1e9:.3g} GB are needed, "
            f"{free / 1e9:.3g} GB are free"
        )


def _num_processes(ecgs: ECGSet, left: list[int], chunks: list[Chunk], num_workers: int | None) -> int:
    if ecgs.path is None:  # its signals would be copied to each process
        return 1
    if num_workers is None:
        enough = sum(chunks[number].num_records for number in left) // RECORDS_A_WORKER
        num_workers = min(joblib.cpu_count(), enough)
    return max(1, min(num_workers, len(left)))


def _write_chunks(folder: ResumableFolder, chunks: list[Chunk], left: list[int], num_processes: int) -> Iterator[int]:
    """Write the chunks that are left; yields numbers of records as they are written."""
    if num_processes == 1:
        for number in left:
            yield from _write_chunk(folder, chunks[number], number)
    else:
        parallel = joblib.Parallel(n_jobs=num_processes, return_as="generator_unordered")
        yield from parallel(joblib.delayed(_write_whole_chunk)(folder, chunks[number], number) for number in left)


def _write_whole_chunk(folder: ResumableFolder, chunk: Chunk, number: int) -> int:
    return sum(_write_chunk(folder, chunk, number))


def _write_chunk(folder: ResumableFolder, chunk: Chunk, number: int) -> Iterator[int]:
    with _filled(folder, f"{number:06d}") as scratch:
        yield from chunk.write(scratch)


@contextmanager
def _filled(folder: ResumableFolder, name: str) -> Iterator[Path]:
    """A scratch folder whose files are moved to the content at the end, and noted with their hashes."""
    scratch = folder.notes / f"{name}-{platform.node()}-{os.getpid()}"
    scratch.mkdir()
    try:
        yield scratch
        lines = []
        for file in sorted(file for file in scratch.rglob("*") if file.is_file()):
            place = file.relative_to(scratch)
            lines.append(f"{sha256_of(file)}  {place.as_posix()}\n")
            (folder.content / place).parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, folder.content / place)
        with atomic_file(_done_folder(folder) / name) as note:
            write_text(note, "".join(lines))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _remove_scratch_of_the_dead(folder: ResumableFolder) -> None:
    for scratch in folder.notes.glob(f"*-{platform.node()}-*"):
        if not is_alive(int(scratch.name.rpartition("-")[2])):
            shutil.rmtree(scratch, ignore_errors=True)


def _done_folder(folder: ResumableFolder) -> Path:
    return folder.notes / "done"


def _done(folder: ResumableFolder, chunks: list[Chunk]) -> set[int]:
    return {number for number in range(len(chunks)) if (_done_folder(folder) / f"{number:06d}").is_file()}


def _write_companions(folder: ResumableFolder, ecgs: ECGSet, form: str, license: str | None, num_chunks: int) -> None:
    chosen = FORMS[form]
    data_files = {split: f"data/{split}-*.parquet" for split in splits(ecgs)} if form == "parquet" else {}
    how_to_read = chosen.how_to_read.format(
        folder=json.dumps(folder.path.name, ensure_ascii=False), split=next(iter(data_files), "")
    )
    head = front_matter(ecgs, license, data_files) if form == "parquet" else ""
    companions = f"{num_chunks:06d}-companions"
    with _filled(folder, companions) as scratch:
        ecgs.records.to_parquet(scratch / RECORDS, index=False)
        write_json(scratch / MANIFEST, _manifest(ecgs, form, license))
        write_text(scratch / CARD, head + card(ecgs, how_to_read, license))
        if chosen.index:
            write_text(scratch / chosen.index, "".join(f"{name}\n" for name in ecgs.records[EXPORTED_AS]))
    notes = [_done_folder(folder) / name for name in [*(f"{i:06d}" for i in range(num_chunks)), companions]]
    with atomic_file(folder.notes / CHECKSUMS) as checksums:
        write_text(checksums, "".join(note.read_text(encoding="utf-8") for note in notes))
    os.replace(folder.notes / CHECKSUMS, folder.content / CHECKSUMS)


def _manifest(ecgs: ECGSet, form: str, license: str | None) -> dict[str, Any]:
    """The set's manifest; count and hashes of the set's files, of which this may be a view, go under `exported`."""
    whole = {key: ecgs.manifest[key] for key in ("num_records", "sha256") if key in ecgs.manifest}
    manifest = {key: value for key, value in ecgs.manifest.items() if key != "sha256"}
    manifest["made_by"] = without_hashes(manifest["made_by"])
    exported = {"form": form, "license": license, "ecggan": __version__, "from": whole}
    return {**manifest, "num_records": len(ecgs), "exported": exported}
