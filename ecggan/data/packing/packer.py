"""Source -> ECG set: read in parallel, shaped, judged, streamed to disk once, and found again by what it was made from.

The set lies in the cache under a key of everything that decides its content, so changing a rule or repairing a file
packs anew and nothing is ever stale. A bad record never ends a run: it is left out, and the manifest's account says
which rule it broke. A run that is stopped goes on where it was; of several that want the same set, one packs it.
"""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path, PurePosixPath
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from ecggan.data.packing.cache import being_filled, file_stamp, open_cached
from ecggan.data.packing.journal import Kept, LeftOut, Outcome, PackingJournal
from ecggan.data.packing.outcomes import NothingUsableError, NotWantedError
from ecggan.data.packing.preprocessing import Shaping
from ecggan.data.packing.quality import QualityRules, unfit_as_read, unfit_as_shaped
from ecggan.data.packing.worker_pool import Item, Result, in_processes
from ecggan.data.record import Record, RecordReference, in_one_line, printable
from ecggan.data.sets.ecg_set import FORMAT_VERSION, ECGSet, new_manifest
from ecggan.data.sets.exclusions import Excerpt, log_account
from ecggan.data.sets.record_filter import Keep
from ecggan.ecg import ECGFormat, to_microvolts
from ecggan.files.atomic import file_lock

log = logging.getLogger(__name__)

# Counted up whenever reading, judging or packing changes what a set holds, so that sets of before are packed anew.
DATA_VERSION = 4
_MOST_SHOWN, _MOST_LEADS_SHOWN = 50_000, 16  # samples and leads of a record that is left out
BATCH = 32  # records a task: small enough for an even bar, large enough that handing over costs nothing

Read = Callable[[RecordReference], Record]


