"""From ECG files to batches: packing PTB-XL, an epoch beside that of the original training code, the memory of both.

git clone https://github.com/vlbthambawita/Pulse2Pulse
python benchmarks/data.py packing PTBXL            records a second of 2 processes, beside wfdb.rdrecord alone
python benchmarks/data.py epoch PTBXL Pulse2Pulse  batches of 32 with 0 and 2 workers, beside their ECGDataSimple
python benchmarks/data.py memory PTBXL 1000 4000   peak memory of packing and of an epoch, for sets of these sizes

PTBXL need not be complete: the records of its records500 are copied until they are enough, copy k with k µV added to
every sample, so that none is a duplicate and every law of the leads holds as before. They were just written, so no disk
is waited for; the cache is empty. Rules, shaping and batch size are those of configs/.

Packing, its peer and the epochs whose memory is measured are processes of their own, sampled from outside 20 times a
second: `in all` is the peak of resident memory (VmHWM), with pages of mapped files, which the system takes back when it
needs them; `own` is the peak without those (RssAnon). CPU time is given because it depends less on what else runs.
Epochs are timed on one thread, with their workers started and the same order of the records.
"""

import argparse
import importlib
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
import wfdb
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch.utils.data import DataLoader, Subset

from ecggan.data.exports.text import to_text
from ecggan.training.datamodule import ECGDataModule

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def copy_records(ptbxl: Path, folder: Path, num_records: int) -> None:
    headers = sorted(ptbxl.glob("records500/*/*.hea"))
    if not headers:
        raise SystemExit(f"{ptbxl} holds no records500/*/*.hea")
    for number in range(num_records):
        offset, which = divmod(number, len(headers))
        copy = folder / f"copy{offset}" / headers[which].name
        copy.parent.mkdir(parents=True, exist_ok=True)
        steps = np.fromfile(headers[which].with_suffix(".dat"), "<i2")  # of 1 µV
        (steps + np.int16(offset)).tofile(copy.with_suffix(".dat"))
        first, *signals = headers[which].read_text(encoding="utf-8").splitlines()
        signals = [with_offset(line, offset, len(steps) // 12) for line in signals[:12]]
        copy.write_text("\n".join([first, *signals]) + "\n")


def with_offset(line: str, offset: int, num_samples: int) -> str:
    """A signal's line of a header, with its first sample and checksum made right."""
    *words, first, checksum, block, lead = line.split()
    checksum = str((int(checksum) + offset * num_samples) % 2**16)
    return " ".join([*words, str(int(first) + offset), checksum, block, lead])


def training_data(folder: str | Path, cache: str | Path, num_workers: int) -> ECGDataModule:
    """That of `train.py data=folder`, with every record in the training split."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", ["data=folder", "num_workers=2", "data.source.validation=0", "data.source.test=0"])
    config.data.root, config.cache, config.data.source.patterns = str(folder), str(cache), ["*.hea"]
    source = instantiate(config.data.source, _convert_="all")
    return ECGDataModule(source, instantiate(config.ecg), config.batch_size, num_workers, config.seed)


def batches(data: ECGDataModule, loader: DataLoader) -> Iterator[torch.Tensor]:
    return (data.on_after_batch_transfer(batch, 0) for batch in loader)


def seconds(iterable: Iterable) -> float:
    start = time.perf_counter()
    for _ in iterable:
        pass
    return time.perf_counter() - start


# What runs in a process of its own and returns its figures.


def pack(folder: str, cache: str) -> dict[str, Any]:
    start, cpu = time.perf_counter(), time.process_time()
    account = training_data(folder, cache, 0).source().manifest["account"]
    figures = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    left_out = {rule: len(records) for rule, records in account["left_out"].items()}
    return {**figures, "account": f"{account['kept']} kept, excluded {left_out}"}


def read_only(folder: str, _: str) -> dict[str, Any]:
    records, cpu = [str(path.with_suffix("")) for path in Path(folder).glob("*/*.hea")], time.process_time()
    return {"seconds": seconds(map(wfdb.rdrecord, records)), "cpu": time.process_time() - cpu}


def one_epoch(folder: str, cache: str, num_workers: str) -> dict[str, Any]:
    data = training_data(folder, cache, int(num_workers))
    data.setup("fit")
    return {"seconds": seconds(batches(data, data.train_dataloader()))}


ALONE: dict[str, Callable[..., dict[str, Any]]] = {f.__name__: f for f in (pack, read_only, one_epoch)}


def alone(task: Callable, *arguments: object) -> dict[str, Any]:
    """The figures of a task, with its memory as text and the CPU time of its children added."""
    command = [sys.executable, __file__, task.__name__, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    seen: dict[int, np.ndarray] = {}
    while process.poll() is None:
        for pid in family(process.pid):
            look(pid, seen)
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(process.returncode)
    figures = {"cpu": 0.0, **json.loads(process.stdout.read())}
    figures["memory"] = "{:5.0f} MB in all, {:4.0f} own".format(*seen.pop(process.pid))
    children = np.array([child for child in seen.values() if child.any()])
    if len(children):
        figures["memory"] += "; largest child {:4.0f} in all, {:4.0f} own".format(*children.max(axis=0))
        figures["cpu"] += children[:, 2].sum()
    return figures


def family(pid: int) -> Iterator[int]:
    """A process, and those that it and its children began."""
    yield pid
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text(encoding="utf-8").split():
                yield from family(int(child))


def look(pid: int, seen: dict[int, np.ndarray]) -> None:
    """Note a process's peak of memory until now, its own memory at most (MB), and its CPU time (s)."""
    try:
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        )
        ticks = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
        megabytes = [int(status[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon")]
    except (OSError, KeyError):  # it has ended
        return
    now = np.array([*megabytes, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")])
    # at first sight a child may still be its parent's likeness, about to become a program of its own
    seen[pid] = np.maximum(now, seen[pid]) if pid in seen else np.zeros(3)


def compare_packing(options: argparse.Namespace, folder: Path) -> None:
    copy_records(options.ptbxl, folder / "records", options.num_records)
    runs: dict[str, list[dict[str, Any]]] = {"ecggan, packed by 2 processes": [], "wfdb.rdrecord, read by one": []}
    for _ in range(options.rounds):
        for each, task in zip(runs.values(), (pack, read_only), strict=True):
            with tempfile.TemporaryDirectory(dir=folder) as cache:
                each.append(alone(task, folder / "records", cache))
    print(f"{options.num_records} records, median of {options.rounds} rounds")
    for name, each in runs.items():
        rates = [options.num_records / run["seconds"] for run in each]
        cpu = statistics.median(run["cpu"] for run in each) / options.num_records * 1000
        print(f"{name:30} {statistics.median(rates):6.0f} records/s ({min(rates):.0f} to {max(rates):.0f})", end="")
        print(f", {cpu:.1f} ms CPU a record\n    {each[-1]['memory']}; {each[-1].get('account', 'nothing checked')}")


def compare_epochs(options: argparse.Namespace, folder: Path) -> None:
    torch.set_num_threads(1)  # two would wait for each other wherever something else runs, theirs and ours
    copy_records(options.ptbxl, folder / "records", options.num_records)
    ecgs = training_data(folder / "records", folder / "cache", 0).source()
    (folder / "asc").mkdir()
    for number in range(len(ecgs)):
        (folder / "asc" / f"{number:06}.asc").write_bytes(to_text(ecgs.microvolts([number])[0], " "))
    sys.path.insert(0, str(options.original))
    dataset = importlib.import_module("data.ecg_data_loader").ECGDataSimple([str(folder / "asc")])
    dataset.all_ecg_files.sort()  # into the order of our set
    for num_workers in (0, 2):
        data = training_data(folder / "records", folder / "cache", num_workers)
        data.setup("fit")
        ours = data.train_dataloader()
        same = {"batch_size": ours.batch_size, "drop_last": ours.drop_last, "num_workers": num_workers}
        theirs = DataLoader(Subset(dataset, list(ours.sampler)), persistent_workers=num_workers > 0, **same)
        runs: dict[str, Callable[[], Iterator[torch.Tensor]]] = {
            "ecggan": lambda data=data, loader=ours: batches(data, loader),
            "Pulse2Pulse's ECGDataSimple": lambda loader=theirs: (batch["ecg_signals"] for batch in loader),
        }
        largest = 0.0
        for a, b in zip(*(run() for run in runs.values()), strict=True):
            assert (a.dtype, a.shape) == (b.dtype, b.shape) == (torch.float32, (ours.batch_size, 8, 5000))
            largest = max(largest, float((a - b).abs().max()))
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(options.rounds):
            for name, run in runs.items():
                taken[name].append(seconds(run()))
        print(f"{len(ours)} batches of {ours.batch_size}, {num_workers} workers, median of {options.rounds} rounds")
        for name, each in taken.items():
            print(f"{name:30} {statistics.median(each):7.3f} s ({min(each):.3f} to {max(each):.3f})")
        ratios = [b / a for a, b in zip(*taken.values(), strict=True)]
        print(f"{'ratio':30} {statistics.median(ratios):5.1f} x   ({min(ratios):.1f} to {max(ratios):.1f})")
        print(f"{'largest difference':30} {largest:7.1e} of full scale")


def compare_memory(options: argparse.Namespace, folder: Path) -> None:
    for size in options.sizes:
        where = folder / str(size), folder / "cache"
        copy_records(options.ptbxl, where[0], size)
        print(f"{size:6} records, packing  {alone(pack, *where)['memory']}")
        for num_workers in (0, 2):
            print(f"       epoch, {num_workers} workers  {alone(one_epoch, *where, num_workers)['memory']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("packing", compare_packing), ("epoch", compare_epochs), ("memory", compare_memory)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("ptbxl", type=Path, help="holds records500")
        if name == "memory":
            command.add_argument("sizes", type=int, nargs="+")
            continue
        if name == "epoch":
            command.add_argument("original", type=Path, help="a checkout of vlbthambawita/Pulse2Pulse")
        command.add_argument("--num-records", type=int, default={"packing": 4000, "epoch": 1000}[name])
        command.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options.run(options, Path(folder))


if __name__ == "__main__":
    logging.getLogger("ecggan").setLevel(logging.ERROR)  # the exclusions are printed at the end
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        print(json.dumps(ALONE[sys.argv[1]](*sys.argv[2:])), flush=True)
        time.sleep(0.2)  # so that the last peak is seen
    else:
        main()
