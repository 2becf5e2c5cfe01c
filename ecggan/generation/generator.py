"""A generator kept ready in memory, for programs that draw ECGs one by one."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int16

from ecggan import checks
from ecggan.data.sets.ecg_set import to_millivolts
from ecggan.ecg import select_leads
from ecggan.generation.plan import LARGEST_SEED, GenerationPlan, GenerationRequest
from ecggan.generation.sampler import BLOCK


class Generator:
    """Draws the records that [generate][ecggan.generate] draws, without opening the generator each time.

    A block of 16 records is drawn at once, by one thread, and the last block is kept: records in order cost their
    arithmetic, single ones here and there that of their block.

    Args:
        checkpoint: "published", "ptbxl", the folder of a run, or a file, as for [generate][ecggan.generate]; so are the
            others.
        leads: 8, 12, or names; None for the network's own.
        weights: "ema" or "raw".
        epoch: of a run's folder.
        ecg: facts that a file of another project lacks.
        device: "cpu", "cuda" …
        condition: what is asked of a generator with conditions, as a mapping.

    Attributes:
        leads: of the ECGs, in their order.
        sampling_rate: in Hz.

    Raises:
        FileNotFoundError: no such checkpoint.
        ValueError: an argument out of range, named in the message.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        leads: int | Sequence[str] | None = None,
        weights: str = "ema",
        epoch: int | str = "best",
        ecg: Mapping[str, Any] | None = None,
        device: str = "cpu",
        condition: Mapping[str, Any] | None = None,
    ) -> None:
        how: dict[str, Any] = {"device": device, "progress": False, "condition": condition}
        request = GenerationRequest(checkpoint, 1, 0, None, leads, weights, epoch, ecg, **how)
        self._plan = GenerationPlan.of(request)
        self.leads, self.sampling_rate = self._plan.leads, self._plan.sampler.ecg.sampling_rate
        self._last: tuple[int, int, np.ndarray] | None = None

    def draw(self, seed: int, k: int | Sequence[int] | np.ndarray) -> Float32[np.ndarray, "..."]:
        """Record k of the set of this seed in mV, ``(lead, time)``; for several k, ``(record, lead, time)``.

        Raises:
            ValueError: a seed or k out of range, or the generator draws NaN.
        """
        is_several = isinstance(k, Sequence | np.ndarray)
        indices: list[Any] = list(k) if isinstance(k, Sequence | np.ndarray) else [k]
        checks.whole_number("seed", seed, at_least=0, at_most=LARGEST_SEED)
        for index in indices:
            checks.whole_number("k", index, at_least=0, at_most=LARGEST_SEED)
        if not indices:
            raise ValueError("k must name at least one record; got none")
        microvolts = np.stack([self._record(int(seed), int(index)) for index in indices])
        millivolts = to_millivolts(select_leads(microvolts, self._plan.sampler.ecg.leads, self.leads), self.leads, None)
        return millivolts if is_several else millivolts[0]

    def _record(self, seed: int, index: int) -> Int16[np.ndarray, "lead time"]:
        first = index - index % BLOCK
        last = self._last
        if last is None or last[:2] != (seed, first):
            with closing(self._plan.of_seed(seed).sampler.draw([range(first, first + BLOCK)])) as drawn:
                last = seed, first, next(drawn)
            self._last = last
        return last[2][index % BLOCK]
