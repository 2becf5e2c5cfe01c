"""What share of a set is measurable, and normal, with its interval, and by how much it differs from the real set's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats

from ecggan.stats.hypothesis_tests import LEVEL
from ecggan.stats.resampling import effective_sample_size, patient_numbers


@dataclass(frozen=True)
class Proportion:
    """A share of a set's records, 0 to 1, with its 95 % interval; NaN for an empty set.

    Args:
        num_records: that count.
        num_all: of the set.
        value: their share.
        low: of Wilson's interval, by patient where they are known.
        high: likewise.
        effective_sample_size: see [effective_sample_size][ecggan.stats.resampling.effective_sample_size].
    """

    num_records: int
    num_all: int
    value: float
    low: float
    high: float
    effective_sample_size: float


@dataclass(frozen=True)
class ProportionDifference:
    """Generated minus real, −1 to 1, with its 95 % interval."""

    value: float
    low: float
    high: float


def share_of(counts: pd.Series, patients: pd.Series | None = None) -> Proportion:
    """The share of true values.

    A patient's records are taken as all alike, which is on the safe side.

    Args:
        counts: a truth value a record.
        patients: of the records, where they are known.
    """
    return share_of_number(
        int(counts.sum()), len(counts), effective_sample_size(patient_numbers(patients, len(counts)))
    )


def share_of_number(num_records: int, num_all: int, witnesses: float) -> Proportion:
    """So many of all, with Wilson's interval for so many witnesses.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    if not num_all:
        return Proportion(0, 0, np.nan, np.nan, np.nan, 0.0)
    value = num_records / num_all
    z = scipy.stats.norm.isf(LEVEL / 2)
    centre = value + z**2 / (2 * witnesses)
    reach = z * np.sqrt(value * (1 - value) / witnesses + z**2 / (4 * witnesses**2))
    low, high = ((centre + sign * reach) / (1 + z**2 / witnesses) for sign in (-1, 1))
    return Proportion(num_records, num_all, value, max(0.0, float(low)), min(1.0, float(high)), witnesses)


def difference_of(real: Proportion, generated: Proportion) -> ProportionDifference:
    """Generated minus real.

    Source: Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.
    """
    difference = generated.value - real.value
    down = np.hypot(generated.value - generated.low, real.high - real.value)
    up = np.hypot(generated.high - generated.value, real.value - real.low)
    return ProportionDifference(difference, float(difference - down), float(difference + up))


def p_fewer(first: Proportion, second: Proportion) -> float:
    """Fisher's exact test of whether the first share is smaller than the second, one-sided."""
    table = np.array([[each.num_records, each.num_all - each.num_records] for each in (first, second)])
    return float(scipy.stats.fisher_exact(table, alternative="less").pvalue)


def shares_of(table: pd.DataFrame, screened: pd.DataFrame | None) -> Mapping[str, Proportion]:
    """Of a table of measurements, and of what the screen said of it (None where it was not asked)."""
    patients = table.get("patient")
    shares = {"measurable": share_of(table["is_measurable"].astype(bool), patients)}
    if screened is not None:
        shares["normal"] = share_of(screened["is_normal"].astype(bool), patients)
    return shares
