"""The three commands on a machine that does something else too: how much slower are they beside busy processes?

python benchmarks/contended.py                   three rounds: quiet, beside one busy process, beside two
python benchmarks/contended.py 5 --spin 300000   five rounds; libgomp's own spin count, which ecggan shortens

Each round runs every command quiet and beside busy processes (`while True: pass`), in turn; what is printed is the
median time of a step, of a drawn and of a measured ECG, and its ratio to the quiet one. Start-up does not count. A fair
scheduler gives two threads on two cores two thirds of the machine beside one busy process (ratio 1.5, or 2 where they
wait for each other) and half beside two (ratio 2).
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
STEP = """
import time, torch, pytorch_lightning as pl
from benchmarks.train_step import Clock
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
OmegaConf.register_new_resolver("num_leads", len)
with initialize_config_dir({configs!r}, version_base="1.3"):
    config = compose("train", ["experiment=quickstart"])
gan = instantiate(config.model.gan, _convert_="all")
batch = torch.rand(config.batch_size, 8, 5000) * 0.2 - 0.1
clock = Clock()
trainer = pl.Trainer(accelerator="cpu", max_steps=-1, max_epochs=1, callbacks=[clock], logger=False,
    enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
trainer.fit(gan, torch.utils.data.DataLoader([batch] * 34, batch_size=None))
print(sum(clock.seconds[4:]) / 30)
"""
DRAW = """
import time, ecggan
ecggan.generate("published", num_records=16, seed=1, progress=False)
start = time.perf_counter()
ecggan.generate("published", num_records=256, seed=0, progress=False)
print((time.perf_counter() - start) / 256)
"""
MEASURE = """
import time, ecggan
ecgs = ecggan.generate("published", num_records=256, seed=0, progress=False)
ecggan.measure(ecgs.subset(slice(32)), progress=False)  # starts the workers
start = time.perf_counter()
ecggan.measure(ecgs, progress=False)
print((time.perf_counter() - start) / 256)
"""
COMMANDS = {
    "train: a step of experiment=quickstart": STEP.format(configs=str(ROOT / "configs")),
    "generate: an ECG": DRAW,
    "evaluate: measuring an ECG": MEASURE,
}


def seconds(code: str, num_busy: int, environment: dict[str, str]) -> float:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(num_busy)]
    try:
        command = [sys.executable, "-W", "ignore", "-c", "import ecggan\n" + code]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=3)
    parser.add_argument("--spin", help="GOMP_SPINCOUNT; left to ecggan by default")
    options = parser.parse_args()
    environment = {**os.environ} if options.spin is None else {**os.environ, "GOMP_SPINCOUNT": options.spin}
    times: dict[tuple[str, int], list[float]] = {(name, busy): [] for name in COMMANDS for busy in range(3)}
    for _ in range(options.rounds):
        for name, busy in times:
            times[name, busy].append(seconds(COMMANDS[name], busy, environment))
    print(
        f"GOMP_SPINCOUNT {options.spin or 'as ecggan sets it'}, {os.cpu_count()} cores, ms: quiet, one busy, two busy"
    )
    for name in COMMANDS:
        quiet, one, two = (statistics.median(times[name, busy]) for busy in range(3))
        all_rounds = "; ".join(" ".join(f"{1000 * t:.1f}" for t in times[name, busy]) for busy in range(3))
        ratios = f"x {one / quiet:.2f}, x {two / quiet:.2f}"
        print(f"{name:40} {1000 * quiet:7.1f} {1000 * one:7.1f} {1000 * two:7.1f}   {ratios}")
        print(f"{'':40} ({all_rounds})")


if __name__ == "__main__":
    main()
