"""An ECG set while it is drawn: on disk from the first record on, whoever is killed in between.

Records are drawn in steps of 64. A process writes a step's signals to their place and then a line to its own journal: a
step without a line is drawn again, which gives the same. So a set is gone on with after any stop, by any number of
processes; the last of them checks every step against its checksum and completes the set.
"""

import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from filelock import Timeout
from jaxtyping import Int16
from tqdm import tqdm

from ecggan.data.sets.ecg_set import SIGNALS, write_header
from ecggan.files.atomic import ResumableFolder, atomic_file, file_lock
from ecggan.generation.sampler import DegenerateGeneratorError

STEP = 64
"""Candidates of a step; the last one of a set may be shorter."""


@dataclass(frozen=True)
class Step:
    """Some candidates for a set, one after the other, drawn and judged.

    Args:
        number: of the step: its candidates are those from 64 times this on.
        microvolts: of all of them.
        left_out: by candidate, the rule that it broke and how; all others are kept.
    """

    number: int
    microvolts: Int16[np.ndarray, "candidate lead time"]
    left_out: Mapping[int, tuple[str, str]]

    @property
    def candidates(self) -> range:
        return range(self.number * STEP, self.number * STEP + len(self.microvolts))

    @cached_property
    def kept(self) -> list[int]:
        return [candidate for candidate in self.candidates if candidate not in self.left_out]

    @cached_property
    def kept_microvolts(self) -> Int16[np.ndarray, "kept lead time"]:
        return self.microvolts[[candidate - self.candidates.start for candidate in self.kept]]

    def line(self) -> "Line":
        crc32 = zlib.crc32(self.kept_microvolts.tobytes())
        return Line(self.number, len(self.microvolts), self.left_out, crc32)


@dataclass(frozen=True)
class Line:
    """What a journal says of a step."""

    step: int
    num_candidates: int
    left_out: Mapping[int, tuple[str, str]]
    crc32: int

    @property
    def num_kept(self) -> int:
        return self.num_candidates - len(self.left_out)

    def kept(self) -> list[int]:
        candidates = range(self.step * STEP, self.step * STEP + self.num_candidates)
        return [candidate for candidate in candidates if candidate not in self.left_out]


class Tally:
    """Which steps are drawn, and when they are enough for the set.

    Args:
        num_records: of the set.
        is_screened: whether candidates are left out, so that more are needed.
    """

    def __init__(self, num_records: int, is_screened: bool) -> None:
        self.num_records, self.is_screened = num_records, is_screened
        self.lines: dict[int, list[Line]] = {}  # two processes may have drawn one step

    def add(self, line: Line) -> None:
        if line not in self.lines.setdefault(line.step, []):
            self.lines[line.step].append(line)

    def length(self, step: int) -> int:
        """The candidates of a step."""
        return STEP if self.is_screened else min(STEP, self.num_records - step * STEP)

    def end(self) -> int | None:
        """The first step that the set does not need, by what is drawn so far; None while that is too little."""
        if not self.is_screened:
            return ceil(self.num_records / STEP)
        num_kept = 0
        for number in sorted(self.lines):
            num_kept += self.lines[number][0].num_kept
            if num_kept >= self.num_records:
                return number + 1
        return None

    def missing(self, part: int = 0, num_parts: int = 1) -> Iterator[int]:
        """The steps that this part of the processes has yet to draw; looks again before each whether it is needed."""
        for step in count(part, num_parts):
            if step not in self.lines:
                end = self.end()
                if end is not None and step >= end:
                    return
                yield step

    def is_complete(self) -> bool:
        return next(self.missing(), None) is None

    def needed(self) -> list[Line]:
        """A line for each step of a complete set."""
        return [self.lines[step][0] for step in range(self.end() or 0)]

    def chosen(self) -> tuple[list[int], dict[int, tuple[str, str]]]:
        """The candidates of a complete set, and those before the last of them that were left out."""
        lines = self.needed()
        candidates = [candidate for line in lines for candidate in line.kept()][: self.num_records]
        left_out = {candidate: reason for line in lines for candidate, reason in line.left_out.items()}
        return candidates, {candidate: left_out[candidate] for candidate in left_out if candidate < candidates[-1]}

    @property
    def num_candidates(self) -> int:
        return sum(lines[0].num_candidates for lines in self.lines.values())

    @property
    def num_kept(self) -> int:
        return sum(lines[0].num_kept for lines in self.lines.values())

    def check_acceptance_rate(self) -> None:
        """Raise DegenerateGeneratorError where fewer than one in a thousand candidates is kept."""
        if self.num_candidates >= 1000 * (self.num_kept + 1):
            counts: dict[str, int] = {}
            for lines in self.lines.values():
                for rule, _ in lines[0].left_out.values():
                    counts[rule] = counts.get(rule, 0) + 1
            most = ", ".join(f"{rule} {number}" for rule, number in sorted(counts.items(), key=lambda e: -e[1])[:3])
            raise DegenerateGeneratorError(
                f"keep leaves out nearly all of this generator's ECGs: {self.num_kept} of {self.num_candidates:,} are "
                f"kept (left out by {most}); take another checkpoint, or keep=null"
            )


