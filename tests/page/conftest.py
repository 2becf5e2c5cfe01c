"""One page for the tests of this folder: real processes, a real port."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.page.access import Access
from ecggan.page.app import build_app
from ecggan.page.page import Processes, start_processes
from ecggan.page.serve import config, listen
from ecggan.page.sources import name_sources


@pytest.fixture(scope="session")
def real_set(tmp_path_factory: pytest.TempPathFactory, varied_ecgs: Callable[..., np.ndarray]) -> Path:
    path = tmp_path_factory.mktemp("page") / "real_ecgs"
    ECGSet.from_arrays(varied_ecgs(40).astype(np.float32), EIGHT_LEADS, 500, "real").save(path)
    return path


@pytest.fixture(scope="session")
def processes(real_set: Path) -> Iterator[Processes]:
    running = start_processes(name_sources(["published"], [], [str(real_set)]))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text("<!DOCTYPE html><title>A report</title><h1>A report</h1>")
    return page


@contextmanager
def served(processes: Processes, reports: dict[str, Path], access: Access) -> Iterator[str]:
    """The address of a page that answers while the block runs."""
    with listen("127.0.0.1", 0) as socket:
        server = uvicorn.Server(config(build_app(processes, reports, access)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def page(processes: Processes, report: Path) -> Iterator[str]:
    with served(processes, {"first": report}, Access()) as address:
        yield address
