"""Reading in worker processes: a file that crashes or hangs its reader is excluded, and the run continues."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

_MEMORY = 2**32  # bytes that a process may take on top of its libraries

# not "fork": a process that already has threads (torch's, Arrow's) must not be forked
_CONTEXT = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)

Item = TypeVar("Item")
Result = TypeVar("Result")
Batch = Sequence[Item]


def in_processes(
    work: Callable[[Batch], list[Result]],
    batches: Iterable[Batch],
    failed: Callable[[Item, str], Result],
    num_processes: int,
    seconds: int | float,
) -> Iterator[list[Result]]:
    """Yield the results of the batches, in their order.

    If a batch crashes its process or exceeds the time limit, each of its items is tried alone.

    Args:
        work: gives a result for each item; must be picklable, as the items and results, and from a module: the
            script itself is not imported again, so it needs no `if __name__ == "__main__":`.
        batches: consumed as they are needed.
        failed: the result of an item that crashes or exceeds the limit, given the item and the reason.
        num_processes: of the pool.
        seconds: the time limit of a batch, and of an item alone.
    """
    pool = ProcessPool(num_processes, initializer=_prepare, initargs=(work,), context=_Context())

    def begin(batch: Batch) -> ProcessFuture:
        return pool.schedule(work, args=[batch], timeout=seconds)

    def end(batch: Batch, begun: ProcessFuture) -> list[Result]:
        try:
            return begun.result()
        except (TimeoutError, ProcessExpired):  # by one of its items
            alone = [(item, begin([item])) for item in batch]
        return [result for item, begun in alone for result in end_alone(item, begun)]

    def end_alone(item: Item, begun: ProcessFuture) -> list[Result]:
        try:
            return begun.result()
        except TimeoutError:
            return [failed(item, f"it takes longer than {seconds:g} s to read")]
        except ProcessExpired as error:
            return [failed(item, f"it crashes the process that reads it (exit code {error.exitcode})")]

    waiting: deque[tuple[Batch, ProcessFuture]] = deque()
    try:
        for batch in batches:
            waiting.append((batch, begin(batch)))
            if len(waiting) > 2 * num_processes:
                yield end(*waiting.popleft())
        while waiting:
            yield end(*waiting.popleft())
    finally:
        pool.stop()
        pool.join()


class _Process(_CONTEXT.Process):
    """A process that does not import the parent's script."""

    def start(self) -> None:
        main = vars(sys.modules["__main__"])
        hidden: dict[str, Any] = {name: main.pop(name) for name in ("__spec__", "__file__") if name in main}
        main["__spec__"] = None
        try:
            super().start()
        finally:
            main.update(hidden)


class _Context(type(_CONTEXT)):  # type: ignore[misc]
    Process = _Process


def _prepare(work: Callable) -> None:
    """Prepare a process; unpickling `work` has imported its modules, before any time limit starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if sys.platform == "linux":
        import resource

        taken = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
        with suppress(ValueError):  # there is a stricter limit already
            resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, resource.RLIM_INFINITY))


def _end_with_the_parent() -> None:
    """Exit when the parent process ends; a hanging reader would outlive a killed parent otherwise."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
