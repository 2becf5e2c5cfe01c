"""The vocabulary: leads by name, units, and the one shape that every ECG takes here.

Everywhere outside the networks an ECG is an array ``(record, lead, time)`` in mV (or integer µV on disk), its leads go
by name, and a rate is in Hz. Units change in one place, [ECGFormat][], on the way into a network and out of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecggan import checks

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6")
TWELVE_LEADS = LIMB_LEADS + CHEST_LEADS
EIGHT_LEADS = ("I", "II", *CHEST_LEADS)
"""The independent leads, in the order of the DeepFake ECGs; the other four follow from I and II."""

# Each derived limb lead as (share of I, share of II): Einthoven's law and Goldberger's leads.
DERIVED_LEADS = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}

MICROVOLTS_PER_MILLIVOLT = 1000
LARGEST_STORED_MV = np.iinfo(np.int16).max / MICROVOLTS_PER_MILLIVOLT


@dataclass(frozen=True)
class ECGFormat:
    """What every record of a run looks like, and how it meets the network's range.

    Args:
        leads: lead names in their order, e.g. [EIGHT_LEADS][]; kept as a tuple.
        sampling_rate: in Hz.
        num_samples: time points a record.
        full_scale_mv: the amplitude that the network's ±1 stands for. The generator ends in tanh, so an R wave above
            it cannot be drawn.
    """

    leads: Sequence[str]
    sampling_rate: int
    num_samples: int
    full_scale_mv: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "leads", tuple(self.leads))
        check_leads(self.leads)
        for name in ("sampling_rate", "num_samples", "full_scale_mv"):
            checks.positive(name, getattr(self, name))

    @property
    def duration_s(self) -> float:
        return self.num_samples / self.sampling_rate

    def to_network(self, microvolts: Any) -> Any:
        """µV (array or tensor, any shape) -> the network's range, where ±1 is ± full scale."""
        return microvolts / (self.full_scale_mv * MICROVOLTS_PER_MILLIVOLT)

    def from_network(self, output: Any) -> Any:
        """The network's range -> µV, not yet rounded to integers."""
        return output * (self.full_scale_mv * MICROVOLTS_PER_MILLIVOLT)


def listed(names: Sequence[str], most: int = 16) -> str:
    """The first names, for a message.

    >>> listed(["I", "II"]), listed("abc", most=2)
    ('I, II', 'a, b, …')
    """
    return ", ".join([*names[:most], "…"] if len(names) > most else names)


def check_leads(leads: Sequence[str]) -> None:
    """Raise ValueError unless these are known lead names, at least one and none twice."""
    unknown = [lead for lead in leads if lead not in TWELVE_LEADS]
    if unknown or len(leads) == 0 or len(set(leads)) != len(leads):
        raise ValueError(f"leads must be distinct names out of {', '.join(TWELVE_LEADS)}; got {list(leads)}")


def canonical_lead(name: str) -> str:
    """The name of a lead as it is written here, however a file spells it; an unknown name comes back as it is.

    >>> canonical_lead("AVR"), canonical_lead(" v1 "), canonical_lead("ii"), canonical_lead("MCL1")
    ('aVR', 'V1', 'II', 'MCL1')
    """
    return {lead.upper(): lead for lead in TWELVE_LEADS}.get(name.strip().upper(), name)


def select_leads(signals: np.ndarray, available: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Take leads by name out of ``(…, lead, time)``, deriving III, aVR, aVL and aVF where only I and II are there.

    Integers in come out as integers, the half µV of the augmented leads rounded to even.

    Raises:
        ValueError: a wanted lead is neither there nor derivable.
    """
    position = {lead: i for i, lead in enumerate(available)}
    if signals.shape[-2] != len(position):
        raise ValueError(f"{signals.shape[-2]} leads in the signals, but {len(position)} names: {listed(available)}")
    columns = []
    for lead in wanted:
        if lead in position:
            columns.append(signals[..., position[lead], :])
        elif lead in DERIVED_LEADS and "I" in position and "II" in position:
            share_i, share_ii = DERIVED_LEADS[lead]
            wide = np.result_type(signals, np.float32)
            derived = share_i * signals[..., position["I"], :].astype(wide)
            derived += share_ii * signals[..., position["II"], :].astype(wide)
            is_integer = np.issubdtype(signals.dtype, np.integer)
            columns.append(np.rint(derived).astype(signals.dtype) if is_integer else derived.astype(signals.dtype))
        else:
            raise ValueError(f"lead {lead!r} is not in the record; it has {listed(available)}")
    return np.stack(columns, axis=-2)


def to_microvolts(millivolts: np.ndarray) -> np.ndarray:
    """mV -> int16 µV, rounded.

    Raises:
        ValueError: a value is not finite, or too large for the ECG set's 16 bits (±32.767 mV).
    """
    largest = np.abs(millivolts).max(initial=0.0)
    if not largest <= LARGEST_STORED_MV:  # NaN fails every comparison
        raise ValueError(f"values must be finite and within ±{LARGEST_STORED_MV} mV; the largest is {largest}")
    return np.rint(millivolts * MICROVOLTS_PER_MILLIVOLT).astype(np.int16)


def independent_leads(leads: Sequence[str]) -> tuple[str, ...]:
    """The leads that do not follow from I and II where both are there, in the order of the twelve.

    >>> independent_leads(["aVF", "V1", "II", "I"]), independent_leads(["aVF", "II"])
    (('I', 'II', 'V1'), ('II', 'aVF'))
    """
    return tuple(lead for lead in TWELVE_LEADS if lead in leads and lead not in stored_derived_leads(leads))


def stored_derived_leads(leads: Sequence[str]) -> list[str]:
    return [lead for lead in DERIVED_LEADS if {lead, "I", "II"} <= set(leads)]
