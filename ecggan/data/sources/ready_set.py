"""A ready ECG set as a source."""

from pathlib import Path

from ecggan import checks
from ecggan.data.sets.cautions import log_cautions
from ecggan.data.sets.ecg_set import ECGSet


def ready_set(root: str | Path | None) -> ECGSet:
    """Open an ECG set and log what is doubtful about it.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: no folder is given, or its files do not agree.
    """
    checks.given("data.root", root, "data.root=FOLDER, that of an ECG set")
    ecgs = ECGSet.open(Path(str(root)))
    log_cautions(ecgs)
    return ecgs
