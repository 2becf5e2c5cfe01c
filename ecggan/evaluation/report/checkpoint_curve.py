"""The checkpoint curve of a run: share normal and physiological distance, epoch by epoch."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.comparison.physiological_distance import physiology_of_tables
from ecggan.files.atomic import atomic_folder
from ecggan.measurement.delineation_choice import DELINEATION_COLUMN, MEDIAN_BEAT
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen, share_normal
from ecggan.plotting import plot_epochs, save_figure


def write_curve(
    out: str | Path,
    real: ECGSet,
    checkpoints: Iterable[tuple[int, ECGSet]],
    num_workers: int | None = None,
    cache: str | Path | None = None,
    delineation: str = MEDIAN_BEAT,
) -> pd.DataFrame:
    """Compare the ECGs of each checkpoint with real ECGs: the paper chose its checkpoint by such a curve.

    Args:
        out: a new folder for ``epochs.csv`` and the curve as PNG, PDF and SVG; it appears whole or not at all.
        real: the reference.
        checkpoints: each epoch's ECGs, drawn one after another.
        num_workers: processes that measure; None for one a core.
        cache: a folder of measured rows, reused if they are there.
        delineation: see [measure][ecggan.measurement.measure_set.measure].

    Returns:
        A row an epoch: `epoch`, `delineation` and the values of [physiology_of_tables][].

    Raises:
        FileExistsError: `out` is there already.
        ValueError: none of the real ECGs can be measured.
    """
    table = measure(real, num_workers=num_workers, cache=cache, delineation=delineation)
    rows: list[Mapping[str, int | float | str]] = []
    for epoch, ecgs in checkpoints:
        drawn = measure(ecgs, num_workers=num_workers, progress=False, delineation=delineation)
        rows.append({"epoch": epoch, DELINEATION_COLUMN: delineation, **physiology_of_tables(table, drawn)})
    curve = pd.DataFrame(rows)
    shares = {what: curve[f"share_{what}"].to_numpy(float) for what in ("normal", "measurable")}
    real_shares = {"normal": share_normal(screen(table))}
    epochs, distance = (curve[name].to_numpy(float) for name in ("epoch", "physiological_distance"))
    with atomic_folder(out) as folder:
        curve.to_csv(folder / "epochs.csv", index=False)
        figure = plot_epochs(epochs, shares, distance, real_shares)
        for suffix in ("png", "pdf", "svg"):
            save_figure(figure, folder / f"epochs.{suffix}", dpi=120)
    return curve
