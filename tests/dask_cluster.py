"""A Dask scheduler and workers in processes of their own, as its command line starts them; they can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.runs import ROOT

_WAIT_S = 60


@dataclass
class Cluster:
    """Its address, and how to start and kill its workers."""

    folder: Path
    address: str = ""
    processes: list[subprocess.Popen] = field(default_factory=list)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen:
        log = self.folder / f"{arguments[0]}{len(self.processes)}.log"
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=log.open("w"),
            stderr=subprocess.STDOUT,
        )
        self.processes.append(process)
        return process

    def add_worker(self, **environment: str) -> subprocess.Popen:
        """One that dies when it is killed: no nanny starts it again."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
        return self.start("worker", self.address, *options, **environment)


@contextmanager
def cluster(folder: Path, num_workers: int) -> Iterator[Cluster]:
    folder.mkdir()
    found = Cluster(folder)
    file = folder / "scheduler.json"
    try:
        found.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        deadline = time.monotonic() + _WAIT_S
        while not (file.exists() and '"address"' in file.read_text()):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        found.address = file.read_text().split('"address": "')[1].split('"')[0]
        for _ in range(num_workers):
            found.add_worker()
        yield found
    finally:
        for process in reversed(found.processes):
            process.send_signal(signal.SIGKILL)
            process.wait()