@dataclass(frozen=True)
class Packer:
    """How the records of any source become one ECG set.

    Args:
        ecg: the leads, rate and length wanted.
        shaping: how records of other rates and lengths are brought there.
        quality: which records are left out.
        cache: the folder for packed sets.
        num_workers: processes that read; None for one a core, 0 to read in this one, where a file may crash or hang it.
        seconds_a_record: that a file may take to be read.
        keep: which of the others are left out, by what is measured in them; None for none.
    """

    ecg: ECGFormat
    shaping: Shaping
    quality: QualityRules
    cache: str | Path
    num_workers: int | None
    seconds_a_record: int | float
    keep: Keep | None = None

    def __post_init__(self) -> None:
        if self.num_workers is not None and self.num_workers < 0:
            raise ValueError(f"num_workers must be a whole number from 0 on, or null; got {self.num_workers}")
        if not 0 < self.seconds_a_record < np.inf:
            raise ValueError(f"seconds_a_record must be a number above 0; got {self.seconds_a_record}")

    @property
    def description(self) -> dict[str, Any]:
        """What the set depends on, for its manifest."""
        keep = {} if self.keep is None else {"keep": self.keep.description}
        return {"shaping": asdict(self.shaping), "quality": asdict(self.quality), **keep}

    def pack(
        self,
        source: str,
        references: Sequence[RecordReference],
        read: Read,
        root: str | Path,
        made_by: Mapping[str, Any],
    ) -> ECGSet:
        """Pack the records into ``cache/sets/source-KEY``, or open that set where it is there already.

        The order is that of the references whatever the number of workers, so the files are the same to the bit.

        Args:
            source: the name of the source, e.g. ``ptbxl``.
            references: the records to read.
            read: must be picklable; where it raises, the record is left out.
            root: the folder that the column `source` is relative to.
            made_by: how the references were chosen; goes into the manifest and the key.

        Raises:
            ValueError: no record is usable, or the set in the cache is damaged.
        """
        if not references:
            raise ValueError(f"no record to pack in {root} ({source}): {dict(made_by)}")
        references = _each_with_its_name(references, Path(root))
        folder = Path(self.cache).expanduser() / "sets" / f"{source}-{self._key(references, made_by)}"
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with file_lock(folder.with_name(f".{folder.name}.lock"), blocking=True) as lock:
                if not folder.exists():  # another process may have packed it while this one waited
                    everything = {"source": source, "root": printable(str(root)), **made_by, **self.description}
                    with being_filled(folder, is_locked=lock is not None) as content:
                        self._fill(content, references, read, Path(root), everything)
        packed = open_cached(folder)
        log_account(folder, packed.manifest["account"])
        return packed

    def _fill(
        self,
        content: Path,
        references: Sequence[RecordReference],
        read: Read,
        root: Path,
        made_by: Mapping[str, Any],
    ) -> None:
        ecg = self.ecg
        with PackingJournal(content, ecg.leads, ecg.sampling_rate, ecg.num_samples) as journal:
            batches = [references[start : start + BATCH] for start in range(0, len(references), BATCH)]
            done = sum(map(len, batches[: journal.num_batches]))
            if done:
                log.info("packing goes on where it was stopped, after %d of %d records", done, len(references))
            with tqdm(total=len(references), initial=done, desc="packing", unit="record", disable=None) as bar:
                left = batches[journal.num_batches :]
                for batch, outcomes in zip(left, self._kept(self._outcomes(left, read, root)), strict=True):
                    journal.add(outcomes)
                    bar.update(len(batch))
            manifest = new_manifest(ecg.leads, ecg.sampling_rate, ecg.num_samples, "real", made_by)
            account = journal.complete(manifest)
        if not account["kept"]:
            raise NothingUsableError(_nothing_usable(root, account))

    def each(
        self,
        work: Callable[[Sequence[Item]], list[Result]],
        items: Sequence[Item],
        failed: Callable[[Item, str], Result],
    ) -> Iterator[Result]:
        """What `work` gives for each item, in their order; see [ecggan.data.packing.worker_pool][]."""
        for results in self._in_batches(work, [[item] for item in items], failed):
            yield from results

    def _in_batches(
        self,
        work: Callable[[Sequence[Item]], list[Result]],
        batches: Sequence[Sequence[Item]],
        failed: Callable[[Item, str], Result],
    ) -> Iterator[list[Result]]:
        num_processes = min(joblib.cpu_count() if self.num_workers is None else self.num_workers, len(batches))
        if num_processes == 0:
            return map(work, batches)
        return in_processes(work, batches, failed, num_processes, self.seconds_a_record)

    def _outcomes(
        self, batches: Sequence[Sequence[RecordReference]], read: Read, root: Path
    ) -> Iterator[list[Outcome]]:
        work = partial(_read_batch, read=read, root=root, ecg=self.ecg, shaping=self.shaping, quality=self.quality)
        for results in self._in_batches(work, batches, _failed):
            yield [outcome for outcomes in results for outcome in outcomes]

    def _kept(self, batches: Iterator[list[Outcome]]) -> Iterator[list[Outcome]]:
        """The batches, without the records that are not to be kept."""
        if self.keep is None:
            yield from batches
            return
        waiting: list[list[Outcome]] = []
        for outcomes in batches:
            waiting.append(outcomes)
            if sum(isinstance(outcome, Kept) for some in waiting for outcome in some) >= self.keep.records_at_once:
                yield from self._screened(waiting, self.keep)
                waiting = []
        yield from self._screened(waiting, self.keep)

    def _screened(self, batches: Sequence[list[Outcome]], keep: Keep) -> Iterator[list[Outcome]]:
        kept = [outcome for outcomes in batches for outcome in outcomes if isinstance(outcome, Kept)]
        reasons: Iterator[tuple[str, str] | None] = iter(())
        if kept:
            manifest = new_manifest(self.ecg.leads, self.ecg.sampling_rate, self.ecg.num_samples, "real", {})
            stacked = np.stack([outcome.microvolts for outcome in kept])
            reasons = iter(keep(ECGSet.in_memory(stacked, [outcome.row for outcome in kept], manifest)))
        for outcomes in batches:
            yield [
                self._unless(outcome, next(reasons)) if isinstance(outcome, Kept) else outcome for outcome in outcomes
            ]

    def _unless(self, outcome: Kept, reason: tuple[str, str] | None) -> Outcome:
        return outcome if reason is None else outcome.left_out(*reason, self.ecg.leads, self.ecg.sampling_rate)

    def _key(self, references: Sequence[RecordReference], made_by: Mapping[str, Any]) -> str:
        digest = hashlib.sha256()
        wanted = asdict(self.ecg)
        del wanted["full_scale_mv"]  # the set is in µV: the network's range does not touch it
        for part in (FORMAT_VERSION, DATA_VERSION, wanted, self.description, made_by):
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        for reference in references:
            # a repaired file has another size or time, and so gives another set
            files = [reference.path, *reference.beside]
            if reference.path.suffix == ".hea":
                files += [reference.path.with_suffix(suffix) for suffix in (".dat", ".mat")]
            stamps = [file_stamp(file) for file in files]
            known = [reference.record, reference.facts, stamps]
            digest.update(json.dumps(known, sort_keys=True, default=str).encode())
        return digest.hexdigest()[:12]


