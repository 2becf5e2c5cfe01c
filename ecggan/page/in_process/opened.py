"""The sources as this process has opened them, each once."""

from collections.abc import Mapping
from contextlib import closing, suppress
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Int16

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT
from ecggan.generation.generate import generate
from ecggan.generation.plan import GenerationPlan, GenerationRequest
from ecggan.page.sources import Source
from ecggan.page.tasks import BLOCK

DEVICE = "cpu"  # where a record is bit-identical on any machine of one kind

_SOURCES: dict[str, Source] = {}


def prepare(sources: Mapping[str, Source]) -> None:
    """Open the sources and draw one ECG; what measures is loaded afterwards, by [warm_up][]."""
    torch.set_num_threads(1)
    _SOURCES.update(sources)
    for name in sources:
        with suppress(ValueError, OSError):  # `describe_sources` says it
            describe(name)
            microvolts(name, 0, 0, 1)


def warm_up() -> None:
    """Load what measures, by measuring one ECG of each source, so that no request waits for it."""
    from ecggan.page.in_process.measured import describe_ecg

    for name in _SOURCES:
        facts, first = describe(name), microvolts(name, 0, 0, 1)
        if len(first):
            describe_ecg(first[0] / MICROVOLTS_PER_MILLIVOLT, facts["leads"], facts["sampling_rate"])


def describe_sources() -> dict[str, dict[str, Any]]:
    """The facts of each source.

    Raises:
        FileNotFoundError: one is missing.
        ValueError: one cannot be used.
    """
    return {name: describe(name) for name in _SOURCES}


def describe(name: str) -> dict[str, Any]:
    """The facts of a source: how many records (None: no end), leads, rate, and whether they are real or generated."""
    source = _SOURCES[name]
    facts: dict[str, Any] = {"name": name, "draws": source.draws, "parameter": source.parameter, "path": source.path}
    if source.draws:
        ecg = plan(name).sampler.ecg
        return facts | {
            "kind": "generated",
            "num_records": None,
            "leads": list(plan(name).leads),
            "sampling_rate": ecg.sampling_rate,
            "duration_s": ecg.duration_s,
            "drawn_at_once": BLOCK if plan(name).sampler.transport is None else 1,  # a transport takes its time
        }
    ecgs = ecg_set(name)
    return facts | {
        "kind": ecgs.kind,
        "num_records": len(ecgs),
        "leads": list(ecgs.leads),
        "sampling_rate": ecgs.sampling_rate,
        "duration_s": ecgs.num_samples / ecgs.sampling_rate,
        "drawn_at_once": BLOCK,
    }


@cache
def plan(name: str) -> GenerationPlan:
    return GenerationPlan.of(GenerationRequest(_SOURCES[name].path, 1, device=DEVICE, progress=False))


@cache
def ecg_set(name: str) -> ECGSet:
    return ECGSet.open(_SOURCES[name].path, check_hashes=False)


def microvolts(name: str, seed: int, first: int, num_records: int) -> Int16[np.ndarray, "record lead time"]:
    """Records of a source from `first` on; fewer at the end of a set."""
    if not _SOURCES[name].draws:
        return ecg_set(name).microvolts(slice(first, first + num_records))
    indices = range(first, first + num_records)
    with closing(plan(name).of_seed(seed).sampler.draw([indices])) as drawn:
        return next(drawn)


def records(name: str, seed: int, num_records: int, leads: int | None = None, keep: str | None = None) -> ECGSet:
    """The first records of a source as an ECG set, drawn as `generate.py` draws them.

    Args:
        name: of the source.
        seed: of a generator.
        num_records: how many; of an ECG set at most so many.
        leads: 8 or 12; None for the generator's own. A set keeps its own.
        keep: "normal" for normal ones alone.
    """
    if not _SOURCES[name].draws:
        return ecg_set(name).subset(slice(num_records))
    chosen = None
    if keep is not None:
        from ecggan.measurement.normality.normality_filter import NormalityFilter

        chosen = NormalityFilter(keep, num_workers=1)
    return generate(_SOURCES[name].path, num_records, seed, leads=leads, keep=chosen, device=DEVICE, progress=False)


def record(name: str, seed: int, index: int, leads: int | None = None) -> ECGSet:
    """One record of a source as an ECG set.

    Raises:
        ValueError: a set does not have it.
    """
    if _SOURCES[name].draws:
        path = _SOURCES[name].path
        return generate(path, seed=seed, indices=[index], leads=leads, device=DEVICE, progress=False)
    if index >= len(ecg_set(name)):
        raise ValueError(f"{name} has no record {index}: its last is {len(ecg_set(name)) - 1}")
    return ecg_set(name).subset([index])
