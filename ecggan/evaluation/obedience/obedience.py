"""Wanted against measured heart rates, and how measurements go with each condition in generated and in real ECGs.

Sex and labels are contrasts (women minus men, carriers minus others); age and heart rate are slopes, for each ten years
or bpm. An obedient generator shows the differences that real ECGs show.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecggan.data.sets.conditions import AGE, CONDITIONS, HEART_RATE, SEX, condition_table
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.labels import COLUMN as LABELS
from ecggan.data.sets.labels import known_labels, labels_of_cell
from ecggan.measurement.columns import PHYSIOLOGY
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen
from ecggan.stats.hypothesis_tests import LEVEL
from ecggan.stats.resampling import NUM_RESAMPLES, bootstrap_weights, patient_numbers

NORMAL = "share_normal"
MEASURED_RATE = "heart_rate_bpm"
_TEN = 10.0  # years or bpm of a slope
_FEWEST = 10  # records on each side of a contrast


@dataclass(frozen=True)
class HeartRates:
    """Wanted against measured heart rates of a generated set, each with its 95 % interval.

    Args:
        num_records: of the set.
        num_asked: records of which a rate was asked for.
        num_measured: of those, the records whose rate could be measured, which the figures are of.
        correlation: Pearson's, and its interval.
        mean_error: mean absolute difference in bpm, and its interval.
        bias: mean of measured minus wanted, in bpm.
    """

    num_records: int
    num_asked: int
    num_measured: int
    correlation: tuple[float, float, float]
    mean_error: tuple[float, float, float]
    bias: float


@dataclass(frozen=True)
class Obedience:
    """What [assess_obedience][] found.

    Args:
        heart_rates: None where no rate was asked for.
        effects: a row a condition and measurement: `condition` (sex, age, heart_rate or a label), `measurement`, and of
            both sets the difference with its 95 % interval by patient: `real`, `real_low`, `real_high`, `generated` …
    """

    heart_rates: HeartRates | None
    effects: pd.DataFrame

    def shown_by_real(self) -> pd.DataFrame:
        """The effects that real ECGs show: their interval holds no zero."""
        rows = self.effects
        return rows[(rows["real_low"] > 0) | (rows["real_high"] < 0)]

    def followed(self) -> pd.Series:
        """Of those, whether the generated ECGs show them too: the same sign, and the intervals overlap."""
        rows = self.shown_by_real()
        overlap = (rows["generated_low"] <= rows["real_high"]) & (rows["generated_high"] >= rows["real_low"])
        return overlap & (np.sign(rows["generated"]) == np.sign(rows["real"]))


def assess_obedience(
    real: ECGSet,
    generated: ECGSet,
    num_workers: int | None = None,
    progress: bool = True,
    cache: str | Path | None = None,
    seed: int = 0,
) -> Obedience:
    """Measure both sets; see the module's docstring.

    Args:
        real: its table holds the conditions, but for the heart rate, which is measured.
        generated: its table holds the conditions that were asked for.
        num_workers: processes; None for one a core.
        progress: show bars.
        cache: a folder of measured rows, reused if they are there.
        seed: of the bootstrap.

    Raises:
        ValueError: the generated set holds no condition, or the real one lacks one of them.
    """
    names = [name for name in CONDITIONS if name in generated.records and generated.records[name].notna().any()]
    if generated.kind != "generated" or not names:
        raise ValueError(
            f"the generated set holds none of the conditions {', '.join(CONDITIONS)} in its table; a generator that "
            "was trained with condition=[…] draws such a set"
        )
    stated = [name for name in names if name != HEART_RATE]
    if stated:
        condition_table(real.records, stated, "the real set")  # before minutes of measuring
    tables = [measure(some, num_workers=num_workers, progress=progress, cache=cache) for some in (real, generated)]
    measured = [table[MEASURED_RATE].where(table["is_measurable"].astype(bool)).to_numpy(float) for table in tables]
    of_real = real.records.assign(**{HEART_RATE: measured[0]})
    asked = [condition_table(of_real, names, "the real set"), condition_table(generated.records, names, "the set")]
    labels = [label for label in known_labels(generated.records) if label in known_labels(of_real)]
    found = [
        _effects(some, conditions, table, labels, seed)
        for some, conditions, table in zip((real, generated), asked, tables, strict=True)
    ]
    effects = found[0].merge(found[1], on=["condition", "measurement"], suffixes=("", "_of_generated"))
    effects = effects.rename(columns={"value": "real", "low": "real_low", "high": "real_high"})
    after = {"value": "", "low": "_low", "high": "_high"}
    ends = {f"{end}_of_generated": f"generated{suffix}" for end, suffix in after.items()}
    rates = _heart_rates(asked[1][HEART_RATE].to_numpy(float), measured[1], seed) if HEART_RATE in names else None
    return Obedience(rates, effects.rename(columns=ends))


def _heart_rates(wanted: Float[np.ndarray, " record"], measured: Float[np.ndarray, " record"], seed: int) -> HeartRates:
    pairs = np.column_stack([wanted, measured])[np.isfinite(wanted)]
    num_records, num_asked = len(wanted), len(pairs)
    pairs = pairs[np.isfinite(pairs[:, 1])]
    counts = (num_records, num_asked, len(pairs))
    if len(pairs) < _FEWEST:
        none = (np.nan, np.nan, np.nan)
        return HeartRates(*counts, none, none, np.nan)
    wanted, measured = pairs.T
    resamples = bootstrap_weights(np.arange(len(pairs)), NUM_RESAMPLES, np.random.default_rng(seed))
    weights = np.concatenate([np.ones((1, len(pairs))), *resamples])
    slopes = _slopes(wanted, measured[:, None], weights)[:, 0]
    sds = [np.sqrt(_centred(some, weights) / weights.sum(axis=1)) for some in (wanted, measured)]
    errors = weights @ np.abs(measured - wanted) / weights.sum(axis=1)
    bias = float((measured - wanted).mean())
    return HeartRates(*counts, _with_ends(slopes * sds[0] / sds[1]), _with_ends(errors), bias)


def _effects(ecgs: ECGSet, asked: pd.DataFrame, table: pd.DataFrame, labels: Sequence[str], seed: int) -> pd.DataFrame:
    columns = [
        column for column in PHYSIOLOGY if column in table and not column.endswith("_deg")
    ]  # no slopes of angles
    values = table[columns].where(table["is_measurable"].astype(bool)).to_numpy(float)
    is_normal = screen(table)["is_normal"].to_numpy(float)
    values = np.column_stack([values, is_normal])
    patients = patient_numbers(ecgs.records.get("patient"), len(ecgs))
    resamples = bootstrap_weights(patients, NUM_RESAMPLES, np.random.default_rng(seed))
    weights = np.concatenate([np.ones((1, len(ecgs))), *resamples])
    rows = []
    for condition, place, is_contrast in _places(asked, labels):
        is_known = np.isfinite(place)
        sides = [int((place[is_known] == side).sum()) for side in (0, 1)] if is_contrast else [int(is_known.sum())]
        if min(sides) < _FEWEST or np.ptp(place[is_known]) == 0:
            continue
        slopes = _slopes(place[is_known], values[is_known], weights[:, is_known])
        for measurement, column in zip([*columns, NORMAL], slopes.T, strict=True):
            if (condition, measurement) == (HEART_RATE, MEASURED_RATE):
                continue  # in real ECGs it is the condition itself; `heart_rates` says how it is obeyed
            value, low, high = _with_ends(column)
            rows.append({"condition": condition, "measurement": measurement, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows, columns=["condition", "measurement", "value", "low", "high"])


def _places(asked: pd.DataFrame, labels: Sequence[str]) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Each condition as a number a record, and whether it is a contrast."""
    if SEX in asked:
        yield SEX, asked[SEX].map({"male": 0.0, "female": 1.0}).to_numpy(float), True
    for name in (AGE, HEART_RATE):
        if name in asked:
            yield name, asked[name].to_numpy(float) / _TEN, False
    if LABELS in asked:
        cells = [None if pd.isna(cell) else set(labels_of_cell(cell)) for cell in asked[LABELS]]
        for label in labels:
            yield label, np.array([np.nan if cell is None else float(label in cell) for cell in cells]), True


