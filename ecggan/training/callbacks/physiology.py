"""Physiology of generated ECGs while training: how near each epoch's ECGs are to real ones.

Training does not import measuring: the function that compares two ECG sets is an argument.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import new_manifest
from ecggan.files.atomic import atomic_file
from ecggan.run_folder import DISTANCE, RunFolder, best_row, checkpoint_scores
from ecggan.stats.resampling import evenly_spaced
from ecggan.training.callbacks.schedule import is_due
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.wgan_gp import WGANGP

log = logging.getLogger(__name__)


Compare = Callable[[ECGSet, ECGSet, ECGSet | None], Mapping[str, int | float]]


class Physiology(Callback):
    """Compares ECGs of the generator's moving average with real ones every so many epochs, and at the end.

    The figures are logged and written to ``physiology.csv``, a row an epoch; generate.py takes the epoch of the
    smallest score, see [checkpoint_scores][ecggan.run_folder.checkpoint_scores]. The noise is the same each time, so
    only the generator makes the difference.

    Args:
        compare: real, generated and training set -> figures, among them ``physiological_distance``, lower being
            better. The training set is None where it is the real set too.
        folder: of the run.
        every_n_epochs: how often; as often as generators are kept.
        num_records: ECGs to draw, and at most so many real ones to compare with: of the validation split, or of the
            training records if there is none.
        seed: of the noise.
        keep_best: how many generators to keep beside the last, those of the smallest scores; None for all.
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
        checks.whole_number("callbacks.physiology.num_records", num_records, at_least=1)
        checks.whole_number("callbacks.physiology.keep_best", keep_best, at_least=1, or_null=True)
        self.keep_best = keep_best
        self.compare = compare
        self.run = RunFolder(folder)
        self.every_n_epochs = every_n_epochs
        self.num_records = num_records
        self.seed = seed
        self.rows: list[dict[str, int | float]] = []
        self._real: ECGSet | None = None
        self._training: ECGSet | None = None

    @property
    def best(self) -> dict[str, Any] | None:
        """The row of the smallest score, this start's or an earlier one's; None if there is none yet."""
        return best_row(pd.DataFrame(self.rows) if self.rows else self.run.curve())

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find out now, and not after hours, whether the real ECGs can be measured.

        Raises:
            ValueError: none of the real ECGs can be measured.
        """
        if trainer.is_global_zero:
            data = cast(ECGDataModule, trainer.datamodule)  # type: ignore[attr-defined]  # of every trainer that fits
            reference = data.reference()
            self._real = reference.subset(evenly_spaced(len(reference), self.num_records))
            self._training = None if data.validation is None else data.train
            try:
                self.compare(self._real, self._real.subset([0]), None)
            except ValueError as error:
                raise ValueError(f"{error}; leave this out with ~callbacks.physiology") from error

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        curve = self.run.curve()
        self.rows = [
            {str(name): value for name, value in row.items()}
            for row in curve[curve["epoch"] <= trainer.current_epoch].to_dict("records")
        ]

    def is_due(self, trainer: pl.Trainer) -> bool:
        """Whether the epoch that ends is compared."""
        return is_due(trainer, self.every_n_epochs)

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
        figures = self.compare(self._real, ECGSet.in_memory(microvolts, names, manifest), self._training)
        module.log_dict({k: v for k, v in figures.items() if np.isfinite(v)}, rank_zero_only=True)
        self.rows.append({"epoch": epoch, **figures})
        with atomic_file(self.run.curve_path) as file:
            pd.DataFrame(self.rows).to_csv(file, index=False)
        self._remove_all_but_the_best()
        self._log_epoch(epoch, figures)

    def _log_epoch(self, epoch: int, figures: Mapping[str, int | float]) -> None:
        best = self.best
        log.info(
            "epoch %d: %.1f %% measurable, %.1f %% normal, physiological distance %.3f%s",
            epoch,
            100 * figures["share_measurable"],
            100 * figures["share_normal"],
            figures[DISTANCE],
            "" if best is None else f" (best epoch {best['epoch']}: {best[DISTANCE]:.3f})",
        )

    def _remove_all_but_the_best(self) -> None:
        if self.keep_best is None:
            return
        rows = pd.DataFrame(self.rows)
        ranked = rows["epoch"].loc[checkpoint_scores(rows).sort_values(kind="stable").index]
        for epoch in ranked[self.keep_best :]:
            self.run.generator_path(epoch).unlink(missing_ok=True)


def find_physiology_callback(trainer: pl.Trainer) -> Physiology | None:
    """The trainer's Physiology callback, or None."""
    found = (each for each in trainer.callbacks if isinstance(each, Physiology))  # type: ignore[attr-defined]
    return next(found, None)
