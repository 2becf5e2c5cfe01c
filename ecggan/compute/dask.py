"""The workers of a Dask scheduler. With `slurm`, the only door to dask."""

import concurrent.futures
import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from ecggan.compute.same_code import check_same_code, code_and_packages
from ecggan.compute.workers import R, working_on

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)

_TASKS_AHEAD = 4  # of each worker: enough that none waits, few enough to bound memory
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": 2**28, "MALLOC_MMAP_THRESHOLD_": 2**25}
"""For distributed.nanny.pre-spawn-environ. By default, Dask makes workers return freed memory to the system at once;
allocating it again for each array makes measuring 1.5 times as slow."""


@contextmanager
def on_dask(address: str | None, wait_s: int | float = 60) -> Iterator["DaskWorkers"]:
    """Run the tasks of the block on an existing Dask scheduler, which keeps running afterwards.

    Args:
        address: such as "tcp://10.0.0.1:8786"; must be given.
        wait_s: how long to wait for the scheduler, and for a first worker.

    Raises:
        OSError: no scheduler answers, or it has no worker.
        ValueError: dask is not installed, or a worker has other code or packages than this process.
    """
    if address is None:
        raise ValueError("compute=dask needs compute.address=SCHEDULER, such as tcp://10.0.0.1:8786")
    with connect(address, wait_s) as client, use_workers(DaskWorkers(client, address), wait_s) as workers:
        yield workers


class DaskWorkers:
    """The workers of a Dask cluster; each gets a new task when it is free.

    The tasks of a lost worker are repeated by another. Arguments are sent with each task rather than scattered, so that
    they survive the worker.

    Args:
        client: of the scheduler.
        name: of the cluster, for messages.
        num_expected: workers expected in the end, if not all have started.
    """

    def __init__(self, client: "Client", name: str, num_expected: int = 1) -> None:
        self.client, self.name, self.num_expected = client, name, num_expected

    @property
    def num_workers(self) -> int:
        """Workers connected now."""
        return sum(self.client.nthreads().values())

    @property
    def capacity(self) -> int:
        """Workers to plan for: the connected and the expected ones."""
        return max(self.num_workers, self.num_expected)

    def each(
        self,
        function: Callable[..., R],
        arguments: Iterable[tuple[Any, ...]],
        while_waiting: Callable[[], object] | None = None,
    ) -> Iterator[R]:
        """As [each][ecggan.compute.workers.each]; `while_waiting` is called every second without a result.

        Raises:
            OSError: the scheduler was lost, or a task killed too many workers.
            FileNotFoundError: a file does not exist on a worker.
        """
        waiting: deque[Future] = deque()
        rest = iter(arguments)
        try:
            while True:
                room = max(0, _TASKS_AHEAD * self.capacity - len(waiting))
                waiting += (self.client.submit(function, *task, pure=False) for task in islice(rest, room))
                if not waiting:
                    return
                # half a queue at a time: asking the scheduler after each of thousands of tasks is slow
                for _ in range(max(1, len(waiting) // 2)):
                    yield self._result(waiting.popleft(), while_waiting)
        finally:
            self.client.cancel(list(waiting))

    def _result(self, future: "Future", while_waiting: Callable[[], object] | None) -> Any:
        from distributed import KilledWorker, wait

        try:
            while not future.done():
                try:
                    wait(future, timeout=1)
                except TimeoutError:
                    if while_waiting is not None:
                        while_waiting()
            return future.result()
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"a worker of {self.name} cannot open {error.filename or error}: ECG sets, runs and the cache must lie "
                "where all workers see them under the same name"
            ) from error
        except KilledWorker as error:
            raise OSError(
                f"a task killed several workers of {self.name} ({error}); their logs tell why, often too little memory"
            ) from error
        except concurrent.futures.CancelledError as error:
            raise OSError(f"the scheduler {self.name} was lost; run the same command again to resume") from error


def require_dask() -> None:
    """Check that dask is installed, and silence its own log messages.

    Raises:
        ValueError: it is not installed.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        import dask_jobqueue  # noqa: F401
        import distributed  # noqa: F401
    except ModuleNotFoundError as error:
        raise ValueError(
            "compute=dask and compute=slurm need dask: pip install -c constraints.txt -e '.[dask]'"
        ) from error
    if threading.current_thread() is threading.main_thread():
        # dask_jobqueue's own handler ends the process silently, with exit code 0
        signal.signal(signal.SIGINT, handler)
    logging.getLogger("distributed").setLevel(logging.WARNING)


@contextmanager
def connect(where: Any, wait_s: int | float) -> Iterator["Client"]:
    require_dask()
    from distributed import Client

    try:
        client = Client(where, timeout=wait_s)
    except OSError as error:
        raise OSError(f"no Dask scheduler answers at compute.address={where} within {wait_s:g} s") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"compute.address={where} is no address such as tcp://10.0.0.1:8786: {error}") from error
    with client:
        yield client


@contextmanager
def use_workers(cluster: DaskWorkers, wait_s: int | float) -> Iterator[DaskWorkers]:
    """Wait for the first worker, check that all run the same code, and send the tasks of the block to them."""
    try:
        cluster.client.wait_for_workers(1, timeout=wait_s)
    except TimeoutError as error:
        raise OSError(f"{cluster.name} has no worker after {wait_s:g} s") from error
    check_same_code(cluster.client.run(code_and_packages), cluster.name)
    threads = cluster.client.nthreads()
    if max(threads.values()) > 1:
        log.warning(
            "workers of %s have %d threads, of which one works at a time: start them with --nthreads 1",
            cluster.name,
            max(threads.values()),
        )
    log.info("%d workers of %s", len(threads), cluster.name)
    with working_on(cluster):
        yield cluster
