"""Why records were excluded from a set, and example ECGs of each exclusion reason, for the report.

The examples are files in the folder ``left_out`` of the set's folder; they are no part of the set.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

log = logging.getLogger(__name__)

FOLDER = "left_out"
EXAMPLES_PER_RULE = 4
NUM_NAMED = 3  # records named in the summary of a rule


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a record: signals in mV, leads, and sampling rate in Hz."""

    millivolts: Float[np.ndarray, "lead time"]
    leads: Sequence[str]
    sampling_rate: int | float


@dataclass(frozen=True)
class ExcludedExample:
    """An excluded record: the rule, the detail, and its beginning."""

    rule: str
    record: str
    detail: str
    excerpt: Excerpt


def save_example(folder: Path, example: ExcludedExample, number: int, part: str = "") -> None:
    """Save an excluded record as an example of its rule; a file of the same number is overwritten.

    Args:
        folder: of the set.
        example: the record.
        number: among the records of its rule, from 0.
        part: the source, in a set of several.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    facts = [example.rule, example.record, example.detail, list(example.excerpt.leads), example.excerpt.sampling_rate]
    millivolts = np.asarray(example.excerpt.millivolts, np.float32)
    np.savez_compressed(
        folder / FOLDER / f"{example.rule}-{part}{number}.npz", facts=json.dumps(facts), millivolts=millivolts
    )


def read_examples(folder: Path) -> list[ExcludedExample]:
    """The examples in a set's folder, by rule.

    Raises:
        ValueError: a file is damaged.
    """
    return [_read(file) for file in sorted((folder / FOLDER).glob("*.npz"))]


def _read(file: Path) -> ExcludedExample:
    try:
        with np.load(file, allow_pickle=False) as kept:
            rule, record, detail, leads, rate = json.loads(str(kept["facts"]))
            return ExcludedExample(rule, record, detail, Excerpt(kept["millivolts"], tuple(leads), rate))
    except Exception as error:  # damaged archives fail in many ways
        raise ValueError(f"{file} is damaged ({error}); delete it, or the set's folder to pack it again") from error


def log_account(folder: Path, account: Mapping[str, Any]) -> None:
    """Log how many records a set has, and which were excluded."""
    log.info("%s: %d of %d records", folder, account["kept"], account["read"])
    for rule, text in summarize_exclusions(account).items():
        log.warning("excluded by %s: %s", rule, text)


def summarize_exclusions(account: Mapping[str, Any]) -> dict[str, str]:
    """For each rule, how many records it excluded and the first of them: ``3 (00473_hr: lead V1 …)``."""
    summary = {}
    for rule, entries in account["left_out"].items():
        named = "; ".join(f"{entry['record']}: {entry['detail']}" for entry in entries[:NUM_NAMED])
        more = f"; and {len(entries) - NUM_NAMED} more" if len(entries) > NUM_NAMED else ""
        summary[rule] = f"{len(entries)} ({named}{more})"
    return summary
