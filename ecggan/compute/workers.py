"""The one door to parallel work: hand many tasks to [each][], and they run where the command says.

A command chooses once, around everything it does (``with on_dask(address): ...``): processes of this machine, a Dask
cluster, or Slurm jobs. The results are bit-identical and in order wherever they are computed. A cluster's workers must
see the same files under the same names and run the same code, which is checked before they start.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from joblib import Parallel, cpu_count, delayed

if TYPE_CHECKING:
    from ecggan.compute.dask import DaskWorkers

R = TypeVar("R")

_cluster: ContextVar["DaskWorkers | None"] = ContextVar("cluster", default=None)


def each(
    function: Callable[..., R],
    arguments: Iterable[tuple[Any, ...]],
    num_tasks: int,
    num_workers: int | None = None,
) -> Iterator[R]:
    """The results of a function for many arguments, in their order, computed a few ahead of the caller.

    Args:
        function: defined in a module, so that other processes find it.
        arguments: of each task; made when the task is submitted.
        num_tasks: how many there are.
        num_workers: processes of this machine, at most; None for one a core. A cluster uses all it has.
    """
    cluster = _cluster.get()
    if cluster is not None:
        return cluster.each(function, arguments)
    run = Parallel(n_jobs=max(1, min(num_workers or cpu_count(), num_tasks)), return_as="generator")
    return run(delayed(function)(*task) for task in arguments)


def current_workers() -> "DaskWorkers | None":
    """The cluster in use; None for this machine."""
    return _cluster.get()


@contextmanager
def working_on(cluster: "DaskWorkers") -> Iterator["DaskWorkers"]:
    """Send the tasks of everything inside the block to a cluster."""
    before = _cluster.set(cluster)
    try:
        yield cluster
    finally:
        _cluster.reset(before)
