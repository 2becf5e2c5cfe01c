"""The one door to Weights & Biases."""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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
    """Log what evaluate.py wrote: the summary's numbers, the tables, the pictures and the page.

    Args:
        logger: of [wandb_logger][].
        report: the folder that holds report.html.
    """
    import wandb

    report = Path(report)
    summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    judgements = summary["judgements"]
    for name, judgement in judgements.items():
        logger.experiment.summary[f"{name}/verdict"] = judgement["verdict"] and judgement["verdict"]["headline"]
    shares = {name: facts["shares"] for name, facts in summary["sets"].items()}
    measurements = {name: judgement["measurements"] for name, judgement in judgements.items()}
    logger.log_metrics(dict(_numbers({"shares": shares, "measurements": measurements})))
    for path in sorted(report.glob("*.csv")) + sorted((report / "tables").glob("*.csv")):
        logger.log_table(path.stem, dataframe=pd.read_csv(path))
    for path in sorted((report / "pictures").glob("*.png")):
        logger.log_image(path.stem, [str(path)])
    logger.experiment.log({"report": wandb.Html((report / "report.html").read_text(encoding="utf-8"))})
    wandb.finish()


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """``{"a": {"b": 1}}`` -> ``a/b: 1``, numbers alone."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{name}/{key}" if name else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value
