"""The queue before the processes, and the memory of answers."""

import asyncio
import os
import time
from collections.abc import Iterator

import pytest

from ecggan.data.packing.worker_pool import WorkerPool
from ecggan.page.work import BusyError, LostError, Memory, Work


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    running = WorkerPool(2, abs, [0])
    running.submit(abs, 1, seconds=60).result()
    yield running
    running.stop()


def test_more_than_the_queue_takes_is_refused_and_the_rest_answered(pool: WorkerPool) -> None:
    async def ask() -> list[object]:
        work = Work(pool, most_waiting=2)
        return await asyncio.gather(*(work.do(abs, -number) for number in range(3)), return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert (first, second) == (0, 1)
    assert isinstance(third, BusyError)


def test_long_tasks_wait_for_each_other_and_not_short_ones_for_them(pool: WorkerPool) -> None:
    ended = []

    async def ask() -> None:
        work = Work(pool, most_long=1)

        async def long(name: str) -> None:
            await work.do_long(time.sleep, 0.3)
            ended.append(name)

        async def short() -> None:
            await asyncio.sleep(0.05)
            await work.do(abs, 1)
            ended.append("short")

        await asyncio.gather(long("first"), long("second"), short())

    begun = time.monotonic()
    asyncio.run(ask())
    assert ended == ["short", "first", "second"]
    assert time.monotonic() - begun >= 0.6


def test_a_lost_task_is_told_and_not_kept_in_memory(pool: WorkerPool) -> None:
    async def ask() -> int:
        work, memory = Work(pool), Memory(4)
        with pytest.raises(LostError, match="exit code 3"):
            await memory.get("a", lambda: work.do(os._exit, 3))
        return await memory.get("a", lambda: work.do(abs, -4))

    assert asyncio.run(ask()) == 4


def test_memory_answers_a_question_once_and_forgets_the_oldest() -> None:
    asked = []

    async def ask() -> None:
        memory = Memory(2)

        async def answer(question: str) -> str:
            asked.append(question)
            await asyncio.sleep(0)
            return question

        await asyncio.gather(*(memory.get("a", lambda: answer("a")) for _ in range(5)))
        for question in ("b", "a", "c", "a", "b"):
            assert await memory.get(question, lambda question=question: answer(question)) == question

    asyncio.run(ask())
    assert asked == ["a", "b", "c", "b"]
