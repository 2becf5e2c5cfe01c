"""The table of a training, ``metrics.csv``: one row an epoch, continued when the training resumes.

Lightning's CSVLogger keeps rows back and deletes an earlier table when it starts; neither can be switched off.
"""

import csv
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.core.saving import save_hparams_to_yaml
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from ecggan.files.atomic import atomic_file


class CSVLog(Logger):
    """Writes each row of ``metrics.csv`` as soon as its epoch ends, and ``hparams.yaml``.

    Args:
        save_dir: of the run.
        name: of the folder in it.
    """

    def __init__(self, save_dir: str | Path, name: str) -> None:
        super().__init__()
        self._save_dir, self._name = Path(save_dir), name
        self._columns: list[str] = []  # of the table on disk; empty before the first row

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str:
        return ""

    @property
    def save_dir(self) -> str:
        return str(self._save_dir)

    @property
    def log_dir(self) -> str:
        return str(self._save_dir / self._name)

    @property
    def _table(self) -> Path:
        return Path(self.log_dir) / "metrics.csv"

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        save_hparams_to_yaml(Path(self.log_dir) / "hparams.yaml", params)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Append a row; the first row of a training that was not resumed starts the table anew."""
        row = {name: int(value) if name == "epoch" else value for name, value in metrics.items()} | {"step": step}
        if not row.keys() <= set(self._columns):
            rows = _rows(self._table) if self._columns else []
            self._write([*rows, row])
            return
        with self._table.open("a", newline="") as file:
            csv.DictWriter(file, self._columns).writerow(row)

    @rank_zero_only
    def resume(self, epochs: int, last_row: Mapping[str, float]) -> None:
        """Continue the table on disk after a checkpoint.

        Args:
            epochs: completed at the checkpoint; later rows are dropped, as they will be written again.
            last_row: of the last of them, written if a kill came between the checkpoint and its row.
        """
        rows: list[Mapping[str, Any]] = [row for row in _rows(self._table) if int(row["epoch"]) < epochs]
        if last_row and not any(int(row["epoch"]) == epochs - 1 for row in rows):
            rows.append(last_row)
        if rows:
            self._write(rows)
        else:
            self._table.unlink(missing_ok=True)

    def _write(self, rows: list[Mapping[str, Any]]) -> None:
        self._columns = sorted(set().union(*rows))
        with atomic_file(self._table) as unfinished, unfinished.open("w", newline="") as file:
            table = csv.DictWriter(file, self._columns)
            table.writeheader()
            table.writerows(rows)


def _rows(path: Path) -> list[Mapping[str, Any]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
