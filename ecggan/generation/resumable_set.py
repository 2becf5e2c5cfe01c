"""The files of a set while it is drawn: on disk from the first record on, resumable after any kill.

A process writes a batch's signals to their place and then an entry to its own journal: a batch without an entry is
drawn again, with the same result. So any number of processes can resume a set; the last one verifies every batch
against its checksum and completes the set.
"""

import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import Timeout
from jaxtyping import Int16
from tqdm import tqdm

from ecggan.data.sets.manifest import SIGNALS
from ecggan.data.sets.writer import write_header
from ecggan.files.atomic import atomic_file
from ecggan.files.locks import file_lock
from ecggan.files.resumable_folder import ResumableFolder
from ecggan.generation.progress import CANDIDATES_PER_BATCH, Batch, JournalEntry, Progress

_JOURNALS = "journal-*.jsonl"


def num_drawn(notes: Path) -> int:
    """The number of records that all processes have drawn so far, by the journals in a set's folder of notes."""
    lines = (line for journal in notes.glob(_JOURNALS) for line in journal.read_bytes().splitlines())
    entries = {entry.batch: entry for line in lines if (entry := JournalEntry.parse(line))}
    return sum(entry.num_kept for entry in entries.values())


class ResumableSet:
    """The files of a set that is being drawn, in a [ResumableFolder][ecggan.files.resumable_folder.ResumableFolder].

    Args:
        folder: of the set.
        shape: leads and samples of a record.
        num_records: of the set.
        is_screened: whether candidates may be excluded. Then the kept ones are first written at their candidate's
            place in a sparse file, from which the set is copied at the end.
        part: of this process; each part has its own journal.
    """

    def __init__(
        self, folder: ResumableFolder, shape: tuple[int, int], num_records: int, is_screened: bool, part: int
    ) -> None:
        self.folder, self.shape = folder, shape
        self.progress = Progress(num_records, is_screened)
        self._signals = folder.notes / "candidates.raw" if is_screened else folder.content / SIGNALS
        self._journal = folder.notes / f"journal-{part}.jsonl"
        self._read_to: dict[Path, int] = {}
        self._offset = 0  # of the first record in the file
        self.read_journals()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock and open this part's journal, and open the signals.

        Raises:
            FileExistsError: another process holds the lock.
        """
        try:
            lock = file_lock(self._journal.with_suffix(".lock"), blocking=False)
        except Timeout as error:
            raise FileExistsError(
                f"another process is drawing the same part of {self.folder.path}; where several fill one set, each "
                "needs a part of its own: part=slurm in a Slurm job, else part=0/2 and part=1/2"
            ) from error
        self._signals.touch()
        with lock, open(self._journal, "ab") as self._entries, open(self._signals, "r+b") as self._file:
            if not self.progress.is_screened:
                write_header(self._file, (self.progress.num_records, *self.shape))
                self._file.flush()
                self._offset = self._file.tell()
            yield

    @contextmanager
    def completing(self) -> Iterator[bool]:
        """Wait until no other process completes the set; yields whether the set is still to be completed."""
        with file_lock(self.folder.notes / "completing.lock", blocking=True):
            is_incomplete = self.folder.is_begun()
            if is_incomplete:
                self._sweep()
            yield is_incomplete

    def is_alone(self) -> bool:
        """Whether no other part has begun."""
        return list(self.folder.notes.glob(_JOURNALS)) == [self._journal]

    def _sweep(self) -> None:
        """Remove the files of a process that was killed while it completed the set."""
        for file in self.folder.content.iterdir():
            if file != self._signals:
                file.unlink()

    def add(self, batch: Batch) -> None:
        """Write a batch's kept signals, then its journal entry."""
        kept, signals, entry = batch.kept, batch.kept_microvolts, batch.entry()
        for run in np.split(np.arange(len(kept)), np.flatnonzero(np.diff(kept) > 1) + 1):
            if len(run):
                self._file.seek(self._place(kept[run[0]]))
                self._file.write(signals[run].tobytes())
        self._file.flush()
        self._entries.write(b"\n" + entry.line() + b"\n")  # the line before may have been cut by a kill
        self._entries.flush()
        self.progress.add(entry)

    def read_journals(self) -> None:
        """Add the entries that any process has written since the last call."""
        for journal in sorted(self.folder.notes.glob(_JOURNALS)):
            with open(journal, "rb") as file:
                file.seek(self._read_to.get(journal, 0))
                new = file.read()
            whole = new.rfind(b"\n") + 1
            self._read_to[journal] = self._read_to.get(journal, 0) + whole
            for line in new[:whole].splitlines():
                entry = JournalEntry.parse(line)
                if entry is not None and entry.num_candidates == self.progress.length(entry.batch):
                    self.progress.add(entry)

    def damaged(self, show_progress: bool) -> list[int]:
        """The batches of a complete set whose signals on disk do not match their checksum; now missing again."""
        found = []
        for entry in tqdm(self.progress.needed(), desc="checking", unit="batch", disable=not show_progress):
            crc32 = zlib.crc32(self._read(entry.kept()).tobytes())
            written = self.progress.entries[entry.batch]
            if not any(other.crc32 == crc32 and other.kept() == entry.kept() for other in written):
                found.append(entry.batch)
                del self.progress.entries[entry.batch]
        return found

    def gather(self) -> tuple[list[int], dict[int, tuple[str, str]]]:
        """Make `signals.npy` of the set's records alone; returns [Progress.selection][]."""
        candidates, excluded = self.progress.selection()
        if not self.progress.is_screened:
            os.truncate(self._signals, self._place(self.progress.num_records))
            return candidates, excluded
        with atomic_file(self.folder.content / SIGNALS) as unfinished, open(unfinished, "w+b") as file:
            write_header(file, (self.progress.num_records, *self.shape))
            for start in range(0, len(candidates), CANDIDATES_PER_BATCH):
                file.write(self._read(candidates[start : start + CANDIDATES_PER_BATCH]).tobytes())
        return candidates, excluded

    def check_disk_space(self) -> None:
        """Raise OSError if the rest of the set does not fit on the disk."""
        copies = 2 if self.progress.is_screened else 1
        needed = self._record_bytes * (copies * self.progress.num_records - self.progress.num_kept)
        free = shutil.disk_usage(self.folder.notes).free
        if needed > free:
            raise OSError(
                f"{self.folder.path} needs {needed / 1e6:,.0f} MB more, and its disk has {free / 1e6:,.0f} MB free: "
                "make room, or give another folder or fewer records"
            )

    def summary_text(self) -> str:
        """How many records are drawn, and where they are kept."""
        num_kept = min(self.progress.num_kept, self.progress.num_records)
        return f"{num_kept:,} of {self.progress.num_records:,} ECGs are kept in {self.folder.notes}"

    @property
    def _record_bytes(self) -> int:
        return 2 * int(np.prod(self.shape))

    def _place(self, candidate: int) -> int:
        return self._offset + candidate * self._record_bytes

    def _read(self, candidates: Sequence[int]) -> Int16[np.ndarray, "candidate lead time"]:
        signals = np.zeros((len(candidates), *self.shape), np.int16)
        for row, candidate in zip(signals.reshape(len(candidates), -1), candidates, strict=True):
            self._file.seek(self._place(candidate))
            found = np.frombuffer(self._file.read(self._record_bytes), np.uint8)
            row.view(np.uint8)[: len(found)] = found
        return signals
