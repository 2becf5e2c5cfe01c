"""Proportions of the records of a set, and their differences, with 95 % intervals by patient.

The intervals are those of statsmodels, at the effective sample size in place of the number of records.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from ecggan.stats.hypothesis_tests import LEVEL
from ecggan.stats.resampling import effective_sample_size, patient_numbers


@dataclass(frozen=True)
class Proportion:
    """A proportion of a set's records, 0 to 1, with its 95 % interval; NaN for an empty set.

    Args:
        num_records: the records that count.
        num_all: all records of the set.
        value: the proportion.
        low: lower end of Wilson's interval, by patient if patients are known.
        high: its upper end.
        effective_sample_size: see [effective_sample_size][ecggan.stats.resampling.effective_sample_size].
    """

    num_records: int
    num_all: int
    value: float
    low: float
    high: float
    effective_sample_size: int | float


@dataclass(frozen=True)
class ProportionDifference:
    """Generated minus real, −1 to 1, with its 95 % interval."""

    value: float
    low: float
    high: float


def share_of(counts: pd.Series, patients: pd.Series | None = None) -> Proportion:
    """The proportion of true values.

    The records of a patient count as all alike, which makes the interval wide rather than narrow.

    Args:
        counts: one boolean a record.
        patients: of the records; None if unknown.
    """
    sample_size = effective_sample_size(patient_numbers(patients, len(counts)))
    return share_of_number(int(counts.sum()), len(counts), sample_size)


def share_of_number(num_records: int, num_all: int, sample_size: int | float) -> Proportion:
    """The proportion `num_records / num_all`, with Wilson's interval at an effective sample size.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    if not num_all:
        return Proportion(0, 0, np.nan, np.nan, np.nan, 0.0)
    value = num_records / num_all
    low, high = proportion_confint(value * sample_size, sample_size, alpha=LEVEL, method="wilson")
    return Proportion(num_records, num_all, value, max(0.0, float(low)), min(1.0, float(high)), sample_size)


def difference_of(real: Proportion, generated: Proportion) -> ProportionDifference:
    """Generated minus real.

    Source: Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.
    """
    if not (real.num_all and generated.num_all):
        return ProportionDifference(np.nan, np.nan, np.nan)
    counts = [(each.value * each.effective_sample_size, each.effective_sample_size) for each in (generated, real)]
    low, high = confint_proportions_2indep(*counts[0], *counts[1], method="newcomb", compare="diff", alpha=LEVEL)
    return ProportionDifference(generated.value - real.value, float(low), float(high))


def p_fewer(first: Proportion, second: Proportion) -> float:
    """p-value of Fisher's exact test that the first proportion is smaller than the second, one-sided."""
    table = np.array([[each.num_records, each.num_all - each.num_records] for each in (first, second)])
    return float(scipy.stats.fisher_exact(table, alternative="less").pvalue)


def shares_of(table: pd.DataFrame, screened: pd.DataFrame | None) -> Mapping[str, Proportion]:
    """The proportions of measurable and, if the set was screened, of normal records by each verdict of the screen.

    That of the score is left out for a set that lacks a lead.

    Args:
        table: of measurements, one row a record.
        screened: the normality screen's result for these records, or None.
    """
    patients = table.get("patient")
    shares = {"measurable": share_of(table["is_measurable"].astype(bool), patients)}
    if screened is not None:
        shares["normal"] = share_of(screened["is_normal"].astype(bool), patients)
        shares["otherwise normal"] = share_of(screened["is_otherwise_normal"].astype(bool), patients)
        if screened["probability_normal"].notna().any():
            shares["normal by the score"] = share_of(screened["is_normal_by_score"].astype(bool), patients)
    return shares
