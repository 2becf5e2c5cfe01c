"""Source -> ECG set: read in parallel, judged, streamed to disk once, and found again by what it was made from.

The set lies in the cache under a key of everything that decides its content, so changing a rule or repairing a file
packs anew and nothing is ever stale. A bad record never ends a run: it is left out, and the manifest's account says
which rule it broke.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import joblib
import numpy as np
from tqdm import tqdm

from ecggan.data.ecg_set import FORMAT_VERSION, ECGSet, ECGSetWriter, create_ecg_set, left_out_in_words
from ecggan.data.quality import QualityRules, reason_to_leave_out
from ecggan.data.record import Record
from ecggan.ecg import ECGFormat, select_leads, to_microvolts

log = logging.getLogger(__name__)

# Counted up whenever reading, judging or packing changes what a set holds, so that sets of before are packed anew.
DATA_VERSION = 3
BATCH = 32  # records a task: small enough for an even bar, large enough that handing over costs nothing


@dataclass(frozen=True)
class RecordReference:
    """A record before it is read.

    Args:
        record: its name, unique in the source.
        path: what the reader opens.
        facts: what the source knows of it (patient, split, age, sex, label …), as plain Python values; what the reader
            finds in the file goes before it.
        beside: other files that the reader looks into; a change of theirs makes another set.
    """

    record: str
    path: Path
    facts: Mapping[str, Any]
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _LeftOut:
    rule: str
    detail: str


@dataclass(frozen=True)
class _Kept:
    microvolts: np.ndarray  # (lead, time) int16
    facts: Mapping[str, Any]


_Outcome = _Kept | _LeftOut


def pack(
    source: str,
    references: Sequence[RecordReference],
    read: Callable[[RecordReference], Record],
    root: str | Path,
    ecg: ECGFormat,
    quality: QualityRules,
    cache: str | Path,
    num_workers: int | None,
    made_by: Mapping[str, Any],
) -> ECGSet:
    """Pack the records into ``cache/sets/source-KEY``, or open that set where it is there already.

    The order is that of the references whatever the number of workers, so the files are the same to the bit.

    Args:
        source: the name of the source, e.g. ``ptbxl``.
        references: the records to read.
        read: must be picklable; what it raises of ValueError and OSError leaves the record out.
        root: the folder that the column `source` is relative to.
        ecg: the leads, rate and length wanted.
        quality: which records are left out.
        cache: the folder for packed sets.
        num_workers: processes that read; None for one a core, 0 and 1 read in this one.
        made_by: how the references were chosen; goes into the manifest and the key.

    Raises:
        ValueError: no record is usable, or the set in the cache is damaged.
    """
    if not references:
        raise ValueError(f"no record to pack in {root} ({source}): {dict(made_by)}")
    folder = Path(cache).expanduser() / "sets" / f"{source}-{_key(references, ecg, quality, made_by)}"
    if not folder.exists():
        made_by = {"source": source, "root": str(root), **made_by, "quality": asdict(quality)}
        outcomes = _outcomes(references, read, ecg, quality, num_workers)
        shape = (ecg.leads, ecg.sampling_rate, ecg.num_samples)
        # another process may pack the same set meanwhile and be first: theirs is ours to the bit
        with suppress(FileExistsError), create_ecg_set(folder, *shape, kind="real", made_by=made_by) as writer:
            _write(writer, outcomes, Path(root))
    packed = open_cached(folder)
    _log_account(folder, packed.manifest["account"])
    return packed


def _write(writer: ECGSetWriter, outcomes: Iterable[tuple[RecordReference, _Outcome]], root: Path) -> None:
    left_out: dict[str, list[dict[str, str]]] = {}
    num_read = 0
    for reference, outcome in outcomes:
        num_read += 1
        if isinstance(outcome, _LeftOut):
            left_out.setdefault(outcome.rule, []).append({"record": reference.record, "detail": outcome.detail})
        else:
            source = reference.path.relative_to(root).as_posix()
            row = {"record": reference.record, "source": source, **reference.facts, **outcome.facts}
            writer.append(outcome.microvolts[None], [row])
    writer.account = {"read": num_read, "kept": len(writer.rows), "left_out": left_out}
    if not writer.rows:
        raise ValueError(_nothing_usable(root, writer.account))


def split_of(name: str, validation: int | float, test: int | float) -> Literal["train", "validation", "test"]:
    """The split of a name (the patient's where it is known), which stays when records are added or removed.

    Args:
        name: hashed with SHA-256.
        validation: the share of names that go there, of 1.
        test: likewise; the rest is for training.
    """
    if min(validation, test) < 0 or validation + test > 1:
        raise ValueError(f"the shares validation and test must be within 0 and 1 together; got {validation} and {test}")
    position = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    if position < test:
        return "test"
    return "validation" if position < test + validation else "train"


def _outcomes(
    references: Sequence[RecordReference],
    read: Callable[[RecordReference], Record],
    ecg: ECGFormat,
    quality: QualityRules,
    num_workers: int | None,
) -> Iterator[tuple[RecordReference, _Outcome]]:
    batches = [references[start : start + BATCH] for start in range(0, len(references), BATCH)]
    wanted = joblib.cpu_count() if num_workers is None else num_workers
    parallel = joblib.Parallel(n_jobs=max(1, min(wanted, len(batches))), return_as="generator")
    with tqdm(total=len(references), desc="packing", unit="record", disable=None) as bar:
        done = parallel(joblib.delayed(_read_batch)(batch, read, ecg, quality) for batch in batches)
        for batch, outcomes in zip(batches, done, strict=True):
            yield from zip(batch, outcomes, strict=True)
            bar.update(len(batch))


def _read_batch(
    references: Sequence[RecordReference],
    read: Callable[[RecordReference], Record],
    ecg: ECGFormat,
    quality: QualityRules,
) -> list[_Outcome]:
    return [_read_one(reference, read, ecg, quality) for reference in references]


def _read_one(
    reference: RecordReference, read: Callable[[RecordReference], Record], ecg: ECGFormat, quality: QualityRules
) -> _Outcome:
    """The record as it is packed, or why not."""
    try:
        record = read(reference)
    except FileNotFoundError as error:
        return _LeftOut("missing", str(error))
    except (ValueError, OSError) as error:
        return _LeftOut("unreadable", str(error))
    reason = reason_to_leave_out(record, ecg, quality)
    if reason:
        return _LeftOut(*reason)
    return _Kept(to_microvolts(select_leads(record.millivolts, record.leads, ecg.leads)), record.facts)


def _key(
    references: Sequence[RecordReference], ecg: ECGFormat, quality: QualityRules, made_by: Mapping[str, Any]
) -> str:
    digest = hashlib.sha256()
    wanted = asdict(ecg)
    del wanted["full_scale_mv"]  # the set is in µV: the network's range does not touch it
    for part in (FORMAT_VERSION, DATA_VERSION, wanted, asdict(quality), made_by):
        digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    for reference in references:
        # a repaired file has another size or time, and so gives another set
        files = [reference.path, *reference.beside]
        if reference.path.suffix == ".hea":
            files += [reference.path.with_suffix(suffix) for suffix in (".dat", ".mat")]
        stamps = [_stamp(file) for file in files]
        digest.update(json.dumps([reference.record, reference.facts, stamps], sort_keys=True, default=str).encode())
    return digest.hexdigest()[:12]


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:  # a missing file is left out when it is read
        return None
    return status.st_size, status.st_mtime_ns


def open_cached(folder: Path) -> ECGSet:
    """Open a set that we wrote to the cache: quickly, its shapes are checked but not its hashes.

    Raises:
        ValueError: it was damaged since.
    """
    try:
        return ECGSet.open(folder, check_hashes=False)
    except (ValueError, OSError) as error:
        raise ValueError(f"the set in the cache is damaged ({error}); delete {folder} to make it anew") from error


def _log_account(folder: Path, account: Mapping[str, Any]) -> None:
    log.info("%s: %d of %d records", folder, account["kept"], account["read"])
    for rule, text in left_out_in_words(account).items():
        log.warning("left out by %s: %s", rule, text)


def _nothing_usable(root: str | Path, account: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{rule} {len(entries)}" for rule, entries in account["left_out"].items())
    first = next(iter(account["left_out"].values()))[0]
    return (
        f"none of the {account['read']} records in {root} is usable ({counts}); "
        f"the first, {first['record']}: {first['detail']}"
    )
