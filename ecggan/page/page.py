"""The running page: its sources, its processes, and what the routes share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count
from starlette.requests import Request

from ecggan.data.packing.worker_pool import TaskLostError, WorkerPool
from ecggan.page import tasks
from ecggan.page.sources import Address, Source
from ecggan.page.work import Memory, Work

BLOCKS_KEPT = 48  # of 1.3 MB each
ECGS_KEPT = 256  # of 0.3 MB each
UPLOADS_WAITING, UPLOAD_SECONDS = 16, 20
START_SECONDS = 120


@dataclass(frozen=True)
class Processes:
    """The processes of the page, and the facts of the sources as they opened them."""

    drawing: WorkerPool
    reading: WorkerPool
    num_drawing: int
    facts: dict[str, dict[str, Any]]

    def stop(self) -> None:
        for pool in (self.drawing, self.reading):
            pool.stop()


def start_processes(sources: Mapping[str, Source], num_workers: int | None = None) -> Processes:
    """Start the processes, and open the sources in each.

    Args:
        sources: by name.
        num_workers: processes that draw and measure, at least 2; None for one a core, at most 4.

    Raises:
        FileNotFoundError: a source is missing.
        ValueError: one cannot be used.
        OSError: the processes do not start.
    """
    num_drawing = max(2, min(cpu_count(), 4)) if num_workers is None else num_workers
    drawing = WorkerPool(num_drawing, tasks.prepare, [dict(sources)])
    try:
        facts = drawing.submit(tasks.describe_sources, seconds=START_SECONDS).result()
    except TaskLostError as error:
        drawing.stop()
        raise OSError(f"the processes that draw do not start: {error}") from error
    except BaseException:
        drawing.stop()
        raise
    for _ in range(num_drawing):  # as long as a process is busy with one, the next goes to another
        drawing.submit(tasks.warm_up, seconds=START_SECONDS)
    # each file is read by a process of its own, which it may spoil; the first begins now, as the others have begun
    reading = WorkerPool(1, tasks.prepare_to_read, tasks_a_process=1, limit_memory=True)
    reading.submit(tasks.prepare_to_read, seconds=START_SECONDS)
    return Processes(drawing, reading, num_drawing, facts)


class Page:
    """What the routes share.

    Args:
        processes: running.
        reports: the page of each report that is listed, by name.
    """

    def __init__(self, processes: Processes, reports: Mapping[str, Path]) -> None:
        self.facts, self.reports = processes.facts, dict(reports)
        self.work = Work(processes.drawing, most_long=processes.num_drawing - 1)
        self.reading = Work(processes.reading, most_waiting=UPLOADS_WAITING, seconds=UPLOAD_SECONDS)
        self._blocks, self.ecgs, self.tables = Memory(BLOCKS_KEPT), Memory(ECGS_KEPT), Memory(BLOCKS_KEPT)

    def source(self, name: str | None) -> dict[str, Any]:
        """The facts of a source; of the first for None.

        Raises:
            ValueError: there is none of that name.
        """
        if name is None:
            return next(iter(self.facts.values()))
        if name not in self.facts:
            raise ValueError(f"there is no source {name[:60]!r}; there are {', '.join(self.facts)}")
        return self.facts[name]

    async def microvolts(self, address: Address) -> np.ndarray:
        """``(lead, time)`` of one record of a source.

        Raises:
            ValueError: a set does not have it.
        """
        source = self.facts[address.source]
        num_records, at_once = source["num_records"], source["drawn_at_once"]
        if num_records is not None and address.index >= num_records:
            raise ValueError(f"{address.source} has no ECG {address.index}: its last is {num_records - 1}")
        place = address.index % at_once
        key = (address.source, address.seed, address.index - place, at_once)
        return (await self._blocks.get(key, lambda: self.work.do(tasks.microvolts, *key)))[place]

    async def table(self, source: str, seed: int, block: int) -> dict[str, list[Any]]:
        """The measurements of a block of records by column, with `is_normal` and `reasons`."""
        key = (source, seed, block)
        return await self.tables.get(key, lambda: self.work.do(tasks.measured_block, *key))


def page_of(request: Request) -> Page:
    return request.app.state.page
