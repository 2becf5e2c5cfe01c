"""The normality score: measurements -> the probability that cardiologists call the ECG normal, rate and rhythm apart.

A logistic regression whose table, `score.json`, can be followed by hand. The log-odds begin at the intercept; each term
takes from them `weight` times the distance of a measurement beyond a limit, in units of `per`, at most 4 of them. No
term adds, so an ECG without a measurement beyond its limits has the highest probability. The table names the records of
PTB-XL that it was fitted on; `python -m ecggan.evaluation.validation` fits it again (docs/results/screen.md).

The probability is calibrated on a set in which 44 of 100 ECGs are normal. To compare sets, count the records of at
least `operating_point`, which 19 of 20 of PTB-XL's normal ECGs have. A set that lacks a lead has none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecggan.ecg import canonical_lead
from ecggan.measurement.columns import MEASUREMENTS, display_name
from ecggan.measurement.normality.criteria import amplitudes_mv, qrs_depth_mv, values

TABLE = Path(__file__).with_name("score.json")
MOST_UNITS = 4.0
_WITH_R = ("I", "II", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6")  # leads whose R is usually large
_LEAST_R_MV = 0.2  # a share of a smaller R would grow without bound
_NAMED = 3  # measurements in a reason
_NOT_IN_SCORE = (
    *("heart_rate_bpm", "rr_mean_ms", "rr_sd_ms", "qrs_size_sd_percent"),
    *("qt_interval_ms", "qtc_bazett_ms", "qtc_framingham_ms"),
)


@dataclass(frozen=True)
class Term:
    """A measurement beyond a limit, and what it costs.

    Args:
        measurement: one of the [score_measurements][].
        side: of the limit on which it costs.
        limit: in the measurement's unit.
        per: the distance beyond it that counts as one, likewise.
        weight: log-odds of one.
    """

    measurement: str
    side: Literal["above", "below"]
    limit: float
    per: float
    weight: float

    def cost(self, measured: Float[np.ndarray, " record"]) -> Float[np.ndarray, " record"]:
        """Log-odds taken from each record; 0 where the measurement is missing."""
        return self.weight * units_beyond(measured, self.side, self.limit, self.per)


@dataclass(frozen=True)
class NormalityScore:
    """The fitted table.

    Args:
        intercept: the log-odds of an ECG without any measurement beyond its limit.
        operating_point: the probability from which an ECG counts as normal, for shares.
        terms: what takes from the log-odds.
        fitted_on: the source, its licence, the number of records and patients, and the date.
    """

    intercept: float
    operating_point: float
    terms: Sequence[Term]
    fitted_on: Mapping[str, Any]

    def probability(self, table: pd.DataFrame) -> Float[np.ndarray, " record"]:
        """The probability of each record; NaN for one that is not measurable, or if the table lacks a lead.

        Args:
            table: of [measure][ecggan.measurement.measure_set.measure].
        """
        if not {column for column in MEASUREMENTS if column not in _NOT_IN_SCORE} <= set(table):
            return np.full(len(table), np.nan)
        log_odds = self.intercept - sum(self._costs(table).values(), start=np.zeros(len(table)))
        return np.where(table["is_measurable"].to_numpy(bool), 1 / (1 + np.exp(-log_odds)), np.nan)

    def why_unlikely(self, table: pd.DataFrame) -> np.ndarray:
        """For each record below the operating point its probability and what costs most; empty for the others."""
        probability = self.probability(table)
        unlikely = np.flatnonzero(probability < self.operating_point)
        texts = np.full(len(table), "", dtype=object)
        costs = self._costs(table.iloc[unlikely])
        for i, position in enumerate(unlikely):
            largest = sorted(costs, key=lambda name: -costs[name][i])[:_NAMED]
            texts[position] = (
                f"probably not normal ({probability[position]:.2f}): {', '.join(map(score_name, largest))}"
            )
        return texts

    def _costs(self, table: pd.DataFrame) -> dict[str, np.ndarray]:
        """By measurement, the log-odds that it takes from each record."""
        measured = score_measurements(table)
        costs: dict[str, np.ndarray] = {}
        for term in self.terms:
            cost = term.cost(measured[term.measurement])
            costs[term.measurement] = costs[term.measurement] + cost if term.measurement in costs else cost
        return costs


@lru_cache(maxsize=1)
def normality_score() -> NormalityScore:
    """The score of the table that comes with the package."""
    read = json.loads(TABLE.read_text(encoding="utf-8"))
    terms = [Term(**term) for term in read.pop("terms")]
    return NormalityScore(terms=terms, **read)


def score_measurements(table: pd.DataFrame) -> dict[str, Float[np.ndarray, " record"]]:
    """What the score can be made of, by name: measurements but for rate and rhythm, and figures of several of them."""
    found = {column: values(table, column) for column in MEASUREMENTS if column not in _NOT_IN_SCORE}
    found["no_p_wave"] = np.isnan(found["pr_interval_ms"]).astype(float)
    found["qrs_t_angle_deg"] = np.abs((found["qrs_axis_deg"] - found["t_axis_deg"] + 180) % 360 - 180)
    r = {lead: amplitudes_mv(table, "R", lead) for lead in _WITH_R}
    found["sokolow_lyon_mv"] = qrs_depth_mv(table, "V1") + np.fmax(r["V5"], r["V6"])
    found["cornell_mv"] = r["aVL"] + qrs_depth_mv(table, "V3")
    for lead in _WITH_R:
        found[f"t_share_of_r_{lead.lower()}"] = amplitudes_mv(table, "T", lead) / np.fmax(r[lead], _LEAST_R_MV)
        found[f"q_share_of_r_{lead.lower()}"] = -amplitudes_mv(table, "Q", lead) / np.fmax(r[lead], _LEAST_R_MV)
    return found


def score_name(measurement: str) -> str:
    """The name of one of the [score_measurements][].

    >>> score_name("qrs_t_angle_deg"), score_name("t_share_of_r_v5"), score_name("pr_interval_ms")
    ('QRS-T angle', 'T/R in V5', 'PR interval')
    """
    wave, of_r, lead = measurement.partition("_share_of_r_")
    if of_r:
        return f"{wave.upper()}/R in {canonical_lead(lead)}"
    return _FIGURES[measurement] if measurement in _FIGURES else display_name(measurement)[0]


_FIGURES = {
    "no_p_wave": "no P wave",
    "qrs_t_angle_deg": "QRS-T angle",
    "sokolow_lyon_mv": "Sokolow-Lyon voltage",
    "cornell_mv": "Cornell voltage",
}


def units_beyond(
    measured: Float[np.ndarray, " record"], side: Literal["above", "below"], limit: float, per: float
) -> Float[np.ndarray, " record"]:
    """How far measurements lie beyond a limit, 0 to 4; 0 for those that are missing."""
    beyond = (measured - limit if side == "above" else limit - measured) / per
    return np.clip(np.nan_to_num(beyond, nan=0.0), 0.0, MOST_UNITS)
