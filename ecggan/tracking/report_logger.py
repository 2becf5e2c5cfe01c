"""A report on W&B: its figures, tables, pictures and page as one row of a run."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ecggan.tracking.wandb_logger import WandbLog


def log_report(logger: WandbLog, report: str | Path, config: Any) -> None:
    """Log the verdicts, shares, distances, tables, pictures and page of a report, and end the W&B run.

    Args:
        logger: of the evaluation.
        report: the folder with report.html.
        config: of the evaluation.
    """
    import wandb

    report = Path(report)
    summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    numbers = {
        f"share_{what}/{name}": share["value"]
        for name, facts in summary["sets"].items()
        for what, share in facts["shares"].items()
    }
    logger.log_hyperparams(config)
    headlines = {}
    for name, evaluation in summary["judgements"].items():
        for what in ("verdict", "variety", "privacy", "utility"):
            headlines[f"{what}/{name}"] = evaluation[what] and evaluation[what]["headline"]
        for measurement, row in (evaluation["measurements"] or {}).items():
            numbers |= {f"{kind}/{name}/{measurement}": row[kind] for kind in ("difference", "wasserstein_distance")}
    logged: dict[str, Any] = {name: number for name, number in numbers.items() if number is not None}
    for path in sorted(report.glob("*.csv")) + sorted((report / "tables").glob("*.csv")):
        logged[path.stem] = wandb.Table(dataframe=pd.read_csv(path))
    for path in sorted((report / "pictures").glob("*.png")):
        logged[path.stem] = wandb.Image(str(path))
    logged["report"] = wandb.Html((report / "report.html").read_text(encoding="utf-8"))
    logger.log_metrics(logged)
    logger.log_summary(headlines)
    logger.finalize("success")
