"""A request for a set, checked, and the plan made of it: the open generator, and the records' names and manifest."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ecggan import checks
from ecggan.checkpoints.open import open_generator
from ecggan.data.sets.conditions import Conditions, Request, request_of
from ecggan.data.sets.manifest import new_manifest
from ecggan.data.sets.record_filter import RecordFilter
from ecggan.data.sets.training_records import KEY as TRAINED_ON
from ecggan.data.sets.training_records import encode_hashes, training_hashes
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat, select_leads
from ecggan.generation.sampler import Sampler
from ecggan.models.device import usable_device

LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class GenerationRequest:
    """The arguments of [generate][ecggan.generate] without `out`, in range.

    Raises:
        ValueError: an argument out of range, named in the message.
    """

    checkpoint: str | Path
    num_records: int | None = None
    seed: int = 0
    indices: Sequence[int] | None = None
    leads: int | Sequence[str] | None = None
    weights: str = "ema"
    epoch: int | str = "best"
    ecg: Mapping[str, Any] | None = None
    keep: RecordFilter | None = None
    batch_size: int = 512
    device: str = "auto"
    progress: bool = True
    condition: Mapping[str, Any] | pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if (self.num_records is None) == (self.indices is None):
            raise ValueError("give either num_records or indices")
        if self.indices is None:
            checks.whole_number("num_records", self.num_records, at_least=1)
        else:
            if self.keep is not None:
                raise ValueError("indices names the records, and keep chooses them: give one of them")
            _check_indices(self.indices)
        checks.whole_number("seed", self.seed, at_least=0, at_most=LARGEST_SEED)
        checks.whole_number("batch_size", self.batch_size, at_least=1)
        checks.one_of("weights", self.weights, ("ema", "raw"))


@dataclass(frozen=True)
class GenerationPlan:
    """A requested set before anything is drawn. Its candidates are numbered from 0.

    Args:
        sampler: of the request's generator and seed.
        num_records: of the set.
        indices: of the candidates; None if a candidate's number is its index.
        leads: of the set.
        keep: which candidates become records; None for all.
        made_by: the manifest's facts of the generator and the draw.
        conditions: of the generator; None if it has none.
        asked: of its conditions.
        progress: show a progress bar.
    """

    sampler: Sampler
    num_records: int
    indices: Sequence[int] | None
    leads: tuple[str, ...]
    keep: RecordFilter | None
    made_by: dict[str, Any]
    progress: bool
    conditions: Conditions | None = None
    asked: Request | None = None

    @classmethod
    def of(cls, request: GenerationRequest) -> "GenerationPlan":
        """Open the request's generator on its device.

        Raises:
            FileNotFoundError: no such checkpoint.
            ValueError: the device, the leads or the checkpoint cannot be used, or a condition was never trained on.
        """
        indices = None if request.indices is None else [int(index) for index in request.indices]
        device = usable_device(request.device)
        trained = open_generator(request.checkpoint, request.weights, request.epoch, request.ecg)
        leads = _lead_names(request.leads, trained.ecg)
        select_leads(np.zeros((len(trained.ecg.leads), 1), np.int16), trained.ecg.leads, leads)  # or a ValueError
        asked = _asked(request, trained.conditions)
        made_by = {
            "how": "generated",
            "seed": int(request.seed),
            "torch": torch.__version__,
            "device": device.type,
            **({} if indices is None else {"indices": indices}),
            **({} if request.keep is None else {"keep": request.keep.description}),
            **({} if asked is None else {"condition": asked.description}),
            **trained.description,
        }
        if request.keep is not None and request.keep.learned_from:
            made_by[TRAINED_ON] = encode_hashes(training_hashes(made_by) | set(request.keep.learned_from))
        transport = None
        if trained.transport is not None:
            from ecggan.transport.beat_transport import BeatTransport  # scipy takes a second to load

            transport = BeatTransport.from_arrays({name: array.numpy() for name, array in trained.transport.items()})
        sampler = Sampler(trained.network, trained.ecg, int(request.seed), device, request.batch_size, transport)
        num_records = int(request.num_records or 0) if indices is None else len(indices)
        plan = cls(
            sampler, num_records, indices, leads, request.keep, made_by, request.progress, trained.conditions, asked
        )
        plan._condition(sampler)
        return plan

    def of_seed(self, seed: int) -> "GenerationPlan":
        """The same plan for another seed, with the generator that is open already."""
        checks.whole_number("seed", seed, at_least=0, at_most=LARGEST_SEED)
        sampler = copy(self.sampler)
        sampler.seed = seed
        self._condition(sampler)
        return replace(self, sampler=sampler, made_by={**self.made_by, "seed": seed})

    def _condition(self, sampler: Sampler) -> None:
        """Have a sampler draw conditions for its own seed."""
        conditions = self.conditions
        if conditions is not None:
            sampler.conditions = lambda indices: conditions.encode(conditions.draw(sampler.seed, indices, self.asked))

    def indices_of(self, candidates: Sequence[int]) -> Sequence[int]:
        return candidates if self.indices is None else [self.indices[candidate] for candidate in candidates]

    def rows(self, candidates: Sequence[int]) -> list[dict[str, Any]]:
        """The candidates' rows in a set's table of records."""
        seed, indices = self.sampler.seed, self.indices_of(candidates)
        rows: list[dict[str, Any]] = [
            {"record": f"seed{seed}_{index:06d}", "seed": seed, "index": index} for index in indices
        ]
        if self.conditions is None:
            return rows
        asked = self.conditions.draw(seed, indices, self.asked)
        columns = {str(name): asked[name].tolist() for name in asked}
        return [{**row, **{name: cells[i] for name, cells in columns.items()}} for i, row in enumerate(rows)]

    def account(self, candidates: Sequence[int], excluded: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
        """The manifest's account, as a packed set's: how many were drawn and kept, and each excluded record by rule."""
        entries: dict[str, list[dict[str, str]]] = {}
        names = [row["record"] for row in self.rows(sorted(excluded))]
        for name, candidate in zip(names, sorted(excluded), strict=True):
            rule, detail = excluded[candidate]
            entries.setdefault(rule, []).append({"record": name, "detail": detail})
        return {"read": len(candidates) + len(excluded), "kept": len(candidates), "left_out": entries}

    def manifest(self) -> dict[str, Any]:
        ecg = self.sampler.ecg
        return new_manifest(self.leads, ecg.sampling_rate, ecg.num_samples, "generated", self.made_by)

    def identity(self) -> dict[str, Any]:
        """The facts by which a set on disk, finished or not, is recognised as this one."""
        return {"num_records": self.num_records, "leads": self.leads, **self.made_by}

    def bar(self, total: int, done: int) -> "tqdm[Any]":
        return tqdm(total=total, initial=done, unit="ECG", desc="generating", disable=not self.progress)


def _asked(request: GenerationRequest, conditions: Conditions | None) -> Request | None:
    """What is asked of the generator's conditions; None if it has none.

    Raises:
        ValueError: something is asked of a generator without conditions, that was never trained on, or of too few
            records.
    """
    if conditions is None:
        if request.condition is not None:
            raise ValueError(
                f"condition={request.condition} is asked of a generator without conditions; train one with "
                "condition=[sex,age,heart_rate,labels]"
            )
        return None
    asked = request_of(conditions, request.condition)
    if asked.table is not None:
        if request.keep is not None:
            raise ValueError("a table of conditions names the records, and keep chooses them: give one of them")
        last = request.num_records if request.indices is None else max(request.indices) + 1
        if last is not None and last > len(asked.table):
            raise ValueError(
                f"the table of conditions has {len(asked.table)} rows, a row a record; {last} records are asked for"
            )
    return asked


def _check_indices(indices: Sequence[int]) -> None:
    for i, index in enumerate(indices):
        checks.whole_number(f"indices[{i}]", index, at_least=0, at_most=LARGEST_SEED)
    if not len(indices) or len(set(indices)) != len(indices):
        raise ValueError("indices must name at least one record, and none twice")


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
