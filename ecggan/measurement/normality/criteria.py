"""Criteria of the normality rules: a table of measurements -> a text a record, empty if the criterion is not met.

A criterion works on all records at once and judges each by its own row. A missing measurement never meets a criterion;
which measurements must be present is a rule of its own.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ecggan.ecg import CHEST_LEADS
from ecggan.measurement.columns import amplitude_column, display_name

Criterion = Callable[[pd.DataFrame], np.ndarray]
LeadCriterion = Callable[[pd.DataFrame, str], np.ndarray]
"""A table and a lead -> for each record whether the criterion is met in that lead."""

LIMB_NEIGHBOURS = (
    "aVL",
    "I",
    "II",
    "aVF",
    "III",
)  # by direction, from the heart's left side downwards


def texts_where(found: Bool[np.ndarray, " record"], text: Callable[[int], str]) -> np.ndarray:
    """A text, made from its position, for each record where `found` is true; empty for the others."""
    texts = np.full(len(found), "", dtype=object)
    for i in np.flatnonzero(found):
        texts[i] = text(int(i))
    return texts


def values(table: pd.DataFrame, column: str) -> Float[np.ndarray, " record"]:
    """A measurement of each record; NaN if it is missing, or if the set does not have its lead."""
    return table[column].to_numpy(dtype=float) if column in table else np.full(len(table), np.nan)


def amplitudes_mv(table: pd.DataFrame, wave: str, lead: str) -> Float[np.ndarray, " record"]:
    """The amplitude of a wave, or the ST level, in a lead; NaN as in [values][]."""
    return values(table, amplitude_column(wave, lead))


def qrs_depth_mv(table: pd.DataFrame, lead: str) -> Float[np.ndarray, " record"]:
    """The depth of the QRS complex, of Q or S, whichever is deeper."""
    return -np.minimum(amplitudes_mv(table, "Q", lead), amplitudes_mv(table, "S", lead))


def first_of(*criteria: Criterion) -> Criterion:
    """The text of the first criterion that a record meets."""

    def find(table: pd.DataFrame) -> np.ndarray:
        texts = criteria[0](table)
        for criterion in criteria[1:]:
            texts = np.where(texts == "", criterion(table), texts)
        return texts

    return find


def where(text: str, is_found: Callable[[pd.DataFrame], np.ndarray]) -> Criterion:
    """The same text for each record that meets the criterion."""
    return lambda table: texts_where(is_found(table), lambda _: text)


def outside(column: str, low: int | float = -np.inf, high: int | float = np.inf) -> Criterion:
    """A measurement below `low` or above `high`, with its value and that limit."""
    name, unit = display_name(column)
    digits = {"mV": 2, "%": 1}.get(unit, 0)

    def find(table: pd.DataFrame) -> np.ndarray:
        measured = values(table, column)

        def text(i: int) -> str:
            side = f"below {low:g}" if measured[i] < low else f"above {high:g}"
            size = f"{measured[i]:.{digits}f}{'' if unit == '°' else ' '}{unit}"
            return f"{name} {size}, {side}".replace("-", "−")

        return texts_where((measured < low) | (measured > high), text)

    return find


def in_leads(words: str, leads: Sequence[str], is_found: LeadCriterion) -> Criterion:
    """The criterion is met in any of these leads; the text names them."""
    return lambda table: name_leads(words, leads, np.stack([is_found(table, lead) for lead in leads]))


def in_neighbours(words: str, leads: Sequence[str], is_found: LeadCriterion) -> Criterion:
    """The criterion is met in two neighbouring leads, both limb or both chest leads; the text names them."""
    rows = [[lead for lead in row if lead in leads] for row in (LIMB_NEIGHBOURS, CHEST_LEADS)]
    order = [lead for row in rows for lead in row]
    assert set(order) == set(leads), f"{leads} are not all limb or chest leads with neighbours"

    def find(table: pd.DataFrame) -> np.ndarray:
        alone = {lead: is_found(table, lead) for lead in order}
        found = {lead: np.zeros(len(table), dtype=bool) for lead in order}
        for row in rows:
            for one, other in itertools.pairwise(row):
                both = alone[one] & alone[other]
                found[one] |= both
                found[other] |= both
        return name_leads(words, order, np.stack(list(found.values())))

    return find


def below(
    words: str, wave: str, limits_mv: Mapping[str, float], where_in: Callable[..., Criterion] = in_leads
) -> Criterion:
    """A wave's amplitude, with its sign, below the limit of its lead.

    Args:
        words: the text before the leads.
        wave: P, Q, R, S, T or ST.
        limits_mv: lead -> limit; the other leads do not count.
        where_in: [in_leads][] for any of them, [in_neighbours][] for two neighbours.
    """
    return where_in(words, tuple(limits_mv), lambda table, lead: amplitudes_mv(table, wave, lead) < limits_mv[lead])


def above(
    words: str, wave: str, limits_mv: Mapping[str, float], where_in: Callable[..., Criterion] = in_leads
) -> Criterion:
    """As [below][], above the limit."""
    return where_in(words, tuple(limits_mv), lambda table, lead: amplitudes_mv(table, wave, lead) > limits_mv[lead])


def name_leads(words: str, leads: Sequence[str], found: Bool[np.ndarray, "lead record"]) -> np.ndarray:
    """``ST low in V5, V6``, for each record that meets the criterion in any lead."""

    def text(i: int) -> str:
        return f"{words} in {', '.join(lead for lead, is_in in zip(leads, found[:, i], strict=True) if is_in)}"

    return texts_where(np.asarray(found.any(axis=0)), text)
