"""Which ECGs go into a set, by what is measured in them."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from ecggan.data.sets.ecg_set import ECGSet


@runtime_checkable
class Keep(Protocol):
    """Which candidates go into a set; `NormalityFilter` of the evaluation is one.

    Attributes:
        description: plain values that tell two screens apart; goes into the set's manifest.
        records_at_once: how many it likes to judge at a time.
    """

    @property
    def description(self) -> dict[str, Any]: ...

    @property
    def records_at_once(self) -> int: ...

    def __call__(self, ecgs: ECGSet) -> Sequence[tuple[str, str] | None]:
        """For each record None, or the rule for which it is left out and the detail."""
        ...
