"""A logger of a small run."""

from pathlib import Path

from ecggan.tracking.wandb_logger import WandbLog


def logger(folder: str | Path, **changes) -> WandbLog:
    options = {
        "project": "ecgs",
        "entity": None,
        "group": None,
        "job_type": "train",
        "name": "small",
        "tags": ["pulse2pulse", "deepfake", None, "deepfake"],
        "folder": folder,
        "checkpoints": False,
        "start_timeout_s": 1,
        "finish_timeout_s": 2,
        "hydra_mode": "RunMode.RUN",
        "sweep_folder": "unused",
    }
    return WandbLog(**options | changes)
