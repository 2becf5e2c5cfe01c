"""Records that pass the quality rules, screened by what is measured in them."""

from collections.abc import Iterator, Sequence

import numpy as np

from ecggan.data.packing.outcomes import Kept, Outcome
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import new_manifest
from ecggan.data.sets.record_filter import RecordFilter
from ecggan.ecg import ECGFormat


def screened(batches: Iterator[list[Outcome]], keep: RecordFilter, ecg: ECGFormat) -> Iterator[list[Outcome]]:
    """The same batches, in which records that the filter refuses are excluded.

    Several batches are measured together, until `keep.records_at_once` records are reached.
    """
    waiting: list[list[Outcome]] = []
    num_waiting = 0
    for outcomes in batches:
        waiting.append(outcomes)
        num_waiting += sum(isinstance(outcome, Kept) for outcome in outcomes)
        if num_waiting >= keep.records_at_once:
            yield from _screened_together(waiting, keep, ecg)
            waiting, num_waiting = [], 0
    yield from _screened_together(waiting, keep, ecg)


def _screened_together(batches: Sequence[list[Outcome]], keep: RecordFilter, ecg: ECGFormat) -> Iterator[list[Outcome]]:
    kept = [outcome for outcomes in batches for outcome in outcomes if isinstance(outcome, Kept)]
    reasons: Iterator[tuple[str, str] | None] = iter(())
    if kept:
        manifest = new_manifest(ecg.leads, ecg.sampling_rate, ecg.num_samples, "real", {})
        microvolts = np.stack([outcome.microvolts for outcome in kept])
        reasons = iter(keep(ECGSet.in_memory(microvolts, [outcome.row for outcome in kept], manifest)))
    for outcomes in batches:
        yield [_unless(o, next(reasons), ecg) if isinstance(o, Kept) else o for o in outcomes]


def _unless(kept: Kept, reason: tuple[str, str] | None, ecg: ECGFormat) -> Outcome:
    return kept if reason is None else kept.excluded(*reason, ecg.leads, ecg.sampling_rate)
