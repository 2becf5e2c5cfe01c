"""Where the work on many records is done: by processes of this machine, or by the workers of a Dask cluster.

A script chooses once, around everything that it does (``with on_dask(address): ...``); whatever has many tasks hands
them to [each][], and neither knows of the other. The results are those of this machine to the last bit, and come in
order. The workers must see the same files under the same names, and run the same code, which is checked before they
begin.
"""

import concurrent.futures
import hashlib
import logging
import platform
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from joblib import Parallel, cpu_count, delayed

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger(__name__)

R = TypeVar("R")

_TASKS_AHEAD = 4  # of each worker: enough that none waits, few enough that what waits for its turn takes no room
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": 2**28, "MALLOC_MMAP_THRESHOLD_": 2**25}
"""For distributed.nanny.pre-spawn-environ. Dask lets its workers give memory back at once, and so fetch it anew for
each array: measuring would take half as long again."""
_PACKAGES = ("ecggan", "numpy", "scipy", "pandas", "neurokit2")  # what a result may depend on


def each(
    function: Callable[..., R],
    arguments: Iterable[tuple[Any, ...]],
    num_tasks: int,
    num_workers: int | None = None,
) -> Iterator[R]:
    """What a function makes of each of some arguments, in their order, a few ahead of the caller.

    Args:
        function: of a module, so that other processes find it.
        arguments: of each task; made when its turn comes.
        num_tasks: how many there are.
        num_workers: processes of this machine, at most; None for one a core. A cluster takes all it has.
    """
    cluster = _cluster.get()
    if cluster is not None:
        return cluster.each(function, arguments)
    run = Parallel(n_jobs=max(1, min(num_workers or cpu_count(), num_tasks)), return_as="generator")
    return run(delayed(function)(*some) for some in arguments)


@contextmanager
def on_dask(address: str | None, wait_s: int | float = 60) -> Iterator["DaskWorkers"]:
    """Work on the workers of a Dask scheduler that is there already; it is left as it is.

    Args:
        address: such as "tcp://10.0.0.1:8786"; must be given.
        wait_s: how long to wait for the scheduler, and for a first worker.

    Raises:
        OSError: no scheduler answers, or it has no worker.
        ValueError: dask is not installed, or a worker has other code or packages than this process.
    """
    if address is None:
        raise ValueError("compute=dask needs compute.address=SCHEDULER, such as tcp://10.0.0.1:8786")
    with _client(address, wait_s) as client:
        yield from _working_on(DaskWorkers(client, address), wait_s)


@contextmanager
def on_slurm(
    num_workers: int, memory: str, walltime: str, wait_s: int | float = 600, **options: Any
) -> Iterator["DaskWorkers"]:
    """Work on jobs of a Slurm cluster, one process each, for as long as it takes; they are cancelled in the end.

    Args:
        num_workers: jobs to submit; the work begins with the first that starts.
        memory: of each, such as "4GB".
        walltime: of each, "HH:MM:SS". What a job whose time is up had begun, another does again.
        wait_s: how long to wait for the first.
        options: of dask_jobqueue's SLURMCluster, such as `queue` (the partition), `interface`, `log_directory` and
            `job_extra_directives`; those that are None are left out.

    Raises:
        OSError: the jobs cannot be submitted, or none starts in time.
        ValueError: as of [on_dask][].
    """
    if num_workers < 1:
        raise ValueError(f"compute.num_workers must be at least 1; got {num_workers}")
    given = {name: option for name, option in options.items() if option is not None}
    _require_dask()
    from dask_jobqueue import SLURMCluster

    given["scheduler_options"] = {"dashboard_address": ":0"}  # another may have the usual port
    given["job_script_prologue"] = [
        f'export DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON="{KEEP_MEMORY}"',
        *given.get("job_script_prologue", []),
    ]
    with SLURMCluster(cores=1, processes=1, memory=memory, walltime=walltime, python=sys.executable, **given) as jobs:
        _try_to_submit(jobs.job_script())
        jobs.scale(jobs=num_workers)
        with _client(jobs, wait_s) as client:
            yield from _working_on(DaskWorkers(client, "Slurm", num_workers), wait_s)


def _try_to_submit(script: str) -> None:
    """Find out now what Slurm says to a worker's job: dask_jobqueue submits in the background, and only logs it."""
    try:
        command = ["sbatch", "--test-only"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, check=False)
        said = done.stderr.strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        said = str(error)
    if said:
        raise OSError(f"the workers' jobs cannot be submitted to Slurm: {'; '.join(said.splitlines())}")


