"""How a rule looks at a table of measurements: a finder gives each record a text, empty where nothing is found.

A finder works on all records at once and judges each by its own row; a measurement that is not there is never found to
be wrong (which of them must be there is a rule of its own).
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ecggan.ecg import CHEST_LEADS
from ecggan.measurement.columns import amplitude_column, display_name

Condition = Callable[[pd.DataFrame], np.ndarray]
LeadCondition = Callable[[pd.DataFrame, str], np.ndarray]
"""A table and a lead -> whether something is found there, for each record."""

LIMB_NEIGHBOURS = ("aVL", "I", "II", "aVF", "III")  # as they look at the heart, from its left side downwards


def texts_where(found: Bool[np.ndarray, " record"], text: Callable[[int], str]) -> np.ndarray:
    """The text of each record that it is found in, made from its position; empty elsewhere."""
    texts = np.full(len(found), "", dtype=object)
    for i in np.flatnonzero(found):
        texts[i] = text(int(i))
    return texts


def values(table: pd.DataFrame, column: str) -> Float[np.ndarray, " record"]:
    """A measurement of each record; NaN where it is missing, or the set does not have its lead."""
    return table[column].to_numpy(dtype=float) if column in table else np.full(len(table), np.nan)


def amplitudes_mv(table: pd.DataFrame, wave: str, lead: str) -> Float[np.ndarray, " record"]:
    """The amplitude of a wave, or the ST level, in a lead; NaN as in [values][]."""
    return values(table, amplitude_column(wave, lead))


def qrs_depth_mv(table: pd.DataFrame, lead: str) -> Float[np.ndarray, " record"]:
    """How deep the QRS complex goes, whether that is called Q or S."""
    return -np.minimum(amplitudes_mv(table, "Q", lead), amplitudes_mv(table, "S", lead))


def first_of(*finders: Condition) -> Condition:
    """The text of the first of them that finds something."""

    def find(table: pd.DataFrame) -> np.ndarray:
        texts = finders[0](table)
        for finder in finders[1:]:
            texts = np.where(texts == "", finder(table), texts)
        return texts

    return find


def where(text: str, is_found: Callable[[pd.DataFrame], np.ndarray]) -> Condition:
    """The same text wherever it is found."""
    return lambda table: texts_where(is_found(table), lambda _: text)


def outside(column: str, low: int | float = -np.inf, high: int | float = np.inf) -> Condition:
    """A measurement beyond its limits, which are themselves within; one that is missing is not beyond them."""
    name, unit = display_name(column)
    digits = 2 if unit == "mV" else 0

    def find(table: pd.DataFrame) -> np.ndarray:
        measured = values(table, column)

        def text(i: int) -> str:
            side = f"below {low:g}" if measured[i] < low else f"above {high:g}"
            size = f"{measured[i]:.{digits}f}{'' if unit == '°' else ' '}{unit}"
            return f"{name} {size}, {side}".replace("-", "−")

        return texts_where((measured < low) | (measured > high), text)

    return find


def below(wave: str, limits_mv: Mapping[str, float]) -> tuple[tuple[str, ...], LeadCondition]:
    """The leads with a limit, and whether the wave's amplitude, with its sign, lies below it: for [in_leads][]."""
    return tuple(limits_mv), lambda table, lead: amplitudes_mv(table, wave, lead) < limits_mv[lead]


def above(wave: str, limits_mv: Mapping[str, float]) -> tuple[tuple[str, ...], LeadCondition]:
    """As [below][], above it."""
    return tuple(limits_mv), lambda table, lead: amplitudes_mv(table, wave, lead) > limits_mv[lead]


def in_leads(words: str, leads: Sequence[str], is_found: LeadCondition) -> Condition:
    """What is found in any of these leads, and in which."""
    return lambda table: name_leads(words, leads, np.stack([is_found(table, lead) for lead in leads]))


def in_neighbours(words: str, leads: Sequence[str], is_found: LeadCondition) -> Condition:
    """What is found in two leads that lie side by side, and in which; limb and chest leads are no neighbours."""
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


def name_leads(words: str, leads: Sequence[str], found: Bool[np.ndarray, "lead record"]) -> np.ndarray:
    """``ST low in V5, V6``, for each record that shows it in any lead."""

    def text(i: int) -> str:
        return f"{words} in {', '.join(lead for lead, is_in in zip(leads, found[:, i], strict=True) if is_in)}"

    return texts_where(np.asarray(found.any(axis=0)), text)
