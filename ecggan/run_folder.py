"""The folder of a training run: where each file is, and which epoch's generator is the best."""

import json
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

DISTANCE = "physiological_distance"
SCORE = "checkpoint_score"
"""What a checkpoint is chosen by, the smallest being the best; the distance in tables without it."""


def as_folder(path: str | Path) -> str:
    """A folder's path that is no word: ``published`` and ``ptbxl`` are generators, ``./ptbxl`` is a folder.

    >>> as_folder("ptbxl"), as_folder("runs/1")
    ('./ptbxl', 'runs/1')
    """
    text = str(path)
    return text if "/" in text or os.sep in text else f"./{text}"


@dataclass(frozen=True)
class RunFolder:
    """Paths and contents of one run's folder; nothing need be there yet.

    Attributes:
        path: the run's ``out=``; of a sweep's run, its subfolder.
    """

    path: Path

    def __init__(self, path: str | Path) -> None:
        object.__setattr__(self, "path", Path(path))

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def last_checkpoint(self) -> Path:
        """Both networks and their optimizers, from which training resumes."""
        return self.checkpoints / "last.ckpt"

    @property
    def curve_path(self) -> Path:
        """Physiology of the generated ECGs, a row an epoch."""
        return self.checkpoints / "physiology.csv"

    @property
    def metrics_path(self) -> Path:
        """Losses, a row an epoch."""
        return self.path / "logs" / "metrics.csv"

    @property
    def record_path(self) -> Path:
        """Code, data, devices and end of each start of the run."""
        return self.path / "run.json"

    def generator_path(self, epoch: int) -> Path:
        return self.checkpoints / f"generator_epoch_{epoch:04d}.pt"

    @property
    def unfinished_generator_path(self) -> Path:
        """The generator of a training that was stopped within an epoch, which it has no number of."""
        return self.checkpoints / "generator_unfinished.pt"

    def epochs(self) -> list[int]:
        """The epochs, counted from 1, whose generators are kept; in order."""
        return sorted(self._generator_files())

    def generators(self) -> dict[int, Path]:
        """The generator files by epoch.

        Raises:
            FileNotFoundError: there is none.
        """
        files = self._generator_files()
        if not files and self.unfinished_generator_path.exists():
            raise FileNotFoundError(f"{self.path} has no generator of a whole epoch yet; resume its training")
        if not files:
            raise FileNotFoundError(
                f"{self.path} is not the folder of a training run: there is no checkpoints/generator_epoch_*.pt in it"
            )
        return dict(sorted(files.items()))

    def generator(self, epoch: int | str = "best") -> Path:
        """The generator file of an epoch.

        Args:
            epoch: a number, "last", or "best": the smallest checkpoint score among the generators kept; the last if no
                score is known. If none is of a whole epoch, "last" and "best" are that of a training that was stopped
                within one.

        Raises:
            FileNotFoundError: there is no generator.
            ValueError: this epoch has none, or the curve is damaged.
        """
        if epoch in ("best", "last") and not self.epochs() and self.unfinished_generator_path.exists():
            log.info("no epoch of %s was finished: the generator is that of a training stopped within one", self.path)
            return self.unfinished_generator_path
        found = self.generators()
        if epoch == "best":
            try:
                best = self.best_epoch()
            except ValueError as error:
                raise ValueError(f"{error}; choose epoch=last or a number") from error
            if best is None:
                log.info("no generator kept in %s was compared with real ECGs: the last is taken", self.path)
                epoch = "last"
            else:
                log.info("epoch %d is the best by its checkpoint score", best)
                epoch = best
        if epoch == "last":
            return found[max(found)]
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch not in found:
            raise ValueError(
                f"epoch must be best, last, or one that {self.path} has kept ({', '.join(map(str, found))}); "
                f"got {epoch}"
            )
        return found[epoch]

    def best_epoch(self) -> int | None:
        """The epoch of the smallest checkpoint score among the generators kept; None if no score is known.

        Raises:
            ValueError: the curve is damaged.
        """
        curve = self.curve()
        best = best_row(curve[curve["epoch"].isin(self.epochs())])
        return None if best is None else best["epoch"]

    def curve(self) -> "pd.DataFrame":
        """``physiology.csv``; without rows if the run has none yet.

        Raises:
            ValueError: the file is damaged.
        """
        import pandas as pd

        if not self.curve_path.is_file():
            return pd.DataFrame({"epoch": pd.Series(dtype=int), DISTANCE: pd.Series(dtype=float)})
        try:
            return pd.read_csv(self.curve_path, float_precision="round_trip").astype({"epoch": int, DISTANCE: float})
        except (ValueError, KeyError) as error:
            raise ValueError(f"{self.curve_path} is damaged ({error})") from error

    def metrics(self) -> "pd.DataFrame":
        """``logs/metrics.csv``.

        Raises:
            FileNotFoundError: the run has logged no epoch.
        """
        import pandas as pd

        return pd.read_csv(self.metrics_path)

    def _generator_files(self) -> dict[int, Path]:
        files = self.checkpoints.glob("generator_epoch_*.pt")
        return {int(match[1]): file for file in files if (match := re.fullmatch(r"generator_epoch_(\d+)", file.stem))}

    def starts(self) -> list[dict[str, Any]]:
        """The record of each start in ``run.json``; empty if the run has not begun."""
        if not self.record_path.exists():
            return []
        return json.loads(self.record_path.read_text(encoding="utf-8"))["starts"]


def best_row(curve: "pd.DataFrame") -> dict[str, Any] | None:
    """The row of the smallest checkpoint score; None if every score is missing."""
    scores = checkpoint_scores(curve)
    if not scores.notna().any():
        return None
    (row,) = curve.loc[[scores.idxmin()]].to_dict("records")
    return {str(name): value for name, value in row.items()}


def checkpoint_scores(curve: "pd.DataFrame") -> "pd.Series":
    """The score of each row of a run's curve: the physiological distance where the row has no other."""
    return curve[SCORE].fillna(curve[DISTANCE]) if SCORE in curve else curve[DISTANCE]
