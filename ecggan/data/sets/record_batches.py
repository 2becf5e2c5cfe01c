"""Some records of a set as they travel to another process: of a set on disk by their place, else by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int16

from ecggan.data.sets.ecg_set import SIGNALS, ECGSet, to_millivolts


@dataclass(frozen=True)
class StoredRecords:
    """Records to be read where they are worked on.

    Args:
        path: of a set's signals, absolute; None for a set in memory.
        rows_or_signals: which of them these records are; in memory, the records themselves in µV.
        leads: of the set.
    """

    path: Path | None
    rows_or_signals: np.ndarray
    leads: tuple[str, ...]

    @classmethod
    def of(cls, ecgs: ECGSet, which: slice | Sequence[int] | np.ndarray) -> "StoredRecords":
        """Those at some positions of a set."""
        if ecgs.path is None:
            return cls(None, ecgs.microvolts(which), ecgs.leads)
        return cls(ecgs.path.resolve() / SIGNALS, ecgs.rows[which], ecgs.leads)

    def microvolts(self) -> Int16[np.ndarray, "record lead time"]:
        if self.path is None:
            return self.rows_or_signals
        return np.load(self.path, mmap_mode="r")[self.rows_or_signals]

    def millivolts(self, leads: Sequence[str] | None = None) -> Float32[np.ndarray, "record lead time"]:
        """In the leads asked for (derived where they can be)."""
        return to_millivolts(self.microvolts(), self.leads, leads)
