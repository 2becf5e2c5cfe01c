"""Draw a set of ECGs from a checkpoint and a seed, in memory or on disk, whole or in parts."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.record_filter import RecordFilter
from ecggan.generation.draw_to_disk import draw_to_disk
from ecggan.generation.plan import GenerationPlan, GenerationRequest
from ecggan.generation.progress import Progress
from ecggan.generation.screening import draw_batches


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
    keep: RecordFilter | None = None,
    out: str | Path | None = None,
    batch_size: int = 512,
    device: str = "auto",
    progress: bool = True,
    condition: Mapping[str, Any] | pd.DataFrame | None = None,
) -> ECGSet:
    """Draw a set of ECGs.

    On a CPU the set is bit-identical for any number of threads and after any interruption.

    Args:
        checkpoint: "published" (the paper's Pulse2Pulse), "ptbxl" (the same, its ECGs moved to those of PTB-XL), the
            folder of a run, or a file: a generator, a training checkpoint, safetensors, a `.pt` of the Pulse2Pulse
            repository, a `.ckpt` of ecgen.
        num_records: of the set; their indices are 0, 1, 2 …
        seed: another seed gives another set.
        indices: instead of `num_records`: only these records of the set.
        leads: 8, 12 (III, aVR, aVL and aVF derived), or names; None for the network's own.
        weights: the generator's moving average over training ("ema"), or its last state ("raw").
        epoch: of a run's folder: a number, "last", or "best", the epoch with the smallest checkpoint score.
        ecg: the facts of its ECGs that a file of another project lacks, such as `full_scale_mv`.
        keep: a filter such as `ecggan.NormalityFilter("normal")`. The set is then the first `num_records` ECGs that it
            keeps, and the manifest accounts for the others. None keeps all.
        out: a new folder for the set. None keeps it in memory (80 kB a record). An interrupted set stays in
            `OUT.unfinished`, and the same call resumes it; a finished set of the same call is opened.
        batch_size: records at once on a GPU; it changes the speed, not the set.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".
        progress: show a progress bar.
        condition: of a generator that was trained with conditions: a mapping such as ``{"sex": "female", "age": 70,
            "heart_rate": [80, 100], "labels": ["CLBBB"]}``, where what is left out is drawn as in the training set; or
            a table with these columns, a row a record. None leaves all out.

    Raises:
        FileNotFoundError: no such checkpoint.
        FileExistsError: `out` exists and is not this set, or another call left an unfinished one. Nothing is
            overwritten.
        ValueError: an argument out of range, named in the message; a generator that draws NaN, or of whose ECGs `keep`
            leaves nothing.
        OSError: the disk has too little room.
    """
    request = GenerationRequest(
        checkpoint,
        num_records,
        seed,
        indices,
        leads,
        weights,
        epoch,
        ecg,
        keep,
        batch_size,
        device,
        progress,
        condition,
    )
    plan = GenerationPlan.of(request)
    if out is None:
        return _draw_in_memory(plan)
    ecgs = draw_to_disk(plan, Path(out), 0, 1)
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
    **options: Any,
) -> ECGSet | None:
    """Draw one of several parts of a set, each by a process of its own, on any machines that share `out`.

    The set does not depend on the number of parts, and each part can be begun, stopped and resumed by itself.

    Args:
        checkpoint: as for [generate][].
        num_records: of the whole set.
        seed: of the set.
        out: a new folder for the set, the same for all parts.
        part: from 0.
        num_parts: the number of processes that fill the set.
        options: the other arguments of [generate][], for the whole set.

    Returns:
        The set if no part is missing, otherwise None: the part that ends last completes the set.
    """
    checks.whole_number("num_parts", num_parts, at_least=1)
    checks.whole_number("part", part, at_least=0, at_most=num_parts - 1)
    plan = GenerationPlan.of(GenerationRequest(checkpoint, num_records, seed, **options))
    return draw_to_disk(plan, Path(out), part, num_parts)


def _draw_in_memory(plan: GenerationPlan) -> ECGSet:
    progress = Progress(plan.num_records, plan.keep is not None)
    kept: dict[int, np.ndarray] = {}
    with plan.bar(plan.num_records, 0) as bar, closing(draw_batches(plan, progress, 0, 1)) as batches:
        for batch in batches:
            kept[batch.number] = batch.kept_microvolts
            progress.add(batch.entry())
            bar.update(min(len(batch.kept), plan.num_records - bar.n))
    candidates, excluded = progress.selection()
    microvolts = np.concatenate([kept[entry.batch] for entry in progress.needed()])[: plan.num_records]
    manifest = plan.manifest()
    if plan.keep is not None:
        manifest["account"] = plan.account(candidates, excluded)
    return ECGSet.in_memory(microvolts, plan.rows(candidates), manifest)
