"""Source -> ECG set: records are read in parallel, checked, resampled and streamed to disk, once for each key.

The set is cached under a key of everything that determines its content, so that a changed rule or a repaired file makes
a new set. A bad record never ends a run: it is excluded, and the manifest's account names the rule. An interrupted run
resumes; of several processes that need the same set, one packs it.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
from tqdm import tqdm

from ecggan import checks
from ecggan.data.packing.cache import being_filled, file_stamp, open_cached
from ecggan.data.packing.journal import PackingJournal
from ecggan.data.packing.outcomes import NothingUsableError, Outcome, Read, read_batch, unreadable
from ecggan.data.packing.preprocessing import Shaping
from ecggan.data.packing.quality import QualityRules
from ecggan.data.packing.record_names import with_unique_names
from ecggan.data.packing.screening import screened
from ecggan.data.packing.worker_pool import Item, Result, in_processes
from ecggan.data.patients import known_patient
from ecggan.data.record import RecordReference, printable
from ecggan.data.sets.cautions import log_cautions
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.exclusions import log_account
from ecggan.data.sets.manifest import FORMAT_VERSION, Kind, new_manifest
from ecggan.data.sets.record_filter import RecordFilter
from ecggan.ecg import ECGFormat
from ecggan.files.cache import in_cache, require_writable_cache
from ecggan.files.locks import file_lock

log = logging.getLogger(__name__)

# Increased whenever reading, rules or packing change the content of a set, so that older sets are packed again.
DATA_VERSION = 5
BATCH = 32  # records a task: small enough for a smooth progress bar, large enough to hide the overhead


@dataclass(frozen=True)
class Packer:
    """How the records of any source become one ECG set.

    Args:
        ecg: the leads, rate and length wanted.
        shaping: how records of other rates and lengths are converted.
        quality: which records are excluded.
        cache: the folder for packed sets.
        num_workers: processes that read; None for one a core, 0 for this process, which a bad file may crash or hang.
        seconds_a_record: limit of computing for reading a file; four times as long by the clock, as others compute too.
        keep: a filter by what is measured in the other records; None for none.
        placeholder_patients: further patient numbers that stand for nobody, beside those of [ecggan.data.patients][].
        kind: "generated" excludes no copies: how often a generator repeats itself is part of what is judged.
    """

    ecg: ECGFormat
    shaping: Shaping
    quality: QualityRules
    cache: str | Path
    num_workers: int | None
    seconds_a_record: int | float
    keep: RecordFilter | None = None
    placeholder_patients: Sequence[Any] | str | int | float | None = ()
    kind: Kind = "real"

    def __post_init__(self) -> None:
        given = self.placeholder_patients
        some = [given] if isinstance(given, str | int | float) else given  # a config hands over a list, or one number
        object.__setattr__(self, "placeholder_patients", tuple(map(str, some or ())))
        checks.whole_number("num_workers", self.num_workers, at_least=0, or_null=True)
        checks.positive("seconds_a_record", self.seconds_a_record)

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(self.placeholder_patients)  # type: ignore[arg-type]  # see __post_init__

    @property
    def description(self) -> dict[str, Any]:
        """What the set depends on, for its manifest."""
        keep = {} if self.keep is None else {"keep": self.keep.description}
        further = {"placeholder_patients": list(self.placeholders)} if self.placeholders else {}
        kind = {} if self.kind == "real" else {"kind": self.kind}
        return {"shaping": asdict(self.shaping), "quality": asdict(self.quality), **keep, **further, **kind}

    def known_patient(self, number: Any) -> str | None:
        """A patient number as text; None where there is none, or it stands for nobody."""
        return known_patient(number, self.placeholders)

    def of_generated(self) -> "Packer":
        """The same for generated ECGs, none of which is excluded for its looks: that would flatter the generator."""
        no_rules = QualityRules(**dict.fromkeys(field.name for field in fields(QualityRules)))
        return replace(self, quality=no_rules, keep=None, kind="generated")

    def pack(
        self,
        source: str,
        references: Sequence[RecordReference],
        read: Read,
        root: str | Path,
        made_by: Mapping[str, Any],
    ) -> ECGSet:
        """Pack the records into ``cache/sets/source-KEY``, or open that set if it exists.

        The order is that of the references for any number of workers, so that the files are byte-identical.

        Args:
            source: the name of the source, e.g. ``ptbxl``.
            references: the records to read.
            read: must be picklable; if it raises, the record is excluded.
            root: the folder that the column `source` is relative to.
            made_by: how the references were chosen; goes into the manifest and the key.

        Raises:
            ValueError: no record is usable, or the set in the cache is damaged.
        """
        if not references:
            raise ValueError(f"no record to pack in {root} ({source}): {dict(made_by)}")
        references = with_unique_names(references, Path(root))
        folder = in_cache(self.cache, "sets", f"{source}-{self._key(references, made_by)}")
        if not folder.exists():
            require_writable_cache(self.cache)
            folder.parent.mkdir(parents=True, exist_ok=True)
            with file_lock(folder.with_name(f".{folder.name}.lock"), blocking=True) as lock:
                if not folder.exists():  # another process may have packed it while this one waited
                    everything = {"source": source, "root": printable(str(root)), **made_by, **self.description}
                    with being_filled(folder, is_locked=lock is not None) as content:
                        self._fill(content, references, read, Path(root), everything)
        packed = open_cached(folder)
        log_account(folder, packed.manifest["account"])
        log_cautions(packed)
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
        shape = (ecg.leads, ecg.sampling_rate, ecg.num_samples)
        with PackingJournal(content, *shape, excludes_duplicates=self.kind == "real") as journal:
            batches = [references[start : start + BATCH] for start in range(0, len(references), BATCH)]
            done = sum(map(len, batches[: journal.num_batches]))
            if done:
                log.info("packing resumes after %d of %d records", done, len(references))
            with tqdm(total=len(references), initial=done, desc="packing", unit="record", disable=None) as bar:
                left = batches[journal.num_batches :]
                for batch, outcomes in zip(left, self._outcomes(left, read, root), strict=True):
                    journal.add(outcomes)
                    bar.update(len(batch))
            manifest = new_manifest(*shape, self.kind, made_by)
            account = journal.complete(manifest)
        if not account["kept"]:
            raise NothingUsableError(_nothing_usable(root, account))

    def each(
        self,
        work: Callable[[Sequence[Item]], list[Result]],
        items: Sequence[Item],
        failed: Callable[[Item, str], Result],
    ) -> Iterator[Result]:
        """The result of `work` for each item, in their order; see [ecggan.data.packing.worker_pool][]."""
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
        work = partial(
            read_batch,
            read=read,
            root=root,
            ecg=self.ecg,
            shaping=self.shaping,
            quality=self.quality,
            placeholders=self.placeholders,
        )
        results = self._in_batches(work, batches, unreadable)
        outcomes = ([outcome for of_record in batch for outcome in of_record] for batch in results)
        return outcomes if self.keep is None else screened(outcomes, self.keep, self.ecg)

    def _key(self, references: Sequence[RecordReference], made_by: Mapping[str, Any]) -> str:
        digest = hashlib.sha256()
        wanted = asdict(self.ecg)
        del wanted["full_scale_mv"]  # the set is in µV, which does not depend on the network's range
        for part in (FORMAT_VERSION, DATA_VERSION, wanted, self.description, made_by):
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
        for reference in references:
            # a repaired file has another size or time, and so makes another set
            files = [reference.path, *reference.beside]
            if reference.path.suffix == ".hea":
                files += [reference.path.with_suffix(suffix) for suffix in (".dat", ".mat")]
            stamps = [file_stamp(file) for file in files]
            known = [reference.record, reference.facts, stamps]
            digest.update(json.dumps(known, sort_keys=True, default=str).encode())
        return digest.hexdigest()[:12]


def _nothing_usable(root: str | Path, account: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{rule} {len(entries)}" for rule, entries in account["left_out"].items())
    first = next(iter(account["left_out"].values()))[0]
    cautions = "".join(f"; {caution}" for caution in account["cautions"])
    return (
        f"none of the {account['read']} records in {root} is usable ({counts}); "
        f"the first, {first['record']}: {first['detail']}{cautions}"
    )
