"""Batches of candidates, drawn and, with `keep`, screened, until the set has enough.

Drawing and screening take turns: first all threads draw some batches, then the filter's processes measure them. So the
threads and processes that are busy are never more than the cores, and no thread draws while processes are started.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from math import ceil

import numpy as np

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.record_filter import RecordFilter
from ecggan.ecg import select_leads
from ecggan.generation.plan import GenerationPlan
from ecggan.generation.progress import CANDIDATES_PER_BATCH, Batch, Progress

_SPARE = 1.25  # candidates screened at once for each record still wanted


def draw_batches(plan: GenerationPlan, progress: Progress, part: int, num_parts: int) -> Generator[Batch, None, None]:
    """Draw and screen the batches that a part has yet to draw, until `progress` has enough.

    The caller adds each batch to `progress` before it asks for the next.

    Raises:
        DegenerateGeneratorError: the generator draws NaN, or hardly any of its ECGs is kept.
    """
    missing = progress.missing(part, num_parts)
    if plan.keep is None:
        yield from _drawn(plan, progress, missing)
        return
    while numbers := list(islice(missing, _batches_at_once(plan.num_records, plan.keep, progress))):
        yield from _screened(plan, plan.keep, list(_drawn(plan, progress, numbers)))
        progress.check_acceptance_rate()


def _drawn(plan: GenerationPlan, progress: Progress, numbers: Iterable[int]) -> Generator[Batch, None, None]:
    requested: list[int] = []

    def groups() -> Iterator[Sequence[int]]:
        for number in numbers:
            requested.append(number)
            start = number * CANDIDATES_PER_BATCH
            yield plan.indices_of(range(start, start + progress.length(number)))

    with closing(plan.sampler.draw(groups())) as drawn:
        for ecgs in drawn:
            yield Batch(requested.pop(0), select_leads(ecgs, plan.sampler.ecg.leads, plan.leads), {})


def _batches_at_once(num_records: int, keep: RecordFilter, progress: Progress) -> int:
    """How many batches to screen at once: no more than the set is likely to need."""
    wanted = ceil((num_records - progress.num_kept) * _SPARE / CANDIDATES_PER_BATCH)
    return max(1, min(wanted, ceil(keep.records_at_once / CANDIDATES_PER_BATCH)))


def _screened(plan: GenerationPlan, keep: RecordFilter, batches: Sequence[Batch]) -> Generator[Batch, None, None]:
    candidates = [candidate for batch in batches for candidate in batch.candidates]
    microvolts = np.concatenate([batch.microvolts for batch in batches])
    reasons = keep(ECGSet.in_memory(microvolts, plan.rows(candidates), plan.manifest()))
    excluded = {candidate: reason for candidate, reason in zip(candidates, reasons, strict=True) if reason}
    for batch in batches:
        yield replace(
            batch, excluded={candidate: excluded[candidate] for candidate in batch.candidates if candidate in excluded}
        )
