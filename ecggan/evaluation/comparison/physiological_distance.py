"""One number for choosing a checkpoint: how far its ECGs' measurements lie from those of real ECGs.

The paper chose its checkpoint by the share that 12SL called normal; losses do not tell a good one. The physiological
distance is the mean over [PHYSIOLOGY][] of

    (1 − missing) · min(Wasserstein distance / SD of the real values, 3) + missing · 3

where `missing` is by how much smaller a share of the generated records has the measurement than of the real ones. So it
is 0 for the real set itself and 3 where nothing can be measured; lower is better, its unit is one SD of real ECGs, and
an ECG without a P wave counts as one whose P wave is far off. It shrinks with the number of records, as every distance
of samples does: compare checkpoints by the same number.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.comparison.comparison import set_figures
from ecggan.measurement.columns import PHYSIOLOGY
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen, share_normal

LARGEST_SD = 3.0


def compare_physiology(
    real: ECGSet, generated: ECGSet, num_workers: int | None = None, cache: str | Path | None = None
) -> dict[str, float]:
    """Measure both sets, the real one once and for all where there is a cache, and compare them.

    Args:
        real: the reference, e.g. the validation split.
        generated: e.g. of a checkpoint.
        num_workers: processes that measure; None for one a core.
        cache: a folder where measured rows are kept and looked for.

    Returns:
        See [physiology_of_tables][].
    """
    tables = [measure(ecgs, num_workers=num_workers, progress=False, cache=cache) for ecgs in (real, generated)]
    return physiology_of_tables(tables[0], tables[1])


def physiology_of_tables(real: pd.DataFrame, generated: pd.DataFrame) -> dict[str, float]:
    """Compare two tables of [measure][ecggan.measurement.measure_set.measure].

    Returns:
        `share_measurable` and `share_normal` of the generated set (0 to 1), `physiological_distance`, and the
        Wasserstein distance of each of [PHYSIOLOGY][] in its unit as ``wasserstein_…``, NaN where it could not be had.

    Raises:
        ValueError: the real set has none of the measurements.
    """
    known = [table[table["is_measurable"].astype(bool)] for table in (real, generated)]
    figures = set_figures(known[0], known[1], [name for name in PHYSIOLOGY if name in real])
    figures = figures[figures["num_real"] > 0]
    if not len(figures):
        raise ValueError(f"none of the {len(real)} real ECGs can be measured: there is nothing to compare with")
    shares = [
        figures[f"num_{which}"] / max(len(table), 1) for which, table in (("real", real), ("generated", generated))
    ]
    missing = np.clip(1 - shares[1] / shares[0], 0, 1)
    apart = (figures["wasserstein_distance"] / figures["real_sd"]).clip(upper=LARGEST_SD).fillna(LARGEST_SD)
    distance = float(((1 - missing) * apart + missing * LARGEST_SD).mean())
    return {
        "share_measurable": float(generated["is_measurable"].mean()) if len(generated) else 0.0,
        "share_normal": share_normal(screen(generated)) if len(generated) else 0.0,
        "physiological_distance": distance,
        **{f"wasserstein_{name}": float(value) for name, value in figures["wasserstein_distance"].items()},
    }
