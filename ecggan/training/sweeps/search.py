"""One run of a search: its parameters come from the study, and how it ends goes back."""

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ecggan.training.callbacks.divergence import DivergedError
from ecggan.training.ddp import is_first_process
from ecggan.training.provenance import check_same_parameters
from ecggan.training.sweeps.pruning import Pruning
from ecggan.training.sweeps.study import Study

log = logging.getLogger(__name__)

Config = TypeVar("Config")


def train_run_of_study(
    study: Study,
    number: int,
    folder: str | Path,
    configure: Callable[[Sequence[str]], Config],
    train: Callable[[Config, Pruning], float | None],
) -> tuple[float | None, str | None]:
    """Train one run of a study, unless it has ended before.

    Args:
        study: of the sweep.
        number: of the run, from 0.
        folder: of the run.
        configure: overrides (``name=value``) -> the configuration of the run; called also if it has ended.
        train: trains, or resumes, with a callback beside its own; returns the smallest distance.

    Returns:
        The smallest distance, None if the training diverged, which the study records as a failure; and how the run had
        ended before, None if it had not.

    Raises:
        ValueError: the folder holds a run with other parameters.
    """
    is_first = is_first_process()
    run = study.run(number, is_first)
    log.info("run %d of the sweep: %s", run.number, run.parameters)
    overrides = [f"{name}={json.dumps(value)}" for name, value in run.parameters.items()]
    check_same_parameters(folder, overrides)
    config = configure(overrides)
    if run.ended is not None:
        return run.value, run.ended
    pruning = Pruning(run)
    try:
        distance = train(config, pruning)
    except DivergedError as error:
        log.error("run %d of the sweep: %s", run.number, error)
        if is_first:
            run.fail()
        return None, None
    if is_first and distance is not None:
        run.end(distance, pruning.is_pruned)
    return distance, None