def num_drawn(notes: Path) -> int:
    """The records that all processes have drawn so far of a set, as their journals in its folder of notes say."""
    lines = (line for journal in notes.glob("journal-*.jsonl") for line in journal.read_bytes().splitlines())
    steps = {}
    for line in lines:
        with suppress(ValueError, TypeError, RecursionError):  # being written
            step, num_candidates, left_out, _ = json.loads(line)
            steps[step] = num_candidates - len(left_out)
    return sum(steps.values())


class UnfinishedSet:
    """The files of a set that is being drawn, within a [ResumableFolder][ecggan.files.atomic.ResumableFolder].

    Args:
        folder: of the set.
        shape: leads and samples of a record.
        num_records: of the set.
        is_screened: whether candidates are left out. Then all that are kept first lie at their candidate's place, in a
            file of holes, and the set is copied from it at the end.
        part: which of the processes that fill the set this is; each has its own journal.
    """

    def __init__(
        self, folder: ResumableFolder, shape: tuple[int, int], num_records: int, is_screened: bool, part: int
    ) -> None:
        self.folder, self.shape = folder, shape
        self.tally = Tally(num_records, is_screened)
        self._signals = folder.notes / "candidates.raw" if is_screened else folder.content / SIGNALS
        self._journal = folder.notes / f"journal-{part}.jsonl"
        self._read_to: dict[Path, int] = {}
        self._offset = 0  # of the first record in the file
        self.read_journals()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold this part's journal.

        Raises:
            FileExistsError: another process holds it.
        """
        try:
            lock = file_lock(self._journal.with_suffix(".lock"), blocking=False)
        except Timeout as error:
            raise FileExistsError(
                f"another process is drawing the same part of {self.folder.path}; where several fill one set, each "
                "needs a part of its own: part=slurm in a Slurm job, else part=0/2 and part=1/2"
            ) from error
        self._signals.touch()
        with lock, open(self._journal, "ab") as self._lines, open(self._signals, "r+b") as self._file:
            if not self.tally.is_screened:
                write_header(self._file, (self.tally.num_records, *self.shape))
                self._file.flush()
                self._offset = self._file.tell()
            yield

    @contextmanager
    def completing(self) -> Iterator[bool]:
        """Wait until no other process completes the set; whether it is still to be done."""
        with file_lock(self.folder.notes / "completing.lock", blocking=True):
            is_to_be_done = self.folder.is_begun()
            if is_to_be_done:
                self._sweep()
            yield is_to_be_done

    def is_alone(self) -> bool:
        """Whether no other part has begun."""
        return list(self.folder.notes.glob("journal-*.jsonl")) == [self._journal]

    def _sweep(self) -> None:
        """Remove what a process left in the content that was killed while it completed the set."""
        for file in self.folder.content.iterdir():
            if file != self._signals:
                file.unlink()

    def add(self, step: Step) -> None:
        """Write a step and note it."""
        kept, signals, line = step.kept, step.kept_microvolts, step.line()
        for run in np.split(np.arange(len(kept)), np.flatnonzero(np.diff(kept) > 1) + 1):
            if len(run):
                self._file.seek(self._place(kept[run[0]]))
                self._file.write(signals[run].tobytes())
        self._file.flush()
        text = json.dumps([line.step, line.num_candidates, list(line.left_out.items()), line.crc32])
        self._lines.write(f"\n{text}\n".encode())  # the line before may have been cut by a kill
        self._lines.flush()
        self.tally.add(line)

    def read_journals(self) -> None:
        """Learn what all processes have drawn since the last look."""
        for journal in sorted(self.folder.notes.glob("journal-*.jsonl")):
            with open(journal, "rb") as file:
                file.seek(self._read_to.get(journal, 0))
                new = file.read()
            whole = new.rfind(b"\n") + 1
            self._read_to[journal] = self._read_to.get(journal, 0) + whole
            for text in new[:whole].splitlines():
                with suppress(ValueError, TypeError, RecursionError):  # cut by a kill: the step is drawn again
                    self.tally.add(self._line(json.loads(text)))

    def _line(self, noted: Any) -> Line:
        """Raise ValueError or TypeError where it is none of this set."""
        step, num_candidates, left_out, crc32 = noted
        reasons = {int(candidate): (str(rule), str(detail)) for candidate, (rule, detail) in left_out}
        candidates = range(step * STEP, step * STEP + num_candidates)
        if not (step >= 0 and num_candidates == self.tally.length(step) and set(reasons) <= set(candidates)):
            raise ValueError("no step of this set")
        return Line(step, num_candidates, reasons, int(crc32))

    def damaged(self, progress: bool) -> list[int]:
        """The steps of a complete set that are not on disk as they were drawn; they count as missing from now on."""
        found = []
        for line in tqdm(self.tally.needed(), desc="checking", unit="step", disable=not progress):
            crc32 = zlib.crc32(self._read(line.kept()).tobytes())
            if not any(other.crc32 == crc32 and other.kept() == line.kept() for other in self.tally.lines[line.step]):
                found.append(line.step)
                del self.tally.lines[line.step]
        return found

    def gather(self) -> tuple[list[int], dict[int, tuple[str, str]]]:
        """Leave `signals.npy` with the set's records alone; tell which candidates they are, and which were left out."""
        candidates, left_out = self.tally.chosen()
        if not self.tally.is_screened:
            os.truncate(self._signals, self._place(self.tally.num_records))
            return candidates, left_out
        with atomic_file(self.folder.content / SIGNALS) as unfinished, open(unfinished, "w+b") as file:
            write_header(file, (self.tally.num_records, *self.shape))
            for start in range(0, len(candidates), STEP):
                file.write(self._read(candidates[start : start + STEP]).tobytes())
        return candidates, left_out

    def check_disk_space(self) -> None:
        """Raise OSError where the set will not fit."""
        copies = 2 if self.tally.is_screened else 1
        needed = self._bytes * (copies * self.tally.num_records - self.tally.num_kept)
        free = shutil.disk_usage(self.folder.notes).free
        if needed > free:
            raise OSError(
                f"{self.folder.path} needs {needed / 1e6:,.0f} MB more, and its disk has {free / 1e6:,.0f} MB free: "
                "make room, or give another folder or fewer records"
            )

    def state(self) -> str:
        """How far the set is, in words."""
        num_kept = min(self.tally.num_kept, self.tally.num_records)
        return f"{num_kept:,} of {self.tally.num_records:,} ECGs lie in {self.folder.notes}"

    @property
    def _bytes(self) -> int:
        """Of a record."""
        return 2 * int(np.prod(self.shape))

    def _place(self, candidate: int) -> int:
        return self._offset + candidate * self._bytes

    def _read(self, candidates: Sequence[int]) -> Int16[np.ndarray, "candidate lead time"]:
        signals = np.zeros((len(candidates), *self.shape), np.int16)
        for row, candidate in zip(signals.reshape(len(candidates), -1), candidates, strict=True):
            self._file.seek(self._place(candidate))
            found = np.frombuffer(self._file.read(self._bytes), np.uint8)
            row.view(np.uint8)[: len(found)] = found
        return signals
