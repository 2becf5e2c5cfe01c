"""Tasks on the workers of a real Dask scheduler: the same results in the same order, whoever is lost."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.compute.dask import DaskWorkers, on_dask
from ecggan.compute.same_code import check_same_code
from ecggan.compute.slurm import on_slurm
from ecggan.compute.workers import each
from ecggan.evaluation.memorization.matching import align_nearest, nearest_by_segment
from ecggan.generation.distributed import generate_on_workers
from ecggan.generation.generate import generate
from ecggan.measurement.fingerprints import fingerprints
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.normality_filter import NormalityFilter
from ecggan.measurement.signal_description import describe_signals
from tests.dask_cluster import Cluster, cluster
from tests.runs import command, run_in_process
from tests.sizes import sized


@pytest.fixture(scope="module")
def one_cluster(tmp_path_factory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("dask") / "cluster", num_workers=2) as found:
        yield found


@pytest.fixture
def dask(one_cluster) -> Cluster:
    """A scheduler and two workers; those that a test before has killed are replaced."""
    one_cluster.processes[:] = [process for process in one_cluster.processes if process.poll() is None]
    while len(one_cluster.processes) < 3:
        one_cluster.add_worker()
    return one_cluster


def wait_for_both(workers: DaskWorkers) -> None:
    while workers.num_workers < 2:
        time.sleep(0.1)


@pytest.fixture(scope="module")
def ecgs(tmp_path_factory):
    """So many ECGs of the published generator, on disk, that a worker can be killed while they are measured."""
    return generate("published", sized(100, 200), out=tmp_path_factory.mktemp("ecgs") / "set", progress=False)


def negate(number: int, wait_s: float = 0) -> int:
    time.sleep(wait_s)
    return -number


def test_each_gives_what_the_function_makes_in_order_and_no_sooner_than_its_turn():
    made = []

    def numbers() -> Iterator[tuple[int]]:
        for number in range(1000):
            made.append(number)
            yield (number,)

    found = each(negate, numbers(), 1000, num_workers=1)
    assert [next(found) for _ in range(10)] == [-number for number in range(10)]
    assert len(made) < 100


@pytest.mark.slow
def test_on_dask_everything_that_is_measured_is_what_this_machine_measures(dask, ecgs):
    def all_of_it() -> tuple[pd.DataFrame, ...]:
        prints = fingerprints(ecgs, progress=False)
        found, _ = nearest_by_segment(prints, prints.subset(np.arange(50)))
        signals = describe_signals(ecgs, progress=False).table
        return measure(ecgs, progress=False), signals, align_nearest(ecgs, ecgs, found, ecgs.leads)

    here = all_of_it()
    with on_dask(dask.address):
        there = all_of_it()
    for one, other in zip(here, there, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.full
def test_signals_that_lie_on_no_disk_are_measured_on_dask_too(dask, ecgs):
    signals = ecgs.millivolts(slice(40))
    here = measure(signals, ecgs.leads, ecgs.sampling_rate, progress=False)
    with on_dask(dask.address):
        there = measure(signals, ecgs.leads, ecgs.sampling_rate, progress=False)
    pd.testing.assert_frame_equal(here, there, check_exact=True)


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_loses_nothing(dask, ecgs):
    here = measure(ecgs, progress=False)
    with on_dask(dask.address) as workers:
        wait_for_both(workers)
        dying = threading.Timer(0.3, dask.processes[-1].send_signal, [signal.SIGKILL])
        dying.start()
        there = measure(ecgs, progress=False)
        assert dask.processes[-1].poll() is not None
        assert workers.num_workers == 1
    pd.testing.assert_frame_equal(here, there, check_exact=True)


@pytest.mark.full
def test_a_scheduler_that_is_lost_ends_the_work_with_a_word(tmp_path, ecgs):
    with cluster(tmp_path / "cluster", num_workers=1) as dask, on_dask(dask.address):
        threading.Timer(0.5, dask.processes[0].send_signal, [signal.SIGKILL]).start()
        with pytest.raises(OSError, match=r"the scheduler tcp://.* was lost; run the same command again"):
            measure(ecgs, progress=False)


@pytest.mark.full
def test_workers_draw_the_set_that_this_machine_draws_though_one_is_killed(dask, tmp_path):
    num_records = sized(800, 1500)
    here = generate("published", num_records, seed=3, out=tmp_path / "here", progress=False)
    with on_dask(dask.address) as workers:
        wait_for_both(workers)
        out = tmp_path / "there"
        watching = threading.Thread(target=_kill_after_some_steps, args=(out, dask))
        watching.start()
        there = generate_on_workers(workers, "published", num_records, seed=3, out=out, progress=False)
        watching.join()
        assert workers.num_workers == 1
    assert (here.path / "signals.npy").read_bytes() == (there.path / "signals.npy").read_bytes()
    assert (here.path / "manifest.json").read_text() == (there.path / "manifest.json").read_text()


@pytest.mark.slow
@pytest.mark.full
def test_a_set_is_drawn_in_as_many_parts_as_workers_will_come_though_few_are_there(tmp_path):
    keep = NormalityFilter("normal", num_workers=1)
    here = generate("published", 60, seed=3, keep=keep, out=tmp_path / "here", progress=False)
    with cluster(tmp_path / "cluster", num_workers=1) as dask, on_dask(dask.address) as now:
        workers = DaskWorkers(now.client, "test", num_expected=3)
        watching = threading.Timer(1, dask.add_worker)
        watching.start()
        out = tmp_path / "there"
        there = generate_on_workers(workers, "published", 60, seed=3, keep=keep, out=out, progress=False)
        watching.join()
        assert workers.capacity == 3
    assert (here.path / "signals.npy").read_bytes() == (there.path / "signals.npy").read_bytes()
    assert (here.path / "manifest.json").read_text() == (there.path / "manifest.json").read_text()


def _kill_after_some_steps(out: Path, dask: Cluster) -> None:
    journal = out.with_name(f"{out.name}.unfinished") / "journal-1.jsonl"
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 4):
        time.sleep(0.02)
    for process in dask.processes[1:]:
        if _holds(process.pid, journal):
            process.send_signal(signal.SIGKILL)


def _holds(process: int, file: Path) -> bool:
    return any(os.path.realpath(link) == str(file) for link in Path(f"/proc/{process}/fd").iterdir())


def test_an_error_of_a_task_comes_back_as_it_is_and_the_rest_is_cancelled(dask):
    with on_dask(dask.address) as workers:
        with pytest.raises(TypeError, match="bad operand"):
            list(each(negate, [("text",), (1,)], 2))
        assert list(each(negate, [(1,), (2,)], 2)) == [-1, -2]
        assert not workers.client.processing() or not any(workers.client.processing().values())


def test_a_file_that_only_this_machine_sees_is_named_with_the_remedy(dask):
    with on_dask(dask.address), pytest.raises(FileNotFoundError, match=r"cannot open /nowhere.npy: .* all workers see"):
        list(each(np.load, [("/nowhere.npy",)], 1))


def test_a_scheduler_that_is_not_there_or_has_no_worker_is_said_in_seconds(tmp_path):
    with pytest.raises(OSError, match=r"no Dask scheduler answers at compute.address=tcp://127.0.0.1:9 within 1 s"):
        on_dask("tcp://127.0.0.1:9", wait_s=1).__enter__()
    with pytest.raises(ValueError, match=r"compute=dask needs compute.address=SCHEDULER"):
        on_dask(None).__enter__()
    with cluster(tmp_path / "cluster", num_workers=0) as dask, pytest.raises(OSError, match="has no worker after 1 s"):
        on_dask(dask.address, wait_s=1).__enter__()


@pytest.mark.full
def test_ctrl_c_ends_the_work_as_it_does_here(dask, ecgs, tmp_path):
    sets = (f"real={ecgs.path}", f"generated={ecgs.path}", "out=report", f"cache={tmp_path}/cache")
    process = subprocess.Popen(
        command("evaluate", *sets, "compute=dask", f"compute.address={dask.address}"),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    while "measuring:   0%" not in said:
        said += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1].endswith("interrupted\n")
    assert process.returncode == 1
    assert not (tmp_path / "report").exists()


def test_workers_with_other_packages_are_refused():
    from ecggan.compute.same_code import code_and_packages

    theirs = {**code_and_packages(), "scipy": "1.0"}
    with pytest.raises(ValueError, match=r"worker tcp://a:1 of heart has scipy 1\.0, here it is .* same environment"):
        check_same_code({"tcp://b:1": code_and_packages(), "tcp://a:1": theirs}, "heart")


def test_slurm_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match=r"the workers' jobs cannot be submitted to Slurm: .*sbatch"):
        on_slurm(1, "1GB", "00:10:00", wait_s=1, log_directory=str(tmp_path)).__enter__()
    with pytest.raises(ValueError, match="num_workers must be a whole number, at least 1; got 0"):
        on_slurm(0, "1GB", "00:10:00").__enter__()


@pytest.mark.slow
@pytest.mark.full
def test_a_report_made_on_dask_is_that_of_this_machine(dask, ecgs, tmp_path):
    workers = ("compute=dask", f"compute.address={dask.address}")
    drawn = run_in_process(
        "generate", "checkpoint=published", "num_records=24", "keep=normal", "out=drawn", *workers, cwd=tmp_path
    )
    assert drawn.returncode == 0, drawn.stderr
    sets = (f"real={ecgs.path}", f"generated={tmp_path / 'drawn'}", "max_records=24", "picture_formats=[]")
    for out, where in (("here", ()), ("there", workers)):
        done = run_in_process("evaluate", *sets, f"out={out}", f"cache={tmp_path / out}-cache", *where, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    tables = sorted(path.name for path in (tmp_path / "here").glob("*.csv"))
    assert len(tables) >= 5
    for file in ("summary.json", *tables):
        here, there = (tmp_path / out / file for out in ("here", "there"))
        assert here.read_text() == there.read_text(), file
