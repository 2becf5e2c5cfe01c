"""The queue before the processes, and the memory of answers."""

import asyncio
from concurrent.futures import Future

import pytest

from ecggan.data.packing.worker_pool import TaskLostError
from ecggan.page.work import BusyError, LostError, Memory, Work


class Held:
    """A pool whose tasks end when the test says so."""

    def __init__(self) -> None:
        self.tasks: list[Future] = []

    def submit(self, *_: object, seconds: float) -> Future:
        self.tasks.append(Future())
        return self.tasks[-1]


def test_more_than_the_queue_takes_is_refused_and_the_rest_answered() -> None:
    async def ask() -> list[object]:
        pool = Held()
        work = Work(pool, most_waiting=2)  # type: ignore[arg-type]
        asked = [asyncio.ensure_future(work.do(abs, n)) for n in range(3)]
        await asyncio.sleep(0)
        for number, task in enumerate(pool.tasks):
            task.set_result(number)
        return await asyncio.gather(*asked, return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert (first, second) == (0, 1)
    assert isinstance(third, BusyError)


def test_long_tasks_leave_room_for_short_ones() -> None:
    async def ask() -> int:
        pool = Held()
        work = Work(pool, most_long=1)  # type: ignore[arg-type]
        asked = [asyncio.ensure_future(work.do_long(abs, n)) for n in range(4)]
        for _ in range(3):
            await asyncio.sleep(0)
        begun = len(pool.tasks)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        return begun

    assert asyncio.run(ask()) == 1


def test_a_lost_task_is_told_and_not_kept_in_memory() -> None:
    async def ask() -> tuple[int, str]:
        pool, memory = Held(), Memory(4)
        work = Work(pool)  # type: ignore[arg-type]

        async def answer() -> str:
            asked = asyncio.ensure_future(memory.get("a", lambda: work.do(str, 1)))
            while not (pool.tasks and not pool.tasks[-1].done()):
                await asyncio.sleep(0)
            task = pool.tasks[-1]
            if len(pool.tasks) == 1:
                task.set_exception(TaskLostError("it crashes its process"))
            else:
                task.set_result("1")
            return await asked

        with pytest.raises(LostError, match="crashes"):
            await answer()
        return len(pool.tasks), await answer()

    assert asyncio.run(ask()) == (1, "1")


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
