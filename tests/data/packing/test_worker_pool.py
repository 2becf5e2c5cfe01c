import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecggan.data.packing.worker_pool import in_processes

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
    return [str(len(item)) for item in batch]


def test_an_item_that_crashes_or_hangs_costs_itself_alone():
    batches = [["a", "crash", "bb"], ["hang", "ccc"], ["dddd"]]
    results = list(in_processes(length_unless_fatal, batches, lambda item, reason: f"{item}: {reason}", 2, 3))
    assert results == [
        ["1", "crash: it crashes the process that reads it (exit code -9)", "2"],
        ["hang: it takes longer than 3 s to read", "3"],
        ["4"],
    ]


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
