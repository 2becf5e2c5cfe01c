"""Which records are shown: typical ones, the nearest to and the furthest from the real set, and those that fail.

Chosen by rule, the same ones each time: never the best by eye, and never by chance.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.formatting import sentence_case
from ecggan.measurement.columns import MAIN_MEASUREMENTS, display_name
from ecggan.stats.resampling import evenly_spaced

_LARGEST_SHARE = 10.0  # one wild measurement counts for as many spreads at most
_IQR_OF_NORMAL = 1.349  # quartiles of a normal distribution lie so many SDs apart
_CAPTIONED = ("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_fridericia_ms")


@dataclass(frozen=True)
class ShownRecord:
    """One record to draw.

    Args:
        position: in its set.
        role: why it is shown.
        title: of the picture.
        caption: what was measured, or why nothing was.
    """

    position: int
    role: str
    title: str
    caption: str


def choose_records(some: AssessedSet, real: AssessedSet) -> list[ShownRecord]:
    """Two typical records (45th and 55th percentile of the distance), the nearest, the furthest, and some that fail.

    Of the real set, fewer: it is the yardstick.
    """
    table, is_real = some.table, some is real
    measurable = table["is_measurable"].to_numpy(bool)
    distances = distance_from_middle(table, real.table)
    ranked = np.flatnonzero(measurable)[np.argsort(distances[measurable], kind="stable")]
    chosen: list[tuple[str, int]] = []
    if len(ranked):
        ends = [("nearest to the middle of the real set", 0)] * (not is_real) + [
            ("furthest from the middle of the real set", len(ranked) - 1)
        ]
        typical = [("typical", round(share * (len(ranked) - 1))) for share in (0.45, 0.55)]
        chosen = [(role, int(ranked[rank])) for role, rank in [*typical, *ends]]
    not_normal = np.zeros(len(table), bool) if some.screened is None else ~some.screened["is_normal"].to_numpy(bool)
    count = 1 if is_real else 2
    chosen += [("not normal", i) for i in _spread(np.flatnonzero(measurable & not_normal), count)]
    chosen += [("not measurable", i) for i in _spread(np.flatnonzero(~measurable), count)]
    first = {position: role for role, position in reversed(chosen)}  # a record is shown once, in its first role
    return [_shown(some, position, role) for role, position in chosen if first[position] == role]


def distance_from_middle(table: pd.DataFrame, real: pd.DataFrame) -> Float[np.ndarray, " record"]:
    """How far each record lies from the medians of the real set: root mean square over its main measurements, each in
    robust SDs of the real set and at most 10; 0 where there is nothing to go by.
    """
    measurable = real[real["is_measurable"].astype(bool)]
    squares = []
    for column in MAIN_MEASUREMENTS:
        known = measurable[column].dropna() if column in measurable and column in table else pd.Series(dtype=float)
        if not len(known):
            continue
        low, middle, high = np.percentile(known, [25, 50, 75])
        if high > low:
            apart = np.abs(table[column].to_numpy(float) - middle) / ((high - low) / _IQR_OF_NORMAL)
            squares.append(np.minimum(apart, _LARGEST_SHARE) ** 2)
    if not squares:
        return np.zeros(len(table))
    every = np.array(squares)
    known_of_record = np.isfinite(every).sum(axis=0)
    return np.sqrt(np.nansum(every, axis=0) / np.maximum(known_of_record, 1))


def _spread(positions: np.ndarray, count: int) -> list[int]:
    return [int(position) for position in positions[evenly_spaced(len(positions), count, ends="neither")]]


def _shown(some: AssessedSet, position: int, role: str) -> ShownRecord:
    row = some.table.iloc[position]
    caption = f"{role}: {row['reason']}"
    if row["is_measurable"]:
        shown = [f"{display_name(c)[0]} {row[c]:.0f} {display_name(c)[1]}" for c in _CAPTIONED if np.isfinite(row[c])]
        why = "" if some.screened is None else some.screened["reasons"].iloc[position]
        caption = f"{role}: {', '.join(shown)}" + (f". Fails the screen: {why}" if why else "")
    return ShownRecord(position, role, f"{some.name} {row['record']}", sentence_case(caption))