def _slopes(
    place: Float[np.ndarray, " record"],
    values: Float[np.ndarray, "record column"],
    weights: Float[np.ndarray, "draw record"],
) -> Float[np.ndarray, "draw column"]:
    """The least-squares slope of each column on `place` in each draw; of zeros and ones, a difference of means."""
    slopes = np.full((len(weights), values.shape[1]), np.nan)
    for i, column in enumerate(values.T):
        has = np.isfinite(column)
        if has.sum() < _FEWEST:
            continue
        some, x, y = weights[:, has], place[has], column[has]
        total = some.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            covariance = some @ (x * y) - (some @ x) * (some @ y) / total
            slopes[:, i] = covariance / _centred(x, some)
    return slopes


def _centred(x: Float[np.ndarray, " record"], weights: Float[np.ndarray, "draw record"]) -> Float[np.ndarray, " draw"]:
    """The weighted sum of squares about the weighted mean."""
    x = x - x.mean()
    return weights @ x**2 - (weights @ x) ** 2 / weights.sum(axis=1)


def _with_ends(drawn: Float[np.ndarray, " draw"]) -> tuple[float, float, float]:
    """The first, of the records themselves, and the interval of the others."""
    if not np.isfinite(drawn[0]):
        return np.nan, np.nan, np.nan
    low, high = np.nanquantile(drawn[1:], [LEVEL / 2, 1 - LEVEL / 2])
    return float(drawn[0]), float(low), float(high)
