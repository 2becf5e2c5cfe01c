"""How fast the page starts and answers, and what it takes: `python benchmarks/page.py` (needs an installed Chromium).

Times are from outside: from the start of the command to its address, and in the browser from the click on "Draw" to the
drawn paper, a new seed each time. Then 50 ECGs of 50 seeds are asked for at once. Memory is that of all its processes.
"""

import shutil
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

NUM_STARTS, NUM_CLICKS, NUM_AT_ONCE, NUM_ROUNDS = 5, 20, 50, 4
CLICK = """() => new Promise((done) => {
  const begun = performance.now();
  new MutationObserver((_, watcher) => {
    watcher.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
  }).observe(document.querySelector(".paper"), { childList: true });
  document.querySelector("[data-do=draw]").click();
})"""


def main() -> None:
    starts = []
    for _ in range(NUM_STARTS):
        begun = time.perf_counter()
        page = subprocess.Popen([sys.executable, "-m", "ecggan.page", "port=0"], stdout=subprocess.PIPE, text=True)
        assert page.stdout is not None
        address = page.stdout.readline().strip()
        starts.append(time.perf_counter() - begun)
        if len(starts) < NUM_STARTS:
            page.terminate()
            page.wait()
    print(f"start to address: median {statistics.median(starts):.1f} s, of {NUM_STARTS}: {_list(starts)}")
    time.sleep(3)  # the second process may still open its generator
    clicks = time_clicks(address)
    first, others = clicks[0], sorted(clicks[1:])
    later = f"median {statistics.median(others):.0f}, slowest {others[-1]:.0f}"
    print(f"click to drawn paper: first {first:.0f} ms; then {later}")
    print(f"memory: {memory_mb(page.pid):.0f} MB")
    for number in range(NUM_ROUNDS):
        begun = time.perf_counter()
        seeds = range(number * NUM_AT_ONCE, (number + 1) * NUM_AT_ONCE)
        with ThreadPoolExecutor(NUM_AT_ONCE) as users:
            answers = list(
                users.map(lambda seed: requests.get(f"{address}api/ecg?seed={seed}", timeout=120).status_code, seeds)
            )
        took = time.perf_counter() - begun
        answered = f"{answers.count(200)} of {NUM_AT_ONCE} at once answered in {took:.1f} s"
        print(f"{answered}; memory {memory_mb(page.pid):.0f} MB")
    page.terminate()
    page.wait()


def time_clicks(address: str) -> list[float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(address)
        tab.wait_for_selector(".paper svg")
        found = [float(tab.evaluate(CLICK)) for _ in range(NUM_CLICKS)]
        browser.close()
    return found


def memory_mb(pid: int) -> float:
    """Of a process and all that it started; what they share is counted once (PSS)."""
    family, total = [pid], 0
    for each in family:
        for task in Path(f"/proc/{each}/task").iterdir():
            family += [int(child) for child in (task / "children").read_text().split()]
        lines = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _list(seconds: list[float]) -> str:
    return ", ".join(f"{each:.1f}" for each in seconds)


if __name__ == "__main__":
    main()
