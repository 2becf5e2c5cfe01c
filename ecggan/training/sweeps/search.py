"""One run of a search: its parameters come from the study, and how it ends goes back."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from ecggan.training.callbacks.divergence import DivergedError
from ecggan.training.ddp import is_first_process
from ecggan.training.provenance import check_same_parameters
from ecggan.training.sweeps.pruning import Pruning
from ecggan.training.sweeps.study import Study

log = logging.getLogger(__name__)


@runtime_checkable
class _HasDistance(Protocol):
    @property
    def distance(self) -> float | None: ...


Config = TypeVar("Config")
Trained = TypeVar("Trained", bound=_HasDistance)


@dataclass(frozen=True)
class EndedRun:
    """A run of a study that had ended before.

    Args:
        number: of the run, from 0.
        state: how it ended: Optuna's complete, pruned or fail.
        distance: the smallest of its epochs; None if it failed.
        folder: of the run.
    """

    number: int
    state: str
    distance: float | None
    folder: str | Path

    def __str__(self) -> str:
        return f"Run {self.number} of the sweep has ended ({self.state}, distance {self.distance}): {self.folder}"


def train_run_of_study(
    study: Study,
    number: int,
    folder: str | Path,
    configure: Callable[[Sequence[str]], Config],
    train: Callable[[Config, Pruning], Trained],
) -> Trained | EndedRun | None:
    """Train one run of a study, unless it has ended before.

    Args:
        study: of the sweep.
        number: of the run, from 0.
        folder: of the run.
        configure: overrides (``name=value``) -> the configuration of the run; called also if it has ended.
        train: trains, or resumes, with a callback beside its own.

    Returns:
        What `train` returned, or the run if it had ended before; None if the training diverged, which the study records
        as a failure.

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
        return EndedRun(number, run.ended, run.value, folder)
    pruning = Pruning(run)
    try:
        result = train(config, pruning)
    except DivergedError as error:
        log.error("run %d of the sweep: %s", run.number, error)
        if is_first:
            run.fail()
        return None
    if is_first and result.distance is not None:
        run.end(result.distance, pruning.is_pruned)
    return result
