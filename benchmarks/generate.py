"""Drawing ECGs from the published weights: ours against deepfake-ecg, side by side.

python benchmarks/generate.py processes 2000 3   whole processes in turn: 2,000 ECGs, median of three rounds
python benchmarks/generate.py arithmetic         the generator alone, in this process, the published module at its best
python benchmarks/generate.py memory 1000 100000 peak memory of ours for sets of these sizes
python benchmarks/generate.py start              --help of the three commands, and a set of one ECG, whole processes
python benchmarks/generate.py resident           ecggan.Generator, one ECG after the other, by one thread

deepfake-ecg writes one .asc file an ECG, its only output; ours writes an ECG set, and .asc files from it. The noise
differs, the function does not. The time of a process is from start to end, imports included.
"""

import importlib.metadata
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
GENERATE = [sys.executable, str(ROOT / "generate.py"), "checkpoint=published"]
THEIRS = "deepfake-ecg 1.1.2, to .asc"
COMMANDS = ("train", "generate", "evaluate")
BATCH_SIZES = (1, 4, 16, 64, 128)
NUM_RECORDS = 512  # of a round of the arithmetic


def commands(count: int, folder: Path) -> dict[str, list[str]]:
    theirs = f"import deepfakeecg; deepfakeecg.generate({count}, {str(folder / 'theirs')!r})"
    (folder / "theirs").mkdir()
    return {
        "ecggan, to an ECG set": [*GENERATE, f"num_records={count}", f"out={folder / 'set'}"],
        "ecggan, to an ECG set and .asc": [*GENERATE, f"num_records={count}", f"out={folder / 'both'}", "export=asc"],
        THEIRS: [sys.executable, "-W", "ignore", "-c", theirs],
    }


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds, and the peak of memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024


def compare_processes(count: int, rounds: int) -> None:
    figures: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in commands(count, Path(folder)).items():
                figures.setdefault(name, []).append(measure(command))
    medians = {name: statistics.median(seconds for seconds, _ in runs) for name, runs in figures.items()}
    print(f"{count} ECGs, median of {rounds}")
    for name, runs in figures.items():
        memory = max(memory for _, memory in runs)
        print(f"{name:32} {medians[name]:7.1f} s {medians[THEIRS] / medians[name]:6.1f} x   peak {memory:6.0f} MB")


def compare_arithmetic(rounds: int = 5) -> None:
    import torch

    from ecggan.checkpoints.published import published_generator
    from ecggan.generation.sampler import BLOCK, _in_order
    from ecggan.models.layers import folded

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package calls a deprecated function
        from deepfakeecg import Generator

        theirs = Generator().eval()
    weights = importlib.metadata.distribution("deepfake-ecg").locate_file("deepfakeecg/checkpoints/g_stat.pt")
    theirs.load_state_dict(torch.load(str(weights), map_location="cpu")["stat_dict"])
    ours = folded(published_generator().network)
    noise = torch.rand(NUM_RECORDS, 8, 5000) * 2 - 1

    def draw_theirs(batch_size: int) -> torch.Tensor:
        with torch.inference_mode():
            return torch.cat([theirs(some) for some in noise.split(batch_size)])

    def draw_block(some: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return ours(some)

    def draw_ours() -> torch.Tensor:
        return torch.cat(list(_in_order(draw_block, noise.split(BLOCK))))

    def speed(draw: Callable[[], torch.Tensor]) -> float:
        start = time.perf_counter()
        draw()
        return NUM_RECORDS / (time.perf_counter() - start)

    draw_ours(), draw_theirs(16)
    ours_speeds: list[float] = []
    theirs_speeds: dict[int, list[float]] = {size: [] for size in BATCH_SIZES}
    for _ in range(rounds):
        ours_speeds.append(speed(draw_ours))
        for size in BATCH_SIZES:
            theirs_speeds[size].append(speed(lambda size=size: draw_theirs(size)))
    best = max(statistics.median(speeds) for speeds in theirs_speeds.values())
    for size, speeds in theirs_speeds.items():
        print(f"published module, {size:4} at once {statistics.median(speeds):7.0f} ECG/s")
    ratio = statistics.median(ours_speeds) / best
    print(f"ours, blocks of {BLOCK:4}             {statistics.median(ours_speeds):7.0f} ECG/s   {ratio:.2f} x")
    print(f"largest difference, of full scale: {(draw_ours() - draw_theirs(64)).abs().max():.1e}")


def measure_memory(*counts: int) -> None:
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            seconds, memory = measure([*GENERATE, f"num_records={count}", f"out={folder}/set"])
        print(f"{count:7} ECGs {seconds:7.1f} s   peak {memory:6.0f} MB")


def measure_start(rounds: int = 5) -> None:
    with tempfile.TemporaryDirectory() as folder:
        helps = {f"{name}.py --help": [sys.executable, str(ROOT / f"{name}.py"), "--help"] for name in COMMANDS}
        drawing = [*GENERATE, "num_records=1"]
        for name, command in {**helps, "a set of one ECG": drawing}.items():
            out = [[f"out={folder}/{i}"] if command is drawing else [] for i in range(rounds)]
            seconds = statistics.median(measure([*command, *out[i]])[0] for i in range(rounds))
            print(f"{name:24} {seconds:6.2f} s")


def measure_resident(count: int = 320) -> None:
    import ecggan

    generator = ecggan.Generator("published")
    generator.draw(0, 0)
    start = time.perf_counter()
    for k in range(count):
        generator.draw(1, k)
    print(f"ecggan.Generator, {count} ECGs one by one: {1000 * (time.perf_counter() - start) / count:.2f} ms an ECG")


if __name__ == "__main__":
    what = {
        "processes": compare_processes,
        "arithmetic": compare_arithmetic,
        "memory": measure_memory,
        "start": measure_start,
        "resident": measure_resident,
    }
    what[sys.argv[1] if len(sys.argv) > 1 else "arithmetic"](*map(int, sys.argv[2:]))
