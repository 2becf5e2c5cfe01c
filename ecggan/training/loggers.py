"""The one door to Weights & Biases."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
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


def log_report(logger: WandbLogger, report: str | Path) -> None:
    """Log what evaluate.py wrote: the verdicts, shares and distances, the tables, the pictures and the page.

    Args:
        logger: of [wandb_logger][].
        report: the folder that holds report.html.
    """
    import wandb

    report = Path(report)
    summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    numbers = {
        f"share_{what}/{name}": share["value"]
        for name, facts in summary["sets"].items()
        for what, share in facts["shares"].items()
    }
    for name, judgement in summary["judgements"].items():
        for what in ("verdict", "variety", "privacy"):
            logger.experiment.summary[f"{what}/{name}"] = judgement[what] and judgement[what]["headline"]
        for measurement, row in (judgement["measurements"] or {}).items():
            numbers |= {f"{kind}/{name}/{measurement}": row[kind] for kind in ("difference", "wasserstein_distance")}
    logger.log_metrics({name: number for name, number in numbers.items() if number is not None})
    for path in sorted(report.glob("*.csv")) + sorted((report / "tables").glob("*.csv")):
        logger.log_table(path.stem, dataframe=pd.read_csv(path))
    for path in sorted((report / "pictures").glob("*.png")):
        logger.log_image(path.stem, [str(path)])
    logger.experiment.log({"report": wandb.Html((report / "report.html").read_text(encoding="utf-8"))})
    wandb.finish()
