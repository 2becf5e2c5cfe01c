"""What a run keeps in its folder, and by which names."""

from pathlib import Path

DISTANCE = "physiological_distance"


CURVE_FILE = "physiology.csv"


RUN_FILE = "run.json"


def generator_path(folder: Path, epoch: int) -> Path:
    """Where the generator of an epoch is kept."""
    return folder / f"generator_epoch_{epoch:04d}.pt"
