"""The runs of a sweep as one table."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecggan import checks
from ecggan.jobs.base import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Gather the runs of a sweep as a table, with a picture of the distance against each parameter.

    Args:
        out: a new folder for the table.
        multirun: the folder of the sweep.
    """

    out: str | Path
    multirun: str | Path | None = None

    def __post_init__(self) -> None:
        checks.given("multirun", self.multirun, "multirun=SWEEP, the out= of a sweep of train.py")

    def run(self) -> "Result[pd.DataFrame]":
        """Write the table: a row a run.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: there is no run.
        """
        from ecggan.files.atomic import require_new_folder
        from ecggan.training.sweeps.table import sweep_table, write_sweep

        require_new_folder(self.out)
        table = sweep_table(str(self.multirun))
        folder = write_sweep(self.out, table)
        shown = table.to_string(index=False, float_format="{:.4g}".format, na_rep="")
        return Result(table, folder, f"{shown}\nSaved to {folder}")