class DaskWorkers:
    """The workers of a Dask cluster, to which tasks are given as they get free.

    What a worker had begun that is lost is done by another. Arguments travel with their task, and so do not depend on
    the life of a worker, as what is scattered among them would.

    Args:
        client: of the scheduler.
        name: what to call the cluster in messages.
        num_expected: workers that will come, if not all are there when the work begins.
    """

    def __init__(self, client: "Client", name: str, num_expected: int = 1) -> None:
        self.client, self.name, self.num_expected = client, name, num_expected

    @property
    def num_workers(self) -> int:
        """Those that are there now."""
        return sum(self.client.nthreads().values())

    @property
    def capacity(self) -> int:
        """Those to give work to: what waits is taken by those that come."""
        return max(self.num_workers, self.num_expected)

    def each(
        self,
        function: Callable[..., R],
        arguments: Iterable[tuple[Any, ...]],
        while_waiting: Callable[[], object] | None = None,
    ) -> Iterator[R]:
        """As the function [each][] of this module; what `while_waiting` does is done every second that nothing comes.

        Raises:
            OSError: the scheduler was lost, or a task took too many workers with it.
            FileNotFoundError: a worker does not see a file.
        """
        waiting: deque[Future] = deque()
        rest = iter(arguments)
        try:
            while True:
                room = max(0, _TASKS_AHEAD * self.capacity - len(waiting))
                waiting += (self.client.submit(function, *some, pure=False) for some in islice(rest, room))
                if not waiting:
                    return
                # as many as one filling, so that the scheduler is not asked for each of thousands of tasks
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
                f"a task took several workers of {self.name} with it ({error}); their logs say why, often too little "
                "memory"
            ) from error
        except concurrent.futures.CancelledError as error:
            raise OSError(f"the scheduler {self.name} was lost; give the same command to go on") from error


_cluster: ContextVar[DaskWorkers | None] = ContextVar("cluster", default=None)


def current_workers() -> DaskWorkers | None:
    """The cluster that the work is done on; None for this machine."""
    return _cluster.get()


def _require_dask() -> None:
    """Import it, and let it say less: what it tells of itself is not for users."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        import dask_jobqueue  # noqa: F401
        import distributed  # noqa: F401
    except ModuleNotFoundError as error:
        raise ValueError(
            "compute=dask and compute=slurm need dask: pip install -c constraints.txt -e '.[dask]'"
        ) from error
    if threading.current_thread() is threading.main_thread():
        # dask_jobqueue's own would end the process without a word, as if all was well
        signal.signal(signal.SIGINT, handler)
    logging.getLogger("distributed").setLevel(logging.WARNING)


@contextmanager
def _client(where: Any, wait_s: int | float) -> Iterator["Client"]:
    _require_dask()
    from distributed import Client

    try:
        client = Client(where, timeout=wait_s)
    except OSError as error:
        raise OSError(f"no Dask scheduler answers at compute.address={where} within {wait_s:g} s") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"compute.address={where} is no address such as tcp://10.0.0.1:8786: {error}") from error
    with client:
        yield client


def _working_on(cluster: DaskWorkers, wait_s: int | float) -> Iterator[DaskWorkers]:
    """Wait for a worker, check what there is, and hand the cluster to all that is done meanwhile."""
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
    before = _cluster.set(cluster)
    try:
        yield cluster
    finally:
        _cluster.reset(before)


def code_and_packages() -> dict[str, str]:
    """What results may depend on beside the data: Python, packages, and our own code."""
    code = hashlib.sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        code.update(file.read_bytes())
    versions = {package: metadata.version(package) for package in _PACKAGES}
    return {"Python": platform.python_version(), **versions, "code of ecggan": code.hexdigest()[:12]}


def check_same_code(of_workers: Mapping[str, Mapping[str, str]], name: str) -> None:
    """Raise ValueError where a worker has other code or packages than this process."""
    ours = code_and_packages()
    for worker, theirs in of_workers.items():
        for what, version in ours.items():
            if theirs.get(what) != version:
                raise ValueError(
                    f"worker {worker} of {name} has {what} {theirs.get(what)}, here it is {version}: results could "
                    "differ; give the workers the same environment"
                )
