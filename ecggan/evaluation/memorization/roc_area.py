"""Area under an ROC curve when patients have several records, with its confidence interval.

Source: DeLong et al. 1988; Obuchowski 1997, Nonparametric analysis of clustered ROC curve data.
"""

from dataclasses import dataclass

import numpy as np
import scipy.stats
from jaxtyping import Float, Int

from ecggan.stats.hypothesis_tests import FEWEST_PATIENTS, LEVEL
from ecggan.stats.resampling import effective_sample_size, placements


@dataclass(frozen=True)
class Area:
    """An area under the ROC curve, 0 to 1, with its 95 % interval and a one-sided p-value; NaN for too few patients.

    Args:
        value: how often a record of the first set has the higher figure than one of the second.
        low: of the interval.
        high: of the interval.
        p_value: of 0.5 or less.
    """

    value: float
    low: float
    high: float
    p_value: float


def area_by_patient(
    first: Float[np.ndarray, " n"],
    second: Float[np.ndarray, " m"],
    first_patients: Int[np.ndarray, " n"],
    second_patients: Int[np.ndarray, " m"],
) -> Area:
    """The area under the ROC curve of telling two sets apart by a figure that is higher in the first.

    The interval is normal, with the variance between patients. Its bounds stay within 0 and 1, and where all of one set
    lie above the other, it reaches as far down as the rule of three has it.

    Args:
        first: a figure a record.
        second: likewise.
        first_patients: whose records they are; no patient is in both sets.
        second_patients: likewise.
    """
    fewest = min(effective_sample_size(first_patients), effective_sample_size(second_patients))
    if fewest < FEWEST_PATIENTS:
        return Area(np.nan, np.nan, np.nan, np.nan)
    above, below = placements(first, second)
    value = float(above.mean())
    variance = _variance_by_patient(above, first_patients) + _variance_by_patient(below, second_patients)
    error = np.sqrt(variance)
    reach = scipy.stats.norm.isf(LEVEL / 2) * error
    reach = max(reach, 3 / fewest if value in (0.0, 1.0) else 0.0)
    p_value = float(scipy.stats.norm.sf((value - 0.5) / error)) if error > 0 else float(value <= 0.5)
    return Area(value, max(0.0, value - reach), min(1.0, value + reach), p_value)


def _variance_by_patient(placements: np.ndarray, patients: np.ndarray) -> float:
    of_patients = np.bincount(patients, weights=placements - placements.mean())
    count = len(np.unique(patients))
    return float(count / (count - 1) * (of_patients**2).sum() / len(placements) ** 2)
