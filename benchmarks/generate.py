"""Drawing ECGs from the published weights: ours against deepfake-ecg, whole processes, side by side.

python benchmarks/generate.py                 1,000 ECGs, three rounds, in turn
python benchmarks/generate.py 4000 1          4,000 ECGs, one round

deepfake-ecg writes one .asc file an ECG, its only output; ours writes an ECG set. The noise differs, the function does
not (tests/models/test_generators.py). Time is from start to end of the process, imports included.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def commands(count: int, folder: Path) -> dict[str, list[str]]:
    theirs = f"import deepfakeecg; deepfakeecg.generate({count}, {str(folder / 'theirs')!r})"
    (folder / "theirs").mkdir()
    ours = [f"num_records={count}", f"out={folder / 'ours'}"]
    return {
        "ecggan": [sys.executable, str(ROOT / "generate.py"), "checkpoint=published", *ours],
        "deepfake-ecg 1.1.2": [sys.executable, "-W", "ignore", "-c", theirs],
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


def main(count: int, rounds: int) -> None:
    figures: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in commands(count, Path(folder)).items():
                figures.setdefault(name, []).append(measure(command))
    print(f"{count} ECGs, median of {rounds}")
    medians = {}
    for name, runs in figures.items():
        medians[name] = statistics.median(seconds for seconds, _ in runs)
        print(f"{name:20} {medians[name]:7.1f} s   peak {max(memory for _, memory in runs):6.0f} MB")
    ours, theirs = medians.values()
    print(f"ratio                {theirs / ours:7.1f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
