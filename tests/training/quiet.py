"""A trainer that trains and does nothing else."""

from typing import Any

import pytorch_lightning as pl


def quiet_trainer(**options: Any) -> pl.Trainer:
    """One epoch on the CPU, without logs, bars, summaries or Lightning's own checkpoints, but for the options given."""
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return pl.Trainer(**{"accelerator": "cpu", "max_epochs": 1} | quiet | options)
