"""The page's processes as the server sees them: a bounded queue before them, and a memory of what they answered."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from ecggan.data.packing.worker_pool import TaskLostError, WorkerPool

T = TypeVar("T")

MOST_WAITING = 256  # tasks that run or wait
SECONDS = 60


class BusyError(RuntimeError):
    """More is asked for than the page can take on."""


class LostError(RuntimeError):
    """A task did not come back; the message says why."""


class Work:
    """Tasks for a pool of processes.

    Args:
        pool: where they run.
        most_long: of the tasks that take seconds, so many run at once, so that some process is left for short ones.
        most_waiting: tasks that run or wait; more are refused.
        seconds: the time limit of a task.
    """

    def __init__(
        self, pool: WorkerPool, most_long: int = 1, most_waiting: int = MOST_WAITING, seconds: int | float = SECONDS
    ) -> None:
        self.pool, self.most_waiting, self.seconds = pool, most_waiting, seconds
        self._num_waiting = 0
        self._long = asyncio.Semaphore(most_long)

    async def do(self, function: Callable[..., T], *arguments: Any) -> T:
        """The result of a short task.

        Raises:
            BusyError: too many are waiting.
            LostError: the task crashed its process, or took too long.
        """
        with _Place(self):
            return await self._run(function, arguments)

    async def do_long(self, function: Callable[..., T], *arguments: Any) -> T:
        """The result of a task that takes seconds; Raises: as of [do][]."""
        with _Place(self):
            async with self._long:
                return await self._run(function, arguments)

    async def _run(self, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            return await asyncio.wrap_future(self.pool.submit(function, *arguments, seconds=self.seconds))
        except TaskLostError as error:
            raise LostError(f"no answer: {error}") from error


class _Place:
    """A place in the queue of a [Work][]."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def __enter__(self) -> None:
        if self.work._num_waiting >= self.work.most_waiting:
            raise BusyError("the page is busy: try again in a few seconds")
        self.work._num_waiting += 1

    def __exit__(self, *_: object) -> None:
        self.work._num_waiting -= 1


class Memory:
    """The latest answers; a question that is asked twice at the same time is answered once.

    Args:
        most: answers kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._answers: OrderedDict[Hashable, asyncio.Task[Any]] = OrderedDict()

    async def get(self, question: Hashable, answer: Callable[[], Awaitable[T]]) -> T:
        """The answer to a question; an error is not kept."""
        task = self._answers.get(question)
        if task is None:
            task = asyncio.ensure_future(_of(answer))
            self._answers[question] = task
            task.add_done_callback(lambda done: self._forget_error(question, done))
            while len(self._answers) > self.most:
                self._answers.popitem(last=False)
        else:
            self._answers.move_to_end(question)
        return await asyncio.shield(task)

    def _forget_error(self, question: Hashable, done: "asyncio.Task[Any]") -> None:
        if (done.cancelled() or done.exception() is not None) and self._answers.get(question) is done:
            del self._answers[question]


async def _of(answer: Callable[[], Awaitable[T]]) -> T:
    return await answer()
