"""A few of the records that a rule left out, kept beside the set, so that people can see what the rule does.

A set's folder has them in ``left_out``, a file each. They are no part of the set.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ecggan.data.sets.ecg_set import summarize_exclusions

log = logging.getLogger(__name__)


FOLDER = "left_out"
A_RULE = 4  # records that are kept of what a rule left out


@dataclass(frozen=True)
class Excerpt:
    """What there is to see of a record: `millivolts`, their leads, and the rate in Hz."""

    millivolts: Float[np.ndarray, "lead time"]
    leads: Sequence[str]
    sampling_rate: int | float


@dataclass(frozen=True)
class Shown:
    """A record that was left out, the rule that it broke and how, and what there is to see of it."""

    rule: str
    record: str
    detail: str
    excerpt: Excerpt


def show(folder: Path, shown: Shown, number: int, part: str = "") -> None:
    """Keep a record for others to see; what was begun under that number is written over.

    Args:
        folder: of the set.
        shown: the record.
        number: of those that its rule left out, from 0.
        part: of a set of several sources, which one it is of.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    facts = [shown.rule, shown.record, shown.detail, list(shown.excerpt.leads), shown.excerpt.sampling_rate]
    millivolts = np.asarray(shown.excerpt.millivolts, np.float32)
    np.savez_compressed(
        folder / FOLDER / f"{shown.rule}-{part}{number}.npz", facts=json.dumps(facts), millivolts=millivolts
    )


def shown_of(folder: Path) -> list[Shown]:
    """What a set's folder has kept, by rule.

    Raises:
        ValueError: a file is damaged.
    """
    return [_read(file) for file in sorted((folder / FOLDER).glob("*.npz"))]


def _read(file: Path) -> Shown:
    try:
        with np.load(file, allow_pickle=False) as kept:
            rule, record, detail, leads, rate = json.loads(str(kept["facts"]))
            return Shown(rule, record, detail, Excerpt(kept["millivolts"], tuple(leads), rate))
    except Exception as error:  # damaged archives fail in many ways
        raise ValueError(f"{file} is damaged ({error}); delete it, or the set's folder to make it anew") from error


def log_account(folder: Path, account: Mapping[str, Any]) -> None:
    log.info("%s: %d of %d records", folder, account["kept"], account["read"])
    for rule, text in summarize_exclusions(account).items():
        log.warning("left out by %s: %s", rule, text)
