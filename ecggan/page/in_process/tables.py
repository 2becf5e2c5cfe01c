"""Many ECGs measured: a block of a source as a table, and two tables compared."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT
from ecggan.evaluation.comparison.comparison import compare_columns
from ecggan.evaluation.comparison.margins import margin_of
from ecggan.measurement.columns import PHYSIOLOGY, display_name
from ecggan.measurement.measure_set import measure
from ecggan.measurement.normality.screen import screen
from ecggan.page.in_process import opened
from ecggan.page.tasks import BLOCK

NUM_RESAMPLES, NUM_SPLITS = 400, 100  # for an answer within seconds; a report takes more


def measured_block(source: str, seed: int, block: int) -> dict[str, list[Any]]:
    """The measurements of a block's records by column, None where missing, with `is_normal` and `reasons`."""
    facts, records = opened.describe(source), opened.microvolts(source, seed, block * BLOCK, BLOCK)
    table = measure(
        records / MICROVOLTS_PER_MILLIVOLT, facts["leads"], facts["sampling_rate"], num_workers=1, progress=False
    )
    screened = screen(table)
    columns = [column for column in PHYSIOLOGY if column in table]
    values = {column: [None if np.isnan(v) else round(float(v), 4) for v in table[column]] for column in columns}
    return {
        **values,
        "is_measurable": table["is_measurable"].tolist(),
        "is_normal": screened["is_normal"].tolist(),
        "reasons": screened["reasons"].tolist(),
    }


def comparison(reference: Mapping[str, list[Any]], other: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Two tables as columns -> a row a measurement: means, SDs, their difference with its interval, and the finding."""
    one, two = _measurable(reference), _measurable(other)
    names = {column: display_name(column) for column in PHYSIOLOGY if column in one and column in two}
    found = compare_columns(one, two, names, margin_of, None, NUM_RESAMPLES, NUM_SPLITS)
    wanted = ["real_mean", "real_sd", "generated_mean", "generated_sd", "difference", "difference_low"]
    wanted += ["difference_high", "margin"]
    rows = []
    for column, row in zip(names, found.to_dict("records"), strict=True):
        numbers = {key: None if pd.isna(row[key]) else float(row[key]) for key in wanted}
        rows.append({"column": column, "name": names[column][0], "unit": names[column][1], "finding": row["finding"]})
        rows[-1] |= numbers
    return rows


def _measurable(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    table = pd.DataFrame(dict(columns))
    return table[table["is_measurable"].to_numpy(bool)].reset_index(drop=True)
