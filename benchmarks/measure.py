"""Measuring ECGs: ours against ecgen-eval's feature extraction with neurokit2, side by side; and how ours scales.

pip install --no-deps ecgen-eval==0.5.0 plotly narwhals dtaidistance
python benchmarks/measure.py                  60 ECGs against the peer, then 1,000 and 4,000 in 1 and 2 processes
python benchmarks/measure.py 200 2000 8000

The ECGs are drawn from the published weights. The peer delineates one lead and takes T and ST from the others; ours
measures every wave in twelve leads. Both run in this process on one thread, in turn, 15 ECGs at a time.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import ecggan
from ecggan.measurement.measure_record import measure_record

AT_A_TIME = 15
SCALE = """
import re, sys, time, ecggan
ecgs = ecggan.ECGSet.open(sys.argv[1], check_hashes=False).subset(slice(int(sys.argv[2])))
ecggan.measure(ecgs.subset(slice(64)), num_workers=int(sys.argv[3]), progress=False)  # starts the workers
start = time.perf_counter()
ecggan.measure(ecgs, num_workers=int(sys.argv[3]), progress=False)
seconds = time.perf_counter() - start
print(seconds, int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""


def peer(leads: tuple[str, ...]) -> Callable[[np.ndarray], object]:
    try:
        from ecgen_eval.data.dataset import ECGDataset
        from ecgen_eval.features.extractor import FeatureExtractor
    except ImportError as error:
        raise SystemExit(f"{error}; install the peer: see the head of {__file__}") from error
    extractor = FeatureExtractor()
    return lambda ecgs: extractor.extract(ECGDataset(ecgs, list(leads), 500, Path(), "generated"))


def seconds(run: Callable[[np.ndarray], object], ecgs: np.ndarray) -> float:
    start = time.perf_counter()
    run(ecgs)
    return time.perf_counter() - start


def against_peer(ecgs: ecggan.ECGSet) -> None:
    millivolts = ecgs.millivolts()
    runs = {
        "ecggan": lambda some: [measure_record(ecg, ecgs.leads, ecgs.sampling_rate) for ecg in some],
        "ecgen-eval 0.5.0": peer(ecgs.leads),
    }
    for run in runs.values():
        run(millivolts[:2])
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for start in range(0, len(millivolts), AT_A_TIME):
        some = millivolts[start : start + AT_A_TIME]
        for name, run in runs.items():
            taken[name].append(1000 * seconds(run, some) / len(some))
    for name, ms in taken.items():
        print(f"{name:20} {statistics.median(ms):7.1f} ms an ECG")
    ratios = [theirs / ours for ours, theirs in zip(*taken.values(), strict=True)]
    print(f"ratio                {statistics.median(ratios):7.1f} x  ({min(ratios):.1f} to {max(ratios):.1f})")


def scaling(folder: Path, counts: list[int]) -> None:
    for count in counts:
        rates = []
        for workers in (1, 2):
            command = [sys.executable, "-c", SCALE, str(folder), str(count), str(workers)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            taken, memory = map(float, out.split())
            rates.append(count / taken)
            print(f"{count:6} ECGs, {workers} processes: {taken:6.1f} s, {rates[-1]:5.0f} a second")
            print(f"       at most {memory:.0f} MB in the first of them")
        print(f"       two processes are {rates[1] / rates[0]:.2f} x as fast as one")


def main(num_against: int, counts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ecgs = ecggan.generate("published", num_records=max(num_against, *counts), seed=0, out=f"{folder}/set")
        against_peer(ecgs.subset(slice(num_against)))
        scaling(Path(folder) / "set", counts)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(arguments[0] if arguments else 60, arguments[1:] or [1000, 4000])
