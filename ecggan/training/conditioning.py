"""The conditions that a training learns, from the records of its set."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ecggan.data.sets.conditions import HEART_RATE, Conditions, check_names, condition_table
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.measurement.measure_set import measure

log = logging.getLogger(__name__)


def learn_conditions(
    source: Callable[[], ECGSet], names: Sequence[str], num_workers: int | None, cache: str | Path | None
) -> tuple[Callable[[], ECGSet], Conditions]:
    """The source with all that is needed in the table of its set, and the conditions of its training records.

    Args:
        source: of the set.
        names: of the conditions. A heart rate that the table does not state is measured.
        num_workers: processes that measure; None for one a core.
        cache: a folder of measured rows, reused if they are there.

    Raises:
        ValueError: an unknown condition, or one that the set does not state.
    """
    check_names(names)
    ecgs = source()
    if HEART_RATE in names and HEART_RATE not in ecgs.records:
        table = measure(ecgs, num_workers=num_workers, cache=cache)
        rates = table["heart_rate_bpm"].where(table["is_measurable"].astype(bool))
        ecgs = replace(ecgs, records=ecgs.records.assign(**{HEART_RATE: rates.to_numpy(float)}))
    train = ecgs.where_split("train") if "split" in ecgs.records else ecgs
    name = "the set" if ecgs.path is None else str(ecgs.path)
    conditions = Conditions.of(condition_table(train.records, names, name), name)
    log.info("conditions: %s", "; ".join(conditions.summary()))
    return lambda: ecgs, conditions
