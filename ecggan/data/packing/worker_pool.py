"""Work in processes of its own: a file that crashes or hangs its reader is excluded, and the run continues."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

_MEMORY = 2**32  # bytes that a process may take on top of its libraries
_BY_THE_CLOCK = 4  # times as long as it may compute: others use the cores too, and disks can be slow

# not "fork": a process that already has threads (torch's, Arrow's) must not be forked
_CONTEXT = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
# imported once, by the server that is forked from, or each process of each pool would take a second to import it
_CONTEXT.set_forkserver_preload(["ecggan.data.packing.outcomes"])

_STARTING = threading.Lock()

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

    If a batch crashes its process or exceeds the time limit, each of its items is tried alone. The limit is one of
    computing, so that a busy machine costs no item; what waits instead may take four times as long by the clock.

    Args:
        work: gives a result for each item; must be picklable, as the items and results, and from a module: the
            script itself is not imported again, so it needs no `if __name__ == "__main__":`.
        batches: consumed as they are needed.
        failed: the result of an item that crashes or exceeds the limit, given the item and the reason.
        num_processes: of the pool.
        seconds: the time limit of a batch, and of an item alone. Windows knows the clock alone.
    """
    pool = ProcessPool(num_processes, initializer=_prepare, initargs=(work,), context=_Context())
    limited = partial(_computing_at_most, seconds, work)

    def begin(batch: Batch) -> ProcessFuture:
        return pool.schedule(limited, args=[batch], timeout=seconds * _BY_THE_CLOCK)

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
            return [failed(item, f"it takes longer than {seconds * _BY_THE_CLOCK:g} s to read")]
        except ProcessExpired as error:
            if hasattr(signal, "SIGPROF") and error.exitcode == -signal.SIGPROF:
                return [failed(item, f"it takes longer than {seconds:g} s of computing to read")]
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


class TaskLostError(RuntimeError):
    """A task crashed its process, or exceeded its time limit; the message says which."""


class WorkerPool:
    """Processes that stay for many tasks; a task that crashes or exceeds its time limit costs its own process alone.

    Args:
        num_processes: of the pool.
        prepare: called in each process before its first task; from a module, picklable. An error in it ends the pool.
        arguments: of `prepare`.
        tasks_a_process: after so many a process is replaced by a fresh one; 0 for never.
        limit_memory: to 4 GB a process, on top of what it takes once it is prepared.
    """

    def __init__(
        self,
        num_processes: int,
        prepare: Callable[..., None],
        arguments: Sequence[Any] = (),
        tasks_a_process: int = 0,
        limit_memory: bool = False,
    ) -> None:
        self._pool = ProcessPool(
            num_processes,
            max_tasks=tasks_a_process,
            initializer=_prepare_for,
            initargs=(prepare, tuple(arguments), limit_memory),
            context=_Context(),
        )

    def submit(self, work: Callable[..., Result], *arguments: Any, seconds: int | float) -> "Future[Result]":
        """Begin a task as soon as a process is free; its result, or its error, or a [TaskLostError][].

        A future that is running cannot be cancelled: who no longer waits for it costs no process.
        """
        outcome: Future[Result] = Future()
        outcome.set_running_or_notify_cancel()

        def end(task: "Future[Result]") -> None:
            error = TaskLostError("the pool was stopped") if task.cancelled() else task.exception()
            if isinstance(error, TimeoutError):
                error = TaskLostError(f"it takes longer than {seconds:g} s")
            elif isinstance(error, ProcessExpired):
                error = TaskLostError(f"it crashes its process (exit code {error.exitcode})")
            if error is None:
                outcome.set_result(task.result())
            else:
                outcome.set_exception(error)

        self._pool.schedule(work, args=arguments, timeout=seconds).add_done_callback(end)
        return outcome

    def stop(self) -> None:
        """End the processes, whatever they do."""
        self._pool.stop()
        self._pool.join()


class _Process(_CONTEXT.Process):
    """A process that does not import the parent's script."""

    def start(self) -> None:
        main = vars(sys.modules["__main__"])
        with _STARTING:  # the threads of two pools may start processes at once
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
    _prepare_for(None, (), limit_memory=True)


def _prepare_for(prepare: Callable[..., None] | None, arguments: Sequence[Any], limit_memory: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if prepare is not None:
        prepare(*arguments)
    if limit_memory and sys.platform == "linux":
        import resource

        taken = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
        with suppress(ValueError):  # there is a stricter limit already
            resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, resource.RLIM_INFINITY))


def _computing_at_most(seconds: int | float, work: Callable[[Batch], list[Result]], batch: Batch) -> list[Result]:
    """End the process, which nothing in it can prevent, where a batch takes longer than this of a processor."""
    if not hasattr(signal, "setitimer"):
        return work(batch)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return work(batch)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _end_with_the_parent() -> None:
    """Exit when the parent process ends; a hanging reader would outlive a killed parent otherwise."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
