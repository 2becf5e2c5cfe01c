"""The table of a training, one row an epoch, that grows on when the training goes on."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.loggers.csv_logs import ExperimentWriter
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from ecggan.files.atomic import atomic_file


class CSVLog(CSVLogger):
    """``metrics.csv``, with each row on disk as soon as its epoch is over.

    Lightning's own logger keeps rows back and deletes an earlier table when it starts.

    Args:
        save_dir: of the run.
        name: of the folder in it.
    """

    def __init__(self, save_dir: str | Path, name: str) -> None:
        super().__init__(str(save_dir), name, version="", flush_logs_every_n_steps=1)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        super().log_metrics({name: int(value) if name == "epoch" else value for name, value in metrics.items()}, step)

    @rank_zero_only
    def resume(self, epochs: int, last_row: Mapping[str, float]) -> None:
        """Go on with the table that lies there, after a checkpoint.

        Args:
            epochs: that the checkpoint had reached; rows beyond are dropped, as they will be written again.
            last_row: of the last of them, written where a kill came between the checkpoint and its row.
        """
        writer = _Table(self.log_dir)
        writer.cut(epochs, last_row)
        self._experiment = writer


class _Table(ExperimentWriter):
    def _check_log_dir_exists(self) -> None:
        """Delete nothing."""

    def cut(self, epochs: int, last_row: Mapping[str, float]) -> None:
        path = Path(self.metrics_file_path)
        rows: list[Mapping[str, Any]] = []
        if path.exists():
            with path.open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < epochs]
        if last_row and not any(int(row["epoch"]) == epochs - 1 for row in rows):
            rows.append(last_row)
        if not rows:
            path.unlink(missing_ok=True)
            return
        self.metrics_keys = sorted(set().union(*rows))
        with atomic_file(path) as unfinished, unfinished.open("w", newline="") as file:
            table = csv.DictWriter(file, self.metrics_keys)
            table.writeheader()
            table.writerows(rows)
