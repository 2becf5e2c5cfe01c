"""The outcome of packing a record: kept with its row of the table, or excluded by a rule."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int16

from ecggan.data.amplitudes import times_adults
from ecggan.data.packing.preprocessing import Shaping
from ecggan.data.packing.quality import QualityRules, amplitude_exclusion_reason, exclusion_reason
from ecggan.data.patients import without_placeholder
from ecggan.data.record import Record, RecordReference, in_one_line, printable
from ecggan.data.sets.exclusions import Excerpt
from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT, ECGFormat, to_microvolts

_MOST_SAMPLES_SHOWN, _MOST_LEADS_SHOWN = 50_000, 16  # of an excluded record


class NothingUsableError(ValueError):
    """Every record was excluded."""


class NotWantedError(ValueError):
    """Raised by a reader whose file shows that the record was not selected: the rule and the detail."""


@dataclass(frozen=True)
class Kept:
    """A record that goes into the set.

    Args:
        microvolts: as stored.
        row: of the table.
        amplitude: times that of adults' ECGs elsewhere ([ecggan.data.amplitudes][]); None if it is not known.
    """

    microvolts: Int16[np.ndarray, "lead time"]
    row: Mapping[str, Any]
    amplitude: float | None = None

    def excluded(self, rule: str, detail: str, leads: Sequence[str], sampling_rate: int) -> "Excluded":
        """The same record, excluded by a rule."""
        excerpt = Excerpt(self.microvolts / MICROVOLTS_PER_MILLIVOLT, leads, sampling_rate)
        return Excluded(rule, self.row["record"], detail, excerpt, self.amplitude)


@dataclass(frozen=True)
class Excluded:
    """An excluded record: the rule, the detail, the beginning of its signals, and its amplitude as in [Kept][]."""

    rule: str
    record: str
    detail: str
    excerpt: Excerpt | None = None
    amplitude: float | None = None


Outcome = Kept | Excluded
Read = Callable[[RecordReference], Record]


def read_batch(
    references: Sequence[RecordReference],
    read: Read,
    root: Path,
    ecg: ECGFormat,
    shaping: Shaping,
    quality: QualityRules,
    placeholders: Sequence[str] = (),
) -> list[list[Outcome]]:
    """The outcomes of each reference's records.

    Args:
        references: the records.
        read: reads one.
        root: the folder that the column `source` is relative to.
        ecg: the leads, rate and length wanted.
        shaping: how records are converted.
        quality: which are excluded.
        placeholders: further patient numbers that stand for nobody ([ecggan.data.patients][]).
    """
    return [_read_one(reference, read, root, ecg, shaping, quality, placeholders) for reference in references]


def _read_one(
    reference: RecordReference,
    read: Read,
    root: Path,
    ecg: ECGFormat,
    shaping: Shaping,
    quality: QualityRules,
    placeholders: Sequence[str],
) -> list[Outcome]:
    try:
        return _outcomes_of(read(reference), reference, root, ecg, shaping, quality, placeholders)
    except NotWantedError as error:
        return [Excluded(error.args[0], reference.record, error.args[1])]
    except FileNotFoundError as error:
        return [Excluded("missing", reference.record, _reason(error))]
    except (ValueError, OSError) as error:
        return [Excluded("unreadable", reference.record, _reason(error))]
    except MemoryError:
        return unreadable(reference, "it takes too much memory to read")
    except Exception as error:  # a bug must cost one record, not the run
        return unreadable(reference, in_one_line(error))


def _outcomes_of(
    record: Record,
    reference: RecordReference,
    root: Path,
    ecg: ECGFormat,
    shaping: Shaping,
    quality: QualityRules,
    placeholders: Sequence[str],
) -> list[Outcome]:
    reason = shaping.exclusion_reason(record, ecg)
    if reason:
        return [Excluded(reason[0], reference.record, reason[1], _excerpt(record, ecg))]
    windows = shaping.cut(record, ecg)
    source = printable(reference.path.relative_to(root).as_posix())
    known = {"source": source, **without_placeholder({**reference.facts, **record.facts}, placeholders)}
    if reference.position is not None:
        known["position"] = reference.position
    if record.sampling_rate != ecg.sampling_rate:
        known["resampled_from"] = record.sampling_rate
    outcomes: list[Outcome] = []
    for start, window in windows:
        name, facts = reference.record, known
        if shaping.windows == "all":
            name, facts = f"{name}@{start:g}s", {**known, "start_s": start}
        amplitude = times_adults(window.millivolts, window.leads, window.sampling_rate, known.get("age"))
        reason = exclusion_reason(window, ecg.leads, quality)
        if reason is None:
            millivolts = shaping.apply(window, ecg)
            reason = amplitude_exclusion_reason(millivolts, ecg, quality)
        if reason:
            outcomes.append(Excluded(reason[0], name, reason[1], _excerpt(window, ecg), amplitude))
        else:
            outcomes.append(Kept(to_microvolts(millivolts), {"record": name, **facts}, amplitude))
    return outcomes


def unreadable(reference: RecordReference, what_happened: str) -> list[Outcome]:
    """The outcome of a file that cannot be read."""
    return [Excluded("unreadable", reference.record, printable(f"{reference.path}: {what_happened}"))]


def _reason(error: Exception) -> str:
    return printable(re.sub(r" at 0x[0-9a-f]+", "", str(error)))  # memory addresses differ in each run


def _excerpt(record: Record, ecg: ECGFormat) -> Excerpt:
    """The beginning of an excluded record."""
    end = min(ceil(ecg.duration_s * record.sampling_rate), _MOST_SAMPLES_SHOWN)
    leads = record.leads[:_MOST_LEADS_SHOWN]
    return Excerpt(record.millivolts[: len(leads), :end].astype(np.float32), leads, record.sampling_rate)
