"""The one door to Weights & Biases."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from pytorch_lightning.loggers import WandbLogger

log = logging.getLogger(__name__)


def wandb_logger(project: str, name: str, folder: str | Path, tags: Sequence[str]) -> WandbLogger:
    """Log to W&B: online where the user is logged in, else offline, so that nothing asks for an account.

    WANDB_MODE decides where it is set. An offline run is sent later with ``wandb sync``.

    Args:
        project: on W&B.
        name: of the run.
        folder: where W&B keeps its files.
        tags: of the run.
    """
    import wandb

    Path(folder).mkdir(parents=True, exist_ok=True)
    offline = "WANDB_MODE" not in os.environ and not wandb.login(prompt=False, verify=False)
    if offline:
        log.info("not logged in to W&B: logging offline to %s; send it later with: wandb sync", folder)
    # Given as `mode`: Lightning's own `offline` sets an environment variable, which wandb has read by then.
    mode = "offline" if offline else None
    return WandbLogger(name=name, save_dir=str(folder), project=project, tags=list(tags), mode=mode)
