"""Which delineation a measurement rests on: its names, and the check that two tables rest on the same one."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ecggan import checks

MEDIAN_BEAT = "median_beat"
NEUROKIT_METHODS = ("dwt", "cwt", "peak", "prominence")
_NEUROKIT = "neurokit2"
_BY_DEFAULT = f"{_NEUROKIT}_{NEUROKIT_METHODS[0]}"
DELINEATIONS = (MEDIAN_BEAT, *(f"{_NEUROKIT}_{method}" for method in NEUROKIT_METHODS))
DELINEATION_COLUMN = "delineation"


def resolve_delineation(name: Any, argument: str = "delineation") -> str:
    """One of [DELINEATIONS][]; ``neurokit2`` alone is neurokit2's default method.

    >>> resolve_delineation("neurokit2")
    'neurokit2_dwt'

    Raises:
        ValueError: it is none of them; the message names the argument.
    """
    checks.one_of(argument, name, (MEDIAN_BEAT, _NEUROKIT, *DELINEATIONS[1:]))
    return _BY_DEFAULT if name == _NEUROKIT else str(name)


def neurokit_method(delineation: str) -> str:
    """The method of `neurokit2.ecg_delineate`; empty for the median beat.

    >>> neurokit_method("neurokit2_dwt"), neurokit_method("median_beat")
    ('dwt', '')
    """
    return delineation.removeprefix(f"{_NEUROKIT}_") if delineation != MEDIAN_BEAT else ""


def delineation_of(measurement: Mapping[str, Any] | None) -> str:
    """The delineation that a job's parameter `measurement` chooses.

    Raises:
        ValueError: it holds another key, or another value than [DELINEATIONS][].
    """
    if measurement is None:
        return MEDIAN_BEAT
    if not isinstance(measurement, Mapping) or set(measurement) - {DELINEATION_COLUMN}:
        raise ValueError(
            "measurement must hold `delineation` alone, as in measurement.delineation=neurokit2; "
            f"got {dict(measurement) if isinstance(measurement, Mapping) else measurement!r}"
        )
    return resolve_delineation(measurement.get(DELINEATION_COLUMN, MEDIAN_BEAT), "measurement.delineation")


def check_same_delineation(real: pd.DataFrame, generated: pd.DataFrame) -> None:
    """Raise ValueError if two tables rest on different delineations; one that does not state its own passes."""
    names = [
        sorted(set(table[DELINEATION_COLUMN].astype(str))) if DELINEATION_COLUMN in table else []
        for table in (real, generated)
    ]
    if names[0] and names[1] and names[0] != names[1]:
        one, other = (" and ".join(some) for some in names)
        raise ValueError(
            f"the real ECGs are measured by the delineation {one}, the generated ones by {other}; measure both by the "
            "same, as in measure(ecgs, delineation='median_beat')"
        )
