"""How much faster several workers measure and draw than one, and what a run of a sweep costs before its first batch.

python benchmarks/cluster.py [RECORDS] [WORKERS]

Workers are processes of a Dask cluster of this machine, each with one thread, as `compute=slurm` starts them; local
processes stand beside them. Each is timed in turn, three times. The figures for 150,000 records on 16 cores are
extrapolated from one worker's rate and from the efficiency that several show here.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dask
from distributed import LocalCluster

from ecggan.compute.workers import KEEP_MEMORY, DaskWorkers, on_dask
from ecggan.generation.distributed import generate_on_workers
from ecggan.generation.generate import generate
from ecggan.measurement.measure_set import measure

ROUNDS = 3
PAPERS_SET, ITS_CORES = 150_000, 16
ROOT = Path(__file__).parents[1]
QUICK = (  # one step, nothing drawn or measured: what is left is the framework
    "experiment=quickstart",
    "trainer.max_epochs=1",
    "trainer.limit_train_batches=2",
    "~callbacks.physiology",
    "~callbacks.pictures",
    "model.model_size=5",
)


def main() -> None:
    num_records = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    num_workers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as folder:
        measuring(Path(folder), num_records, num_workers)
        sweeping(Path(folder), 20)


def measuring(folder: Path, num_records: int, num_workers: int) -> None:
    ecgs = generate("published", num_records, out=folder / "ecgs")
    ways: dict[str, Callable[[], object]] = {
        "measured by 1 process here": lambda: measure(ecgs, num_workers=1, progress=False),
        f"measured by {num_workers} processes here": lambda: measure(ecgs, num_workers=num_workers, progress=False),
        "measured by 1 worker": lambda: measure(ecgs, progress=False),
        f"measured by {num_workers} workers": lambda: measure(ecgs, progress=False),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    dask.config.set({"distributed.nanny.pre-spawn-environ": KEEP_MEMORY | {"OMP_NUM_THREADS": 1}})
    for round_ in range(ROUNDS):
        for way, run in ways.items():
            with workers(0 if "process" in way else 1 if "1 worker" in way else num_workers) as cluster:
                measure(ecgs.subset(slice(32 * num_workers)), num_workers=num_workers, progress=False)  # imports
                times[way].append(timed(run))
                if cluster is not None and round_ == 0:
                    out = folder / f"drawn by {cluster.num_workers}"
                    draw = partial(generate_on_workers, cluster, "published", num_records, out=out, progress=False)
                    print(f"{out.name} workers: {num_records / timed(draw):.0f} ECGs/s")
            print(f"  round {round_ + 1}: {way}: {num_records / times[way][-1]:.1f} ECGs/s", flush=True)
    rates = {way: num_records / statistics.median(some) for way, some in times.items()}
    for way, rate in rates.items():
        print(f"{way}: {rate:.1f} ECGs/s")
    one, several = rates["measured by 1 worker"], rates[f"measured by {num_workers} workers"]
    print(f"{num_workers} workers measure {several / one:.2f} times as fast as one")
    minutes = PAPERS_SET / (one * ITS_CORES * several / one / num_workers) / 60
    print(f"{PAPERS_SET:,} ECGs on {ITS_CORES} cores, if they share out as these {num_workers}: {minutes:.1f} min")


@contextmanager
def workers(count: int) -> Iterator[DaskWorkers | None]:
    if count == 0:
        yield None
        return
    cluster = LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=None)
    with cluster, on_dask(cluster.scheduler_address) as found:
        yield found


def sweeping(folder: Path, num_runs: int) -> None:
    def train(*arguments: str) -> None:
        command = [sys.executable, str(ROOT / "train.py"), *arguments, *QUICK, f"cache={folder}/cache"]
        subprocess.run(command, check=True, capture_output=True)

    train(f"out={folder}/first")  # packs the records
    alone = timed(lambda: train(f"out={folder}/alone"))
    seeds = ",".join(map(str, range(num_runs)))
    together = timed(lambda: train("-m", f"seed={seeds}", f"out={folder}/sweep"))
    print(f"a run of one step by itself, from the command to its end: {alone:.1f} s")
    print(f"a sweep of {num_runs} such runs: {together:.1f} s, {together / num_runs:.2f} s a run")


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