def _read_batch(
    references: Sequence[RecordReference],
    read: Read,
    root: Path,
    ecg: ECGFormat,
    shaping: Shaping,
    quality: QualityRules,
) -> list[list[Outcome]]:
    """For each reference its records as they are packed, or why not."""
    return [_read_one(reference, read, root, ecg, shaping, quality) for reference in references]


def _read_one(
    reference: RecordReference, read: Read, root: Path, ecg: ECGFormat, shaping: Shaping, quality: QualityRules
) -> list[Outcome]:
    try:
        return _outcomes_of(read(reference), reference, root, ecg, shaping, quality)
    except NotWantedError as error:
        return [LeftOut(error.args[0], reference.record, error.args[1])]
    except FileNotFoundError as error:
        return [LeftOut("missing", reference.record, _reason(error))]
    except (ValueError, OSError) as error:
        return [LeftOut("unreadable", reference.record, _reason(error))]
    except MemoryError:
        return _failed(reference, "it takes too much memory to read")
    except Exception as error:  # a mistake of ours costs this record, and is named
        return _failed(reference, in_one_line(error))


def _outcomes_of(
    record: Record, reference: RecordReference, root: Path, ecg: ECGFormat, shaping: Shaping, quality: QualityRules
) -> list[Outcome]:
    misfit = shaping.misfit(record, ecg)
    if misfit:
        return [LeftOut(misfit[0], reference.record, misfit[1], _excerpt(record, ecg))]
    windows = shaping.cut(record, ecg)
    known = {"source": printable(reference.path.relative_to(root).as_posix()), **reference.facts, **record.facts}
    if reference.position is not None:
        known["position"] = reference.position
    if record.sampling_rate != ecg.sampling_rate:
        known["resampled_from"] = record.sampling_rate
    outcomes: list[Outcome] = []
    for start, window in windows:
        name, facts = reference.record, known
        if shaping.windows == "all":
            name, facts = f"{name}@{start:g}s", {**known, "start_s": start}
        reason = unfit_as_read(window, ecg.leads, quality)
        if reason is None:
            millivolts = shaping.apply(window, ecg)
            reason = unfit_as_shaped(millivolts, ecg, quality)
        if reason:
            outcomes.append(LeftOut(reason[0], name, reason[1], _excerpt(window, ecg)))
        else:
            outcomes.append(Kept(to_microvolts(millivolts), {"record": name, **facts}))
    return outcomes


def _failed(reference: RecordReference, what_happened: str) -> list[Outcome]:
    return [LeftOut("unreadable", reference.record, printable(f"{reference.path}: {what_happened}"))]


def _reason(error: Exception) -> str:
    return printable(re.sub(r" at 0x[0-9a-f]+", "", str(error)))  # where an object lay is another place each time


def _each_with_its_name(references: Sequence[RecordReference], root: Path) -> list[RecordReference]:
    """The same with names that can be written and that are each there once: where two are one, the file's path."""
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


def _excerpt(record: Record, ecg: ECGFormat) -> Excerpt:
    """What is shown of a record that is left out: its beginning."""
    end = min(ceil(ecg.duration_s * record.sampling_rate), _MOST_SHOWN)
    leads = record.leads[:_MOST_LEADS_SHOWN]
    return Excerpt(record.millivolts[: len(leads), :end].astype(np.float32), leads, record.sampling_rate)


def _nothing_usable(root: str | Path, account: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{rule} {len(entries)}" for rule, entries in account["left_out"].items())
    first = next(iter(account["left_out"].values()))[0]
    return (
        f"none of the {account['read']} records in {root} is usable ({counts}); "
        f"the first, {first['record']}: {first['detail']}"
    )
