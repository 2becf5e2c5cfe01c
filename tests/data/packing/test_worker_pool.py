import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecggan.data.packing.worker_pool import TaskLostError, WorkerPool, in_processes

BEGIN = """
from ecggan.data.packing.worker_pool import in_processes
print(list(in_processes(sorted, [[3, 1], [2]], lambda item, reason: reason, 2, 30)))
"""


def length_unless_fatal(batch):
    for item in batch:
        if item == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "hang":
            time.sleep(600)
        if item == "loop":
            sum(range(10**12))  # in C, where Python's own signal handlers never run
    return [str(len(item)) for item in batch]


def test_an_item_that_crashes_or_hangs_costs_itself_alone():
    batches = [["a", "crash", "bb"], ["hang", "ccc"], ["loop", "d"], ["dddd"]]
    results = list(in_processes(length_unless_fatal, batches, lambda item, reason: f"{item}: {reason}", 2, 1))
    assert results == [
        ["1", "crash: it crashes the process that reads it (exit code -9)", "2"],
        ["hang: it takes longer than 4 s to read", "3"],
        ["loop: it takes longer than 1 s of computing to read", "1"],
        ["4"],
    ]


def what_takes_a_while(batch):
    time.sleep(2)
    return batch


def test_a_busy_machine_costs_no_item():
    assert list(in_processes(what_takes_a_while, [["a"]], lambda item, reason: reason, 1, 1)) == [["a"]]


def test_a_script_needs_no_guard_and_no_file(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(BEGIN)
    for command, text in (([script], None), (["-"], BEGIN), (["-c", BEGIN], None)):
        done = subprocess.run([sys.executable, *command], input=text, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == ("[[1, 3], [2]]\n", 0), done.stderr


def write_number_and_sleep(batch):
    (batch[0] / str(os.getpid())).touch()
    time.sleep(600)
    return batch


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_process_outlives_the_one_that_began_it(tmp_path):
    begin = f"""
from pathlib import Path
from ecggan.data.packing.worker_pool import in_processes
from test_worker_pool import write_number_and_sleep
list(in_processes(write_number_and_sleep, [[Path({str(tmp_path)!r})]] * 2, lambda item, reason: item, 2, 600))
"""
    with subprocess.Popen([sys.executable, "-c", begin], cwd=Path(__file__).parent) as main:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        main.kill()
    wait_until(lambda: not any(Path("/proc", each.name).exists() for each in tmp_path.iterdir()))


def wait_until(is_so):
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


PREPARED = []


def note(word):
    PREPARED.append(word)


def what_was_prepared(word):
    if word == "error":
        raise ValueError("no such word")
    return [*PREPARED, word, *length_unless_fatal([word]), os.getpid()]


def test_a_pool_that_stays_loses_nothing_but_the_task_that_crashes_or_hangs():
    pool = WorkerPool(1, note, ["ready"])
    try:
        words = ["a", "crash", "hang", "error", "bb"]
        first, crash, hang, error, last = [pool.submit(what_was_prepared, word, seconds=3) for word in words]
        assert first.result()[:3] == ["ready", "a", "1"]
        with pytest.raises(TaskLostError, match="-9"):
            crash.result()
        with pytest.raises(TaskLostError, match="3 s"):
            hang.result()
        with pytest.raises(ValueError, match="no such word"):
            error.result()
        assert last.result()[:3] == ["ready", "bb", "2"]
        assert not last.cancel()
    finally:
        pool.stop()


def test_a_task_may_have_a_process_of_its_own():
    pool = WorkerPool(1, note, ["ready"], tasks_a_process=1)
    try:
        first, second = [pool.submit(what_was_prepared, "a", seconds=30).result() for _ in range(2)]
    finally:
        pool.stop()
    assert first[:3] == second[:3]
    assert first[3] != second[3]
