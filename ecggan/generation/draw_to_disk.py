"""A plan's set on disk: resumed if begun, filled by one or several parts, verified and put in its place."""

import errno
import logging
from contextlib import closing
from pathlib import Path

import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import MANIFEST
from ecggan.data.sets.writer import complete_ecg_set
from ecggan.files.resumable_folder import ResumableFolder, first_difference
from ecggan.generation.plan import GenerationPlan
from ecggan.generation.progress import CANDIDATES_PER_BATCH
from ecggan.generation.resumable_set import ResumableSet
from ecggan.generation.sampler import DegenerateGeneratorError
from ecggan.generation.screening import draw_batches

log = logging.getLogger(__name__)

_MANY_RECORDS = 10_000  # their verification takes seconds


def draw_to_disk(plan: GenerationPlan, out: Path, part: int, num_parts: int) -> ECGSet | None:
    """Draw a part of a set, and complete the set if no part is missing.

    Returns:
        The set, or None if other parts are still missing.

    Raises:
        FileExistsError: `out` holds another set, or another request left an unfinished one.
        OSError: the disk has too little room.
    """
    out = out.resolve()
    if (out / MANIFEST).is_file():
        ecgs = _finished_set(plan, out, check_hashes=True)
        log.info("%s is this set already", out)
        return ecgs
    try:
        is_complete = _draw_part(plan, out, part, num_parts)
    except (FileNotFoundError, FileExistsError):
        if not (out / MANIFEST).is_file():
            raise
        return _finished_set(plan, out)  # another process has completed it meanwhile
    if not is_complete:
        log.info("part %d of %d is drawn (counted from 0); others are not yet", part, num_parts)
        return None
    return _finished_set(plan, out)


def _draw_part(plan: GenerationPlan, out: Path, part: int, num_parts: int) -> bool:
    """Whether the set is now complete."""
    folder = ResumableFolder(out, {**plan.identity(), "records_a_step": CANDIDATES_PER_BATCH})
    shape = len(plan.leads), plan.sampler.ecg.num_samples
    unfinished = ResumableSet(folder, shape, plan.num_records, plan.keep is not None, part)
    with unfinished.writing():
        try:
            unfinished.check_disk_space()
            _fill(plan, unfinished, part, num_parts)
            return _complete(plan, unfinished)
        except BaseException as error:
            is_worthless = not unfinished.progress.entries or isinstance(error, DegenerateGeneratorError)
            if is_worthless and unfinished.is_alone():
                folder.discard()
            elif isinstance(error, KeyboardInterrupt | SystemExit):
                log.warning("%s; the same command resumes from them", unfinished.summary_text())
            elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise OSError(
                    f"no space left: {unfinished.summary_text()}; make room and give the same command"
                ) from error
            raise


def _fill(plan: GenerationPlan, unfinished: ResumableSet, part: int, num_parts: int) -> None:
    progress = unfinished.progress
    total, done = plan.num_records, progress.num_kept
    if plan.keep is None:
        ours = range(part, progress.end() or 0, num_parts)
        total = sum(map(progress.length, ours))
        done = sum(progress.length(batch) for batch in ours if batch in progress.entries)
    with plan.bar(total, min(done, total)) as bar, closing(draw_batches(plan, progress, part, num_parts)) as batches:
        for batch in batches:
            unfinished.add(batch)
            bar.update(min(len(batch.kept), total - bar.n))
            if num_parts > 1:
                unfinished.read_journals()
    unfinished.read_journals()


def _complete(plan: GenerationPlan, unfinished: ResumableSet) -> bool:
    """Verify the set and put it in its place; False if batches of other parts are missing."""
    if not unfinished.progress.is_complete():
        return False
    with unfinished.completing() as is_incomplete:
        if not is_incomplete:
            return True
        for is_last in (False, True):
            damaged = unfinished.damaged(plan.progress and plan.num_records > _MANY_RECORDS)
            if damaged and is_last:
                raise OSError(f"the disk does not hold what is written to {unfinished.folder.notes}")
            if damaged:
                log.warning("%d batches on disk do not match their checksum and are drawn again", len(damaged))
                _fill(plan, unfinished, 0, 1)
        candidates, excluded = unfinished.gather()
        account = None if plan.keep is None else plan.account(candidates, excluded)
        records = pd.DataFrame(plan.rows(candidates))
        complete_ecg_set(unfinished.folder.content, plan.manifest(), records, account)
        unfinished.folder.finish()
    return True


def _finished_set(plan: GenerationPlan, out: Path, check_hashes: bool = False) -> ECGSet:
    """The finished set at `out`, if it is the plan's.

    Raises:
        FileExistsError: it is another set.
        ValueError: it was changed after it was written.
    """
    ecgs = ECGSet.open(out, check_hashes)
    found = {"num_records": len(ecgs), "leads": ecgs.leads, **ecgs.manifest["made_by"]}
    difference = first_difference(found, plan.identity())
    if difference:
        raise FileExistsError(f"{out} holds another set, with {difference}; give another folder")
    ResumableFolder.clear_away(out)
    return ecgs
