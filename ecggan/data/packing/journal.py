"""The files of a set while it is packed: batches in the journal survive a kill, and duplicates are excluded."""

import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from ecggan.data.amplitudes import median_amplitude
from ecggan.data.packing.outcomes import Excluded, Kept, Outcome
from ecggan.data.patients import num_by_placeholder
from ecggan.data.sets.cautions import cautions_of, source_name
from ecggan.data.sets.ecg_set import record_hash
from ecggan.data.sets.exclusions import EXAMPLES_PER_RULE, ExcludedExample, save_example
from ecggan.data.sets.manifest import SIGNALS
from ecggan.data.sets.writer import complete_ecg_set, write_header

JOURNAL = "journal.jsonl"
_ROWS_AT_A_TIME = 10_000


class PackingJournal:
    """Appends batches of outcomes in their order: first the signals to `signals.npy`, then a line to the journal.

    A record with the samples of an earlier one is excluded as a duplicate. An entry that was cut by a kill is truncated
    when the folder is opened again.

    Args:
        content: the folder of the set that is being packed; may hold batches of an interrupted run.
        leads: of each record.
        sampling_rate: of each record, in Hz.
        num_samples: of each record.
        excludes_duplicates: as above; False keeps them.

    Attributes:
        num_batches: how many are in the journal.
    """

    def __init__(
        self,
        content: Path,
        leads: Sequence[str],
        sampling_rate: int,
        num_samples: int,
        excludes_duplicates: bool = True,
    ) -> None:
        self._excludes_duplicates = excludes_duplicates
        self.num_batches = 0
        self._content = content
        self._leads = leads
        self._sampling_rate = sampling_rate
        self._shape = len(leads), num_samples
        self._bytes = 2 * len(leads) * num_samples
        self._num_kept = 0
        self._names: dict[str, str] = {}  # by hash
        self._num_by_rule: Counter[str] = Counter()
        self._amplitudes: list[float] = []

    def __enter__(self) -> "PackingJournal":
        for name in (SIGNALS, JOURNAL):
            (self._content / name).touch()
        self._signals = open(self._content / SIGNALS, "r+b")
        self._lines = open(self._content / JOURNAL, "r+b")
        write_header(self._signals, (0, *self._shape))
        self._truncate_partial_entry()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._signals.close()
        self._lines.close()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Append the next batch."""
        outcomes = [self._unless_duplicate(outcome) if isinstance(outcome, Kept) else outcome for outcome in outcomes]
        kept = [outcome for outcome in outcomes if isinstance(outcome, Kept)]
        left_out = [outcome for outcome in outcomes if isinstance(outcome, Excluded)]
        signals = b"".join(np.ascontiguousarray(outcome.microvolts).tobytes() for outcome in kept)
        self._signals.write(signals)
        self._signals.flush()
        rows = [outcome.row for outcome in kept]
        reasons = [(outcome.rule, outcome.record, outcome.detail) for outcome in left_out]
        for outcome in left_out:
            self._save_example(outcome)
        amplitudes = [round(each.amplitude, 4) for each in outcomes if each.amplitude is not None]
        self._lines.write(json.dumps([rows, reasons, zlib.crc32(signals), amplitudes]).encode() + b"\n")
        self._lines.flush()
        self._amplitudes += amplitudes
        self._num_kept += len(kept)
        self.num_batches += 1

    def _unless_duplicate(self, outcome: Kept) -> Outcome:
        """The outcome with its hash, or its exclusion as a duplicate."""
        digest = record_hash(outcome.microvolts, self._leads)
        name = str(outcome.row["record"])
        if digest in self._names and self._excludes_duplicates:
            return outcome.excluded(
                "duplicate", f"the same samples as {self._names[digest]}", self._leads, self._sampling_rate
            )
        self._names[digest] = name
        return replace(outcome, row={**outcome.row, "hash": digest})

    def _save_example(self, outcome: Excluded) -> None:
        """Save the first records of each rule as examples."""
        number = self._num_by_rule[outcome.rule]
        self._num_by_rule[outcome.rule] += 1
        if number < EXAMPLES_PER_RULE and outcome.excerpt is not None:
            save_example(
                self._content, ExcludedExample(outcome.rule, outcome.record, outcome.detail, outcome.excerpt), number
            )

    def complete(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Complete the set, and return its account; the manifest's `made_by` names its source."""
        left_out: dict[str, list[dict[str, str]]] = {}
        num_left_out = 0
        tables: list[pd.DataFrame] = []
        waiting: list[Mapping[str, Any]] = []
        self._lines.seek(0)
        for line in self._lines:
            rows, reasons, *_ = json.loads(line)
            num_left_out += len(reasons)
            for rule, record, detail in reasons:
                left_out.setdefault(rule, []).append({"record": record, "detail": detail})
            waiting += rows
            if len(waiting) >= _ROWS_AT_A_TIME:
                tables.append(pd.DataFrame(waiting))
                waiting = []
        tables.append(pd.DataFrame(waiting, columns=None if waiting or tables else ["record"]))
        write_header(self._signals, (self._num_kept, *self._shape))
        self._signals.flush()
        table = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)
        account: dict[str, Any] = {
            "read": self._num_kept + num_left_out,
            "kept": self._num_kept,
            "placeholder_patients": num_by_placeholder(table),
            "amplitudes": {source_name(manifest): median_amplitude(self._amplitudes)},
        }
        account["cautions"] = cautions_of({**manifest, "account": account}, table)
        account["left_out"] = left_out
        complete_ecg_set(self._content, manifest, table, account)
        (self._content / JOURNAL).unlink()
        return account

    def _truncate_partial_entry(self) -> None:
        signals_end, lines_end = self._signals.tell(), 0
        for line, rows, reasons, crc32, amplitudes in self._entries():
            if zlib.crc32(self._signals.read(len(rows) * self._bytes)) != crc32:
                break
            self._names |= {row["hash"]: row["record"] for row in rows}
            self._num_by_rule.update(rule for rule, *_ in reasons)
            self._num_kept += len(rows)
            self._amplitudes += amplitudes
            self.num_batches += 1
            lines_end += len(line)
            signals_end = self._signals.tell()
        for file, end in ((self._signals, signals_end), (self._lines, lines_end)):
            os.truncate(file.fileno(), end)
            file.seek(end)

    def _entries(self) -> Iterator[tuple[bytes, list[dict[str, str]], list[list[str]], int, list[float]]]:
        """Each line up to the first damaged one: its rows, exclusions, the checksum of the signals, amplitudes."""
        with suppress(ValueError, TypeError, RecursionError):
            for line in self._lines:
                if not line.endswith(b"\n"):
                    return
                rows, reasons, crc32, amplitudes = json.loads(line)
                yield line, rows, reasons, crc32, amplitudes
