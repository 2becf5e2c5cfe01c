"""What several tests share: where the real ECGs are, the paper's format, and an ECG whose every wave is known."""

import os
import shutil

# A test worker has one core: one thread, or those of several workers would wait for one another, and one process where
# a test does not ask for more. What a test starts inherits this; numpy and torch read it as they load.
os.environ["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", "1")
os.environ["LOKY_MAX_CPU_COUNT"] = os.environ.get("LOKY_MAX_CPU_COUNT", "1")

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import wfdb
from filelock import FileLock

from ecggan.ecg import EIGHT_LEADS, ECGFormat
from tests import runs
from tests.runs import SMALL, WHOLE, run, run_in_process
from tests.sizes import IS_FULL
from tests.synthetic import add_waves, ecg_of_known_intervals, varied_ecgs  # noqa: F401  fixtures

SHARED_DATA = Path(os.environ.get("ECGGAN_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))

WAVES = (  # of the eight leads
    (-0.16, 0.022, (0.08, 0.14, 0.06, 0.06, 0.06, 0.06, 0.06, 0.06)),  # P
    (-0.028, 0.008, (-0.05, -0.08, 0.0, 0.0, 0.0, -0.05, -0.08, -0.08)),  # Q
    (0.0, 0.010, (0.7, 1.1, 0.2, 0.4, 0.7, 1.4, 1.3, 1.1)),  # R
    (0.028, 0.009, (-0.1, -0.15, -0.8, -1.2, -0.7, -0.4, -0.2, -0.1)),  # S
    (0.26, 0.045, (0.2, 0.3, -0.05, 0.35, 0.4, 0.4, 0.35, 0.3)),  # T
)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what `make test-full` alone runs, and share out the rest.

    One worker runs a module, whose fixtures are built once, but for modules whose tests are marked as `independent`.

    Modules that share what is costly to start name their group themselves.

    What is slow begins first, or one worker would be busy with it when the others have ended.
    """
    left_out = [item for item in items if item.get_closest_marker("full") is not None and not IS_FULL]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    num_slow: Counter[str] = Counter()
    for item in items:
        is_independent = item.get_closest_marker("independent") is not None
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid if is_independent else item.nodeid.split("::")[0]))
        num_slow[_group(item)] += item.get_closest_marker("slow") is not None
    items.sort(key=lambda item: -num_slow[_group(item)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A slow test has the package as users have it, where shapes and types are not checked at every call."""
    is_slow = any(item.get_closest_marker(name) is not None for name in ("slow", "full"))
    with runs.unchecked() if is_slow else nullcontext():
        return (yield)


def _group(item: pytest.Item) -> str:
    mark = item.get_closest_marker("xdist_group")
    assert mark is not None
    return mark.args[0]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real ECGs; a test that asks for it is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real ECGs at {SHARED_DATA}; set $ECGGAN_SHARED_DATA to their folder")
    return SHARED_DATA


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of small inputs that once failed, each with its right value; skipped where it is absent."""
    cases = SHARED_DATA.parent / "cases"
    if not cases.is_dir():
        pytest.skip(f"no inputs at {cases}; set $ECGGAN_SHARED_DATA to the folder of real ECGs beside it")
    return cases


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Fill a folder once for all workers; whoever is later waits. It is not to be written to."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def once(name: str, fill: Callable[[Path], None]) -> Path:
        folder, filled = shared / name, shared / f"{name}.filled"
        with FileLock(shared / f"{name}.lock"):
            if not filled.exists():
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return once


@pytest.fixture
def trained(once: Callable[[str, Callable[[Path], None]], Path], tmp_path: Path) -> Path:
    """A folder of one's own in which `train.py` has left a tiny run called `run`, and its packed ECGs."""

    def train(folder: Path) -> None:
        done = run("train", *SMALL, "out=run", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "Saved to run" in done.stdout

    return shutil.copytree(once("trained", train), tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def whole(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A run of 8 epochs of 3 steps that nothing has stopped; to be looked at alone."""

    def train(folder: Path) -> None:
        done = run_in_process("train", *WHOLE, "out=whole", cwd=folder)
        assert done.returncode == 0, done.stderr

    return once("whole_run", train) / "whole"


@pytest.fixture
def unchecked() -> Iterator[None]:
    """For simulations, which call one function hundreds of times: its shapes are checked by the other tests."""
    with runs.unchecked():
        yield


@pytest.fixture(scope="session")
def paper_format() -> ECGFormat:
    return ECGFormat(EIGHT_LEADS, sampling_rate=500, num_samples=5000, full_scale_mv=6.0)


@pytest.fixture(scope="session")
def known_ecg() -> Callable[..., np.ndarray]:
    """Make normal ECGs as sums of Gaussian waves: ``(record, 8 leads, time)`` in mV, in the order of EIGHT_LEADS.

    The first R-peak is at 0.4 s. Noise and a spread of 2 % in the rate make the records differ.
    """

    def make(
        num_records: int = 1,
        heart_rate_bpm: float = 70.0,
        sampling_rate: int = 500,
        num_samples: int = 5000,
        noise_mv: float = 0.005,
        seed: int = 0,
    ) -> np.ndarray:
        records = np.zeros((num_records, len(EIGHT_LEADS), num_samples))
        for i in range(num_records):
            rng = np.random.default_rng((seed, i))  # a record does not depend on how many there are
            records[i] = rng.normal(0, noise_mv, records[i].shape)
            period = 60 / heart_rate_bpm * rng.uniform(0.98, 1.02)
            add_waves(records[i], sampling_rate, np.arange(0.4, (num_samples - 1) / sampling_rate, period), WAVES)
        return records

    return make


@pytest.fixture(scope="session")
def write_wfdb() -> Callable[..., Path]:
    """Write one ``(lead, time)`` in mV as a WFDB record of integer µV; gives the path of its header."""

    def write(
        folder: Path,
        name: str,
        millivolts: np.ndarray,
        leads: tuple[str, ...] = EIGHT_LEADS,
        sampling_rate: float = 500,
        unit: str = "mV",
        gain: float = 1000.0,
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        digital = np.where(np.isfinite(millivolts), np.rint(millivolts * 1000), -32768).astype(np.int64)
        wfdb.wrsamp(
            name,
            fs=sampling_rate,
            units=[unit] * len(leads),
            sig_name=list(leads),
            d_signal=digital.T,
            fmt=["16"] * len(leads),
            adc_gain=[gain] * len(leads),
            baseline=[0] * len(leads),
            write_dir=str(folder),
        )
        return folder / f"{name}.hea"

    return write
