"""A checkpoint and a seed to an ECG set: streamed to disk, gone on with after any stop, filled by several processes."""

import errno
import logging
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ecggan.checkpoints.open import open_generator
from ecggan.data.sets.ecg_set import MANIFEST, ECGSet, complete_ecg_set, new_manifest
from ecggan.data.sets.record_filter import Keep
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat, select_leads
from ecggan.files.atomic import ResumableFolder, first_difference
from ecggan.generation.resumable_set import STEP, Step, Tally, UnfinishedSet
from ecggan.generation.sampler import DegenerateGeneratorError, Drawer

log = logging.getLogger(__name__)

LARGEST_SEED = 2**63 - 1
_MANY = 10_000  # records, whose checking takes seconds
_SPARE = 1.25  # candidates that are judged at once for each that is still wanted


def generate(
    checkpoint: str | Path,
    num_records: int | None = None,
    seed: int = 0,
    *,
    indices: Sequence[int] | None = None,
    leads: int | Sequence[str] | None = None,
    weights: str = "ema",
    epoch: int | str = "best",
    ecg: Mapping[str, Any] | None = None,
    keep: Keep | None = None,
    out: str | Path | None = None,
    batch_size: int = 512,
    device: str = "auto",
    progress: bool = True,
) -> ECGSet:
    """Draw a set of ECGs.

    On a CPU the set is the same to the bit on any number of threads and after any interruption.

    Args:
        checkpoint: "published" (the paper's Pulse2Pulse), the folder of a run, or a file: a generator, a training
            checkpoint, safetensors, a `.pt` of the Pulse2Pulse repository, a `.ckpt` of ecgen.
        num_records: how many; they have the indices 0, 1, 2 …
        seed: another seed, another set.
        indices: instead of `num_records`: these records of the set alone.
        leads: 8, 12 (III, aVR, aVL and aVF derived), or names; None for the network's own.
        weights: the generator's moving average over training ("ema"), or its last state ("raw").
        epoch: of a run's folder: a number, "last", or "best", whose ECGs were nearest to real ones while it trained.
        ecg: what a file of others does not say of its ECGs, such as `full_scale_mv`.
        keep: leaves ECGs out, such as `ecggan.NormalityFilter("normal")`; then the set is the first `num_records` that
            are kept, and its manifest has the account of the others. None keeps all.
        out: a new folder for the set. None keeps it in memory (80 kB a record). An interrupted set stays in
            `OUT.unfinished`, and the same call goes on with it; a finished set of the same call is opened.
        batch_size: records at once on a GPU; it changes the speed, not the set.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".
        progress: show a progress bar.

    Raises:
        FileNotFoundError: no such checkpoint.
        FileExistsError: `out` is there already and is not this set, or another call left an unfinished one. Nothing is
            overwritten.
        ValueError: an argument out of range, named in the message; a generator that draws NaN, or of whose ECGs `keep`
            leaves nothing.
        OSError: the disk has too little room.
    """
    plan = _plan(checkpoint, num_records, seed, indices, leads, weights, epoch, ecg, keep, batch_size, device, progress)
    if out is None:
        return plan.in_memory()
    ecgs = plan.on_disk(Path(out), 0, 1)
    assert ecgs is not None  # one part is the whole
    return ecgs


def generate_part(
    checkpoint: str | Path,
    num_records: int | None = None,
    seed: int = 0,
    *,
    out: str | Path,
    part: int,
    num_parts: int,
    indices: Sequence[int] | None = None,
    leads: int | Sequence[str] | None = None,
    weights: str = "ema",
    epoch: int | str = "best",
    ecg: Mapping[str, Any] | None = None,
    keep: Keep | None = None,
    batch_size: int = 512,
    device: str = "auto",
    progress: bool = True,
) -> ECGSet | None:
    """Draw one of several parts of a set, each by a process of its own, wherever `out` can be written to.

    The set does not depend on the number of parts, and each part can be begun, stopped and gone on with by itself.

    Args:
        checkpoint: this and all that is not said here as of [generate][].
        num_records: of the whole set.
        seed: of the set.
        out: a new folder for the set, the same for all parts.
        part: from 0.
        num_parts: how many processes fill the set.
        indices: of the whole set.
        leads: as of [generate][].
        weights: likewise.
        epoch: likewise.
        ecg: likewise.
        keep: likewise.
        batch_size: likewise.
        device: likewise.
        progress: likewise.

    Returns:
        The set, where no part is missing any more; otherwise None: the last part to end completes it.
    """
    check_whole("num_parts", num_parts, 1)
    check_whole("part", part, 0)
    if part >= num_parts:
        raise ValueError(f"part must be below the number of parts; got part {part} of {num_parts}, counted from 0")
    plan = _plan(checkpoint, num_records, seed, indices, leads, weights, epoch, ecg, keep, batch_size, device, progress)
    return plan.on_disk(Path(out), part, num_parts)


