"""How large a difference of means may be without mattering."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Margin:
    """The largest difference of means that does not matter, in the measurement's unit, and its source."""

    value: int | float
    source: str
