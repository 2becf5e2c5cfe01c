"""What the generator's ECGs look like to the measurements while it learns, and which epoch's are nearest to real ones.

Training knows nothing of measuring: what compares two ECG sets is given to the callback by whoever builds it.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from ecggan.data.sets.ecg_set import ECGSet, new_manifest
from ecggan.files.atomic import atomic_file
from ecggan.run_folder import CURVE_FILE, DISTANCE, generator_path
from ecggan.stats.resampling import evenly_spaced
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.wgan_gp import WGANGP

log = logging.getLogger(__name__)


Compare = Callable[[ECGSet, ECGSet], Mapping[str, int | float]]


class Physiology(Callback):
    """Compares ECGs of the generator's moving average with real ones every so many epochs, and at the end.

    The figures are logged, and written to ``physiology.csv``, a row an epoch: generate.py takes the epoch of the
    smallest distance. The noise is the same each time, so that the generator alone makes the difference.

    Args:
        compare: real and generated set -> figures, among them ``physiological_distance``, lower being better.
        folder: where the generators are kept.
        every_n_epochs: how often; as often as they are kept.
        num_records: ECGs to draw, and real ones to compare with, at most: of the validation split, or of the training
            records where there is none.
        seed: of the noise.
        keep_best: how many generators to keep beside the last, those of the smallest distances; None for all.
    """

    def __init__(
        self,
        compare: Compare,
        folder: str | Path,
        every_n_epochs: int,
        num_records: int,
        seed: int,
        keep_best: int | None = None,
    ) -> None:
        for name, number in (("num_records", num_records), ("keep_best", keep_best)):
            if number is not None and number < 1:
                raise ValueError(f"callbacks.physiology.{name} must be at least 1; got {number}")
        self.keep_best = keep_best
        self.compare = compare
        self.path = Path(folder) / CURVE_FILE
        self.every_n_epochs = every_n_epochs
        self.num_records = num_records
        self.seed = seed
        self.rows: list[dict[str, int | float]] = []
        self._real: ECGSet | None = None

    @property
    def best(self) -> dict[str, int | float] | None:
        """The row of the epoch whose ECGs were nearest; None before the first was looked at."""
        return min(self.rows or self._kept(), key=lambda row: row[DISTANCE], default=None)

    def _kept(self) -> list[dict[str, int | float]]:
        """What a training that goes on in its folder, or is complete, had written there."""
        if not self.path.is_file():
            return []
        return [{str(k): v for k, v in row.items()} for row in pd.read_csv(self.path).to_dict("records")]

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find out now, and not after hours, whether there is anything to compare with.

        Raises:
            ValueError: none of the real ECGs can be measured.
        """
        if trainer.is_global_zero:
            data = cast(ECGDataModule, trainer.datamodule)  # type: ignore[attr-defined]  # of every trainer that fits
            reference = data.reference()
            self._real = reference.subset(evenly_spaced(len(reference), self.num_records))
            try:
                self.compare(self._real, self._real.subset([0]))
            except ValueError as error:
                raise ValueError(f"{error}; leave this out with ~callbacks.physiology") from error

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.rows = [row for row in self._kept() if row["epoch"] <= trainer.current_epoch]

    def is_due(self, trainer: pl.Trainer) -> bool:
        """Whether it looks at the epoch that ends."""
        epoch = trainer.current_epoch + 1
        return epoch % self.every_n_epochs == 0 or epoch == trainer.max_epochs

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if not (trainer.is_global_zero and self.is_due(trainer)):
            return
        assert self._real is not None
        module = cast(WGANGP, pl_module)
        microvolts = module.draw_microvolts(self.num_records, self.seed)
        ecg = module.ecg
        made_by = {"how": "drawn in training", "epoch": epoch, "seed": self.seed}
        manifest = new_manifest(ecg.leads, ecg.sampling_rate, ecg.num_samples, "generated", made_by)
        names = [{"record": str(i)} for i in range(len(microvolts))]
        figures = self.compare(self._real, ECGSet.in_memory(microvolts, names, manifest))
        module.log_dict({k: v for k, v in figures.items() if np.isfinite(v)}, rank_zero_only=True)
        self.rows.append({"epoch": epoch, **figures})
        with atomic_file(self.path) as file:
            pd.DataFrame(self.rows).to_csv(file, index=False)
        self._remove_all_but_the_best()
        best = cast(dict[str, int | float], self.best)
        log.info(
            "epoch %d: %.1f %% measurable, %.1f %% normal, physiological distance %.3f (best %.3f, epoch %d)",
            epoch,
            100 * figures["share_measurable"],
            100 * figures["share_normal"],
            figures[DISTANCE],
            best[DISTANCE],
            best["epoch"],
        )

    def _remove_all_but_the_best(self) -> None:
        if self.keep_best is None:
            return
        ranked = sorted(self.rows, key=lambda row: row[DISTANCE])
        for row in ranked[self.keep_best :]:
            generator_path(self.path.parent, int(row["epoch"])).unlink(missing_ok=True)


def find_physiology_callback(trainer: pl.Trainer) -> Physiology | None:
    """What looks at the ECGs of a training; None where nothing does."""
    found = (each for each in trainer.callbacks if isinstance(each, Physiology))  # type: ignore[attr-defined]
    return next(found, None)
