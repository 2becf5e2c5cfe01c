"""The signals of a file, each with its name, unit and rate, and the record that they make.

A channel that nobody asked for costs only itself: its unit, rate, length or name may be wrong. A wanted lead must be
sound, or the file is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecggan.data.readers.lead_names import LeadName
from ecggan.data.record import Record, millivolts_per
from ecggan.ecg import DERIVED_LEADS


@dataclass(frozen=True)
class Channel:
    """A signal of a file.

    Args:
        lead: its name as [LeadName][ecggan.data.readers.lead_names.LeadName] has it.
        millivolts: its samples; none where it cannot be taken.
        sampling_rate: in Hz.
        fault: why it cannot be taken; empty if it can.
    """

    lead: str
    millivolts: np.ndarray
    sampling_rate: int | float
    fault: str = ""


def channel(name: LeadName, values: np.ndarray, unit: str | int | float | None, sampling_rate: int | float) -> Channel:
    """Values in a unit, as a channel in mV.

    Args:
        name: may state the unit as well.
        values: its samples.
        unit: that the file or the layout states; None if neither does.
        sampling_rate: in Hz.
    """
    if name.fault:
        return faulty(name, sampling_rate, name.fault)
    try:
        scale = millivolts_per(_agreed(name, unit))
    except ValueError as error:
        return faulty(name, sampling_rate, str(error))
    return Channel(name.lead, np.asarray(values, np.float64) * scale, sampling_rate)


def faulty(name: LeadName, sampling_rate: int | float, fault: str) -> Channel:
    """A channel that cannot be taken, for this reason."""
    return Channel(name.lead, np.empty(0), sampling_rate, fault)


def needed_leads(available: Sequence[str], wanted: Sequence[str]) -> set[str]:
    """Those of the available leads that the wanted ones are made of.

    >>> sorted(needed_leads(["I", "II", "V1", "RESP"], ["II", "aVF", "V1"]))
    ['I', 'II', 'V1']
    """
    needed = set(wanted)
    if any(lead in DERIVED_LEADS and lead not in available for lead in wanted):
        needed |= {"I", "II"}
    return needed & set(available)


def holds_leads(available: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the wanted leads are among the available, or follow from them."""
    is_derived = {"I", "II"} <= set(available)
    return all(lead in available or (lead in DERIVED_LEADS and is_derived) for lead in wanted)


def to_record(channels: Sequence[Channel], wanted: Sequence[str], facts: Mapping[str, Any]) -> Record:
    """The record of these channels.

    Args:
        channels: all of the file. Those that are not needed are left out unless they are sound, and as long and of the
            same rate as those that are.
        wanted: the leads that must be sound, where the file has them.
        facts: of the file.

    Raises:
        ValueError: a needed lead is not sound, or they differ in rate or length.
    """
    needed = needed_leads([each.lead for each in channels], wanted)
    sound = [each for each in channels if not each.fault]
    faults = [each.fault for each in channels if each.fault and (each.lead in needed or not sound)]
    if faults:
        raise ValueError(faults[0])
    chosen = [each for each in sound if each.lead in needed] or sound
    if not chosen:
        raise ValueError("it holds no signals")
    rates = sorted({each.sampling_rate for each in chosen})
    if len(rates) > 1:
        raise ValueError(f"its leads have different sampling rates: {rates} Hz; write each rate to a record of its own")
    lengths = {each.lead: len(each.millivolts) for each in chosen}
    if len({0, *lengths.values()}) != 2:
        raise ValueError(f"its leads have no or different numbers of samples: {lengths}")
    form = chosen[0].sampling_rate, len(chosen[0].millivolts)
    kept = [each for each in sound if (each.sampling_rate, len(each.millivolts)) == form]
    return Record(
        np.stack([each.millivolts for each in kept]),
        tuple(each.lead for each in kept),
        form[0],
        facts,
    )


def _agreed(name: LeadName, unit: str | int | float | None) -> str | int | float:
    if unit is None and name.unit is None:
        raise ValueError(f"the unit of {name.lead} is not known: state it in data.layout.unit")
    if unit is None or name.unit is None:
        return name.unit or unit or ""
    if millivolts_per(unit) != millivolts_per(name.unit):
        raise ValueError(f"the name of {name.lead} states {name.unit}, but its unit is stated as {unit}")
    return unit
