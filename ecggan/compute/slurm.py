"""Jobs of a Slurm cluster as Dask workers."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ecggan import checks
from ecggan.compute.dask import KEEP_MEMORY, DaskWorkers, connect, require_dask, use_workers
from ecggan.programs import ask


@contextmanager
def on_slurm(
    num_workers: int, memory: str, walltime: str, wait_s: int | float = 600, **options: Any
) -> Iterator[DaskWorkers]:
    """Run the tasks of the block on Slurm jobs of one process each, which are cancelled afterwards.

    Args:
        num_workers: jobs to submit; work starts with the first of them.
        memory: of each, such as "4GB".
        walltime: of each, "HH:MM:SS". The tasks of a job that runs out of time are repeated by another.
        wait_s: how long to wait for the first.
        options: of dask_jobqueue's SLURMCluster, such as `queue` (the partition), `interface`, `log_directory` and
            `job_extra_directives`; those that are None are left out.

    Raises:
        OSError: the jobs cannot be submitted, or none starts in time.
        ValueError: as of [on_dask][ecggan.compute.dask.on_dask].
    """
    checks.whole_number("compute.num_workers", num_workers, at_least=1)
    given = {name: option for name, option in options.items() if option is not None}
    written = str(given.get("log_directory", ""))
    if re.search(r"[\s%\\'\"]", written):  # it stands in the job's script without quotes
        raise ValueError(f"compute.log_directory must be without spaces, quotes, backslashes and %; got {written}")
    require_dask()
    from dask_jobqueue import SLURMCluster

    given["scheduler_options"] = {"dashboard_address": ":0"}  # the default port may be in use
    given["job_script_prologue"] = [
        f'export DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON="{KEEP_MEMORY}"',
        *given.get("job_script_prologue", []),
    ]
    with SLURMCluster(cores=1, processes=1, memory=memory, walltime=walltime, python=sys.executable, **given) as jobs:
        _try_to_submit(jobs.job_script())
        jobs.scale(jobs=num_workers)
        with (
            connect(jobs, wait_s) as client,
            use_workers(DaskWorkers(client, "Slurm", num_workers), wait_s) as workers,
        ):
            yield workers


def _try_to_submit(script: str) -> None:
    """Ask Slurm whether it takes a worker's job: dask_jobqueue submits in the background, and only logs an error."""
    try:
        done = ask(["sbatch", "--test-only"], given=script)
        problem = done.stderr.strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        raise OSError(f"the workers' jobs cannot be submitted to Slurm: {'; '.join(problem.splitlines())}")
