"""The interface of filters that admit records to a set by what is measured in them."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol, runtime_checkable

from ecggan.data.sets.ecg_set import ECGSet


@runtime_checkable
class RecordFilter(Protocol):
    """Decides which records go into a set; `NormalityFilter` is one.

    Attributes:
        description: plain values that tell two filters apart; goes into the set's manifest.
        records_at_once: the size of its batches.
        learned_from: the hashes of the real records that it was fitted on; empty for fixed rules.
    """

    @property
    def description(self) -> dict[str, Any]: ...

    @property
    def records_at_once(self) -> int: ...

    @property
    def learned_from(self) -> Collection[str]: ...

    def __call__(self, ecgs: ECGSet) -> Sequence[tuple[str, str] | None]:
        """For each record None, or the rule that excludes it and the detail."""
        ...
