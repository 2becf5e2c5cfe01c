"""Labels of records: what a source says of each ECG, in the column `labels` of a set's table, such as ``IMI|MI|SR``."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

COLUMN = "labels"
_SEPARATOR = "|"


def joined(labels: Iterable[str]) -> str:
    """Labels as one cell: in order, each once.

    >>> joined(["SR", "MI", "IMI", "MI"])
    'IMI|MI|SR'
    """
    return _SEPARATOR.join(sorted({str(label).replace(_SEPARATOR, "/").strip() for label in labels} - {""}))


def labels_of_cell(cell: Any) -> list[str]:
    """The labels of a cell, which may be a text or a list; none of an empty one.

    >>> labels_of_cell("IMI|MI"), labels_of_cell(None)
    (['IMI', 'MI'], [])
    """
    if isinstance(cell, str):
        return [label.strip() for label in cell.split(_SEPARATOR) if label.strip()]
    if isinstance(cell, Sequence | np.ndarray):
        return [str(label) for label in cell]
    return [] if cell is None or pd.isna(cell) else [str(cell)]


def carried(records: pd.DataFrame, labels: Sequence[str], name: str) -> Bool[np.ndarray, "record label"]:
    """Which of the labels each record of a set carries.

    Args:
        records: the table of the set.
        labels: by the names of the source.
        name: of the set, for the message.

    Raises:
        ValueError: the table has no labels.
    """
    if COLUMN not in records:
        raise ValueError(
            f"{name} has no column {COLUMN!r} in its table, which has {', '.join(map(str, records))}; data=ptbxl and "
            "the other sources with diagnoses write it as they pack, and generate.py if its generator knows labels"
        )
    cells = [set(labels_of_cell(cell)) for cell in records[COLUMN]]
    return np.array([[label in cell for label in labels] for cell in cells], bool).reshape(len(cells), len(labels))


def known_labels(records: pd.DataFrame) -> dict[str, int]:
    """The labels that records carry, the most frequent first, with how many do."""
    if COLUMN not in records:
        return {}
    counts = records[COLUMN].map(labels_of_cell).explode().dropna().value_counts()
    return {str(label): int(count) for label, count in counts.items()}
