"""Which batches of a set are drawn, and which are still missing.

A set is drawn in batches of 64 candidates, the same by whatever process. Without a screen each candidate is a record of
the set. With a screen some candidates are excluded, and batches are drawn until enough are kept.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import ceil

import numpy as np
from jaxtyping import Int16

from ecggan.generation.sampler import DegenerateGeneratorError

CANDIDATES_PER_BATCH = 64
"""The last batch of a set may be shorter."""


@dataclass(frozen=True)
class Batch:
    """Consecutive candidates of a set, drawn and screened.

    Args:
        number: its candidates begin at 64 times this.
        microvolts: of all candidates.
        excluded: by candidate, the rule that it broke and the detail; all others are kept.
    """

    number: int
    microvolts: Int16[np.ndarray, "candidate lead time"]
    excluded: Mapping[int, tuple[str, str]]

    @property
    def candidates(self) -> range:
        return _candidates(self.number, len(self.microvolts))

    @cached_property
    def kept(self) -> list[int]:
        return [candidate for candidate in self.candidates if candidate not in self.excluded]

    @cached_property
    def kept_microvolts(self) -> Int16[np.ndarray, "kept lead time"]:
        return self.microvolts[[candidate - self.candidates.start for candidate in self.kept]]

    def entry(self) -> "JournalEntry":
        crc32 = zlib.crc32(self.kept_microvolts.tobytes())
        return JournalEntry(self.number, len(self.microvolts), self.excluded, crc32)


@dataclass(frozen=True)
class JournalEntry:
    """A batch in a journal: everything but its signals, of which it has the checksum."""

    batch: int
    num_candidates: int
    excluded: Mapping[int, tuple[str, str]]
    crc32: int

    @classmethod
    def parse(cls, line: bytes) -> "JournalEntry | None":
        """The entry of a journal's line; None for a line that a kill has cut."""
        try:
            batch, num_candidates, excluded, crc32 = json.loads(line)
            reasons = {int(candidate): (str(rule), str(detail)) for candidate, (rule, detail) in excluded}
            if not (batch >= 0 and reasons.keys() <= set(_candidates(batch, num_candidates))):
                return None
            return cls(batch, num_candidates, reasons, int(crc32))
        except (ValueError, TypeError, RecursionError):
            return None

    def line(self) -> bytes:
        return json.dumps([self.batch, self.num_candidates, list(self.excluded.items()), self.crc32]).encode()

    @property
    def num_kept(self) -> int:
        return self.num_candidates - len(self.excluded)

    def kept(self) -> list[int]:
        candidates = _candidates(self.batch, self.num_candidates)
        return [candidate for candidate in candidates if candidate not in self.excluded]


class Progress:
    """The batches that are drawn, and those that the set still needs.

    Args:
        num_records: of the set.
        is_screened: whether candidates may be excluded, so that the set needs more of them.
    """

    def __init__(self, num_records: int, is_screened: bool) -> None:
        self.num_records, self.is_screened = num_records, is_screened
        self.entries: dict[int, list[JournalEntry]] = {}  # two processes may have drawn one batch

    def add(self, entry: JournalEntry) -> None:
        if entry not in self.entries.setdefault(entry.batch, []):
            self.entries[entry.batch].append(entry)

    def length(self, batch: int) -> int:
        """The number of candidates in a batch."""
        if self.is_screened:
            return CANDIDATES_PER_BATCH
        return min(CANDIDATES_PER_BATCH, self.num_records - batch * CANDIDATES_PER_BATCH)

    def end(self) -> int | None:
        """The first batch that the set does not need; None while the kept candidates are too few."""
        if not self.is_screened:
            return ceil(self.num_records / CANDIDATES_PER_BATCH)
        num_kept = 0
        for batch in sorted(self.entries):
            num_kept += self.entries[batch][0].num_kept
            if num_kept >= self.num_records:
                return batch + 1
        return None

    def missing(self, part: int = 0, num_parts: int = 1) -> Iterator[int]:
        """The batches that a part has yet to draw; checks before each whether the set still needs it."""
        for batch in count(part, num_parts):
            if batch not in self.entries:
                end = self.end()
                if end is not None and batch >= end:
                    return
                yield batch

    def is_complete(self) -> bool:
        return next(self.missing(), None) is None

    def needed(self) -> list[JournalEntry]:
        """One entry for each batch of a complete set."""
        return [self.entries[batch][0] for batch in range(self.end() or 0)]

    def selection(self) -> tuple[list[int], dict[int, tuple[str, str]]]:
        """The candidates of a complete set, and the excluded ones before the last of them."""
        needed = self.needed()
        candidates = [candidate for entry in needed for candidate in entry.kept()][: self.num_records]
        excluded = {candidate: reason for entry in needed for candidate, reason in entry.excluded.items()}
        return candidates, {candidate: excluded[candidate] for candidate in excluded if candidate < candidates[-1]}

    @property
    def num_candidates(self) -> int:
        return sum(entries[0].num_candidates for entries in self.entries.values())

    @property
    def num_kept(self) -> int:
        return sum(entries[0].num_kept for entries in self.entries.values())

    def check_acceptance_rate(self) -> None:
        """Raise DegenerateGeneratorError if fewer than one in a thousand candidates is kept."""
        if self.num_candidates < 1000 * (self.num_kept + 1):
            return
        counts = Counter(rule for entries in self.entries.values() for rule, _ in entries[0].excluded.values())
        most = ", ".join(f"{rule} {number}" for rule, number in counts.most_common(3))
        raise DegenerateGeneratorError(
            f"keep leaves out nearly all of this generator's ECGs: {self.num_kept} of {self.num_candidates:,} are "
            f"kept (left out by {most}); take another checkpoint, or keep=null"
        )


def _candidates(batch: int, length: int) -> range:
    start = batch * CANDIDATES_PER_BATCH
    return range(start, start + length)
