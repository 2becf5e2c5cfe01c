"""The physiological distance: one number for choosing a checkpoint, from its ECGs' measurements.

The paper chose its checkpoint by the share that 12SL called normal; losses do not identify a good one. The
physiological distance is the mean over [PHYSIOLOGY][] of

    (1 − missing) · min(Wasserstein distance / SD of the real values, 3) + missing · 3

where `missing` is how much smaller the share of generated records with the measurement is, relative to the real share.
So it is 0 for the real set itself and 3 if nothing can be measured; lower is better, its unit is one SD of real ECGs,
and an ECG without a P wave counts as one whose P wave is far off. It shrinks with the number of records, like every
distance of samples: compare checkpoints at the same number.
"""

import numpy as np
import pandas as pd

from ecggan.evaluation.comparison.comparison import set_figures
from ecggan.measurement.columns import PHYSIOLOGY
from ecggan.measurement.delineation_choice import check_same_delineation
from ecggan.measurement.normality.screen import screen, share_normal

LARGEST_SD = 3.0


def physiology_of_tables(real: pd.DataFrame, generated: pd.DataFrame) -> dict[str, float]:
    """Compare two tables of [measure][ecggan.measurement.measure_set.measure].

    Returns:
        `share_measurable` and `share_normal` of the generated set (0 to 1), `physiological_distance`, and the
        Wasserstein distance of each of [PHYSIOLOGY][] in its unit as ``wasserstein_…``, NaN if there is none.

    Raises:
        ValueError: the real set has none of the measurements, or the tables rest on different delineations.
    """
    check_same_delineation(real, generated)
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