@dataclass(frozen=True)
class _Plan:
    """A set that is asked for, before anything is drawn."""

    drawer: Drawer
    num_records: int
    indices: Sequence[int] | None
    leads: tuple[str, ...]
    keep: Keep | None
    made_by: dict[str, Any]
    progress: bool

    def in_memory(self) -> ECGSet:
        tally = Tally(self.num_records, self.keep is not None)
        kept: dict[int, np.ndarray] = {}
        with self._bar(self.num_records, 0) as bar:
            for step in self._steps(tally, 0, 1):
                kept[step.number] = step.kept_microvolts
                tally.add(step.line())
                bar.update(min(len(step.kept), self.num_records - bar.n))
        candidates, left_out = tally.chosen()
        microvolts = np.concatenate([kept[line.step] for line in tally.needed()])[: self.num_records]
        manifest = self._manifest()
        if self.keep is not None:
            manifest["account"] = self._account(candidates, left_out)
        return ECGSet.in_memory(microvolts, self._rows(candidates), manifest)

    def on_disk(self, out: Path, part: int, num_parts: int) -> ECGSet | None:
        out = out.resolve()
        if (out / MANIFEST).is_file():
            ecgs = self._finished(out, check_hashes=True)
            log.info("%s is this set already", out)
            return ecgs
        try:
            return self._drawn(out, part, num_parts)
        except (FileNotFoundError, FileExistsError):
            if not (out / MANIFEST).is_file():
                raise
            return self._finished(out)  # by another process, meanwhile

    def _drawn(self, out: Path, part: int, num_parts: int) -> ECGSet | None:
        folder = ResumableFolder(out, {**self._request(), "records_a_step": STEP})
        shape = len(self.leads), self.drawer.ecg.num_samples
        unfinished = UnfinishedSet(folder, shape, self.num_records, self.keep is not None, part)
        with unfinished.writing():
            try:
                unfinished.check_disk_space()
                self._fill(unfinished, part, num_parts)
                is_complete = self._completed(unfinished)
            except BaseException as error:
                is_worthless = not unfinished.tally.lines or isinstance(error, DegenerateGeneratorError)
                if is_worthless and unfinished.is_alone():
                    folder.discard()  # nothing there is worth going on with
                elif isinstance(error, KeyboardInterrupt | SystemExit):
                    log.warning("%s; the same call goes on with them", unfinished.state())
                elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
                    raise OSError(
                        f"no space left: {unfinished.state()}; make room and give the same command"
                    ) from error
                raise
        if not is_complete:
            log.info("part %d of %d is drawn (counted from 0); others are not yet", part, num_parts)
            return None
        return self._finished(out)

    def _completed(self, unfinished: UnfinishedSet) -> bool:
        """Put the set in its place, if no part is missing any more."""
        tally = unfinished.tally
        if not tally.is_complete():
            return False
        with unfinished.completing() as is_to_be_done:
            if not is_to_be_done:
                return True
            for is_last in (False, True):
                damaged = unfinished.damaged(self.progress and self.num_records > _MANY)
                if damaged and is_last:
                    raise OSError(f"the disk does not hold what is written to {unfinished.folder.notes}")
                if damaged:
                    log.warning("%d steps are not on disk as they were drawn; they are drawn again", len(damaged))
                    self._fill(unfinished, 0, 1)
            candidates, left_out = unfinished.gather()
            account = None if self.keep is None else self._account(candidates, left_out)
            records = pd.DataFrame(self._rows(candidates))
            complete_ecg_set(unfinished.folder.content, self._manifest(), records, account)
            unfinished.folder.finish()
        return True

    def _fill(self, unfinished: UnfinishedSet, part: int, num_parts: int) -> None:
        tally = unfinished.tally
        total, done = self.num_records, tally.num_kept
        if self.keep is None:
            ours = range(part, tally.end() or 0, num_parts)
            total = sum(map(tally.length, ours))
            done = sum(tally.length(step) for step in ours if step in tally.lines)
        with self._bar(total, min(done, total)) as bar:
            for step in self._steps(tally, part, num_parts):
                unfinished.add(step)
                bar.update(min(len(step.kept), total - bar.n))
                if num_parts > 1:
                    unfinished.read_journals()
        unfinished.read_journals()

    def _steps(self, tally: Tally, part: int, num_parts: int) -> Iterator[Step]:
        """Draw and judge steps until the tally, to which the caller adds each, has enough."""
        asked: deque[int] = deque()
        drawn = self.drawer.draw(self._groups(tally, part, num_parts, asked))
        while some := [
            select_leads(ecgs, self.drawer.ecg.leads, self.leads) for ecgs in islice(drawn, self._at_once(tally))
        ]:
            numbers = [asked.popleft() for _ in some]
            end = tally.end()
            if end is not None and numbers[0] >= end:
                return  # drawn ahead, before it was known that the set would be complete
            yield from self._judged(numbers, some)
            tally.check_acceptance_rate()

    def _groups(self, tally: Tally, part: int, num_parts: int, asked: deque[int]) -> Iterator[Sequence[int]]:
        for number in tally.missing(part, num_parts):
            asked.append(number)
            yield self._indices(range(number * STEP, number * STEP + tally.length(number)))

    def _at_once(self, tally: Tally) -> int:
        """How many steps to judge at a time: no more than are likely to be needed."""
        if self.keep is None:
            return 1
        wanted = ceil((self.num_records - tally.num_kept) * _SPARE / STEP)
        return max(1, min(wanted, ceil(self.keep.records_at_once / STEP)))

    def _judged(self, numbers: Sequence[int], microvolts: Sequence[np.ndarray]) -> Iterator[Step]:
        steps = [Step(number, some, {}) for number, some in zip(numbers, microvolts, strict=True)]
        if self.keep is None:
            yield from steps
            return
        candidates = [candidate for step in steps for candidate in step.candidates]
        ecgs = ECGSet.in_memory(np.concatenate(microvolts), self._rows(candidates), self._manifest())
        reasons = dict(zip(candidates, self.keep(ecgs), strict=True))
        for step in steps:
            left_out = {candidate: reason for candidate in step.candidates if (reason := reasons[candidate])}
            yield replace(step, left_out=left_out)

    def _indices(self, candidates: Sequence[int]) -> Sequence[int]:
        return candidates if self.indices is None else [self.indices[candidate] for candidate in candidates]

    def _rows(self, candidates: Sequence[int]) -> list[dict[str, Any]]:
        seed = self.drawer.seed
        return [
            {"record": f"seed{seed}_{index:06d}", "seed": seed, "index": index} for index in self._indices(candidates)
        ]

    def _account(self, candidates: Sequence[int], left_out: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
        """As of packing: how many were read (drawn, here), kept, and left out, by the rule they broke."""
        entries: dict[str, list[dict[str, str]]] = {}
        names = [row["record"] for row in self._rows(sorted(left_out))]
        for name, candidate in zip(names, sorted(left_out), strict=True):
            rule, detail = left_out[candidate]
            entries.setdefault(rule, []).append({"record": name, "detail": detail})
        return {"read": len(candidates) + len(left_out), "kept": len(candidates), "left_out": entries}

    def _manifest(self) -> dict[str, Any]:
        ecg = self.drawer.ecg
        return new_manifest(self.leads, ecg.sampling_rate, ecg.num_samples, "generated", self.made_by)

    def _request(self) -> dict[str, Any]:
        return {"num_records": self.num_records, "leads": self.leads, **self.made_by}

    def _finished(self, out: Path, check_hashes: bool = False) -> ECGSet:
        """The set that is there already, if it is this one.

        Raises:
            FileExistsError: it is another.
            ValueError: it was changed since.
        """
        ecgs = ECGSet.open(out, check_hashes)
        there = {"num_records": len(ecgs), "leads": ecgs.leads, **ecgs.manifest["made_by"]}
        other = first_difference(there, self._request())
        if other:
            raise FileExistsError(f"{out} holds another set, with {other}; give another folder")
        ResumableFolder.clear_away(out)
        return ecgs

    def _bar(self, total: int, done: int) -> "tqdm[Any]":
        return tqdm(total=total, initial=done, unit="ECG", desc="generating", disable=not self.progress)


def _plan(
    checkpoint: str | Path,
    num_records: int | None,
    seed: int,
    indices: Sequence[int] | None,
    leads: int | Sequence[str] | None,
    weights: str,
    epoch: int | str,
    ecg: Mapping[str, Any] | None,
    keep: Keep | None,
    batch_size: int,
    device: str,
    progress: bool,
) -> _Plan:
    if (num_records is None) == (indices is None):
        raise ValueError("give either num_records or indices")
    if indices is not None:
        if keep is not None:
            raise ValueError("indices names the records, and keep chooses them: give one of them")
        is_whole = all(isinstance(index, int | np.integer) for index in indices)
        indices = [int(index) for index in indices] if is_whole else []
        if not indices or min(indices) < 0 or max(indices) > LARGEST_SEED or len(set(indices)) != len(indices):
            raise ValueError("indices must be at least one whole number, none below 0 and none twice")
        num_records = len(indices)
    for name, number, least in (("num_records", num_records, 1), ("seed", seed, 0), ("batch_size", batch_size, 1)):
        check_whole(name, number, least)
    assert num_records is not None
    if weights not in ("ema", "raw"):
        raise ValueError(f"weights must be ema or raw; got {weights!r}")
    where = _device(device)
    trained = open_generator(checkpoint, weights, epoch, ecg)
    names = _lead_names(leads, trained.ecg)
    made_by = {
        "how": "generated",
        "seed": int(seed),
        "torch": torch.__version__,
        "device": where.type,
        **({} if indices is None else {"indices": indices}),
        **({} if keep is None else {"keep": keep.description}),
        **trained.description,
    }
    select_leads(np.zeros((len(trained.ecg.leads), 1), np.int16), trained.ecg.leads, names)  # or a ValueError
    drawer = Drawer(trained.network, trained.ecg, int(seed), where, batch_size)
    return _Plan(drawer, int(num_records), indices, names, keep, made_by, progress)


def check_whole(name: str, number: Any, least: int) -> None:
    """Raise ValueError, naming the argument, unless it is a whole number in range."""
    is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not is_whole or not least <= number <= LARGEST_SEED:
        raise ValueError(f"{name} must be a whole number, at least {least} and below 2^63; got {number!r}")


def _lead_names(leads: int | Sequence[str] | None, ecg: ECGFormat) -> tuple[str, ...]:
    if leads is None:
        return tuple(ecg.leads)
    if isinstance(leads, int | float):
        if leads not in (8, 12):
            raise ValueError(f"leads must be 8, 12, or a list of names; got {leads}")
        return EIGHT_LEADS if leads == 8 else TWELVE_LEADS
    names = (leads,) if isinstance(leads, str) else tuple(leads)
    if not names or len(set(names)) != len(names):
        raise ValueError(f"leads must be 8, 12, or distinct names; got {list(names)}")
    return names


def _device(name: str) -> torch.device:
    if name == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        if found is None:
            return torch.device("cpu")
        # torchrun and srun number the processes of a machine, which may see all of its GPUs or each only its own
        number = int(os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or 0)
        return torch.device(found.type, number % max(1, torch.accelerator.device_count()))
    try:
        device = torch.device(name)
        torch.empty(0, device=device).cpu()
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise ValueError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device
