"""A search for parameters with Optuna, in which each run asks for its own as it starts. The one door to Optuna.

This is Optuna's own way to share a study among processes: all of them meet in its storage, and none has to stay alive
to hand out parameters. A run that waits in a queue learns from all that ended before it starts; one that was
interrupted finds its trial again by its number and goes on with it; one that has ended is not repeated.

Hydra's sweeper for Optuna asks for a batch of parameters, waits for all of its runs, and knows nothing of a run before
it ends: it cannot prune, and a sweep that is begun again counts its runs anew, into the folders of the old ones.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from ecggan.files.atomic import file_lock
from ecggan.run_folder import DISTANCE
from ecggan.training.physiology import find_physiology_callback

if TYPE_CHECKING:
    import optuna

log = logging.getLogger(__name__)

Parameter = None | bool | int | float | str

_RUN = "run"  # what a trial remembers: the number of its run
_WAIT_S = 120


class Study:
    """The runs of one sweep, as Optuna knows them.

    Args:
        space: by the name of a parameter, a list to choose from, or ``{low, high}`` with ``log: true`` or ``step`` as
            of Optuna's FloatDistribution, of whole numbers where low and high are.
        storage: where the runs meet: a file, which may lie on a network disk (Optuna's journal), or the URL of a
            database (sqlite:///FILE, on a disk of one machine; postgresql://…).
        folder: of the sweep.
        name: of the study in the storage; None for one in which a storage within the folder has no other, and elsewhere
            the folder's.
        seed: of what is drawn; each run has its own from it.
        sampler: makes Optuna's sampler, given `seed`.
        pruner: Optuna's, which says when a run is hopeless; None lets all of them end.
        num_runs: of the sweep; at least 1.

    Raises:
        ValueError: a parameter's space makes no sense, or optuna is not installed.
    """

    def __init__(
        self,
        space: Mapping[str, Any],
        storage: str,
        folder: str | Path,
        name: str | None,
        seed: int,
        sampler: Callable[..., Any],
        pruner: Any,
        num_runs: int,
    ) -> None:
        if num_runs < 1:
            raise ValueError(f"sweep.num_runs must be at least 1; got {num_runs}")
        if not space:
            raise ValueError("sweep.space is empty: say which parameters to search, e.g. {model.model_size: [25, 50]}")
        self.distributions = {str(parameter): _distribution(parameter, its) for parameter, its in space.items()}
        self.storage, self.seed = storage, seed
        file, folder = _file_of(storage), Path(folder).resolve()
        is_its_own = file is not None and file.resolve().is_relative_to(folder)
        self.name = name or ("sweep" if is_its_own else str(folder))
        self.sampler, self.pruner = sampler, pruner

    def run(self, number: int, is_first: bool = True) -> "StudyRun":
        """The run of this number: begun earlier, or asked for now.

        Args:
            number: from 0, the same whenever the sweep is gone on with.
            is_first: whether this process is the first of the run's; the others wait until it has asked.

        Raises:
            OSError: the storage cannot be opened, or nobody asked.
        """
        with self._opening():
            study = self._open(number)
            trial = _find(study, number)
            if trial is None and is_first:
                new = study.ask(self.distributions)
                new.set_user_attr(_RUN, number)
                trial = _find(study, number)
        deadline = time.monotonic() + _WAIT_S
        while trial is None and time.monotonic() < deadline:
            time.sleep(0.2)
            trial = _find(study, number)
        if trial is None:
            raise OSError(f"run {number} of the sweep {self.name} has no parameters after {_WAIT_S} s")
        self._refuse_another_space(trial)
        return StudyRun(study, trial)

    def _opening(self) -> AbstractContextManager[object]:
        """A lock beside the storage's file: two processes that make one at once would be in each other's way."""
        file = _file_of(self.storage)
        if file is None:
            return nullcontext()
        file.parent.mkdir(parents=True, exist_ok=True)
        return file_lock(file.with_name(f"{file.name}.opening"), blocking=True)

    def _open(self, number: int) -> "optuna.Study":
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        is_url = "://" in self.storage
        try:
            return optuna.create_study(
                study_name=self.name,
                storage=self.storage if is_url else JournalStorage(JournalFileBackend(self.storage)),
                sampler=self.sampler(seed=self.seed + number),
                pruner=self.pruner or optuna.pruners.NopPruner(),
                direction="minimize",
                load_if_exists=True,
            )
        except Exception as error:  # each database has errors of its own
            hidden = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.storage)
            raise OSError(f"sweep.storage={hidden} cannot be opened: {error}") from error

    def _refuse_another_space(self, trial: "optuna.trial.FrozenTrial") -> None:
        if set(trial.params) != set(self.distributions):
            raise ValueError(
                f"the sweep {self.name} was begun with sweep.space of {', '.join(trial.params)}, not of "
                f"{', '.join(self.distributions)}; go on with that, or give another out="
            )


class StudyRun:
    """One run of a study: its parameters, and what is told of it."""

    def __init__(self, study: "optuna.Study", trial: "optuna.trial.FrozenTrial") -> None:
        self._study, self._trial = study, trial
        self.parameters: dict[str, Parameter] = dict(trial.params)

    @property
    def number(self) -> int:
        return self._trial.user_attrs[_RUN]

    @property
    def ended(self) -> str | None:
        """How it ended: "complete", "pruned" or "fail"; None while it has not."""
        return self._trial.state.name.lower() if self._trial.state.is_finished() else None

    @property
    def value(self) -> float | None:
        """Its distance when it ended."""
        return self._trial.values[0] if self._trial.values else None

    def report(self, epoch: int, distance: float) -> bool:
        """Tell how far it has come; whether it is hopeless beside the others.

        What was told of an epoch before the run was interrupted stays.
        """
        import optuna

        trial = optuna.trial.Trial(self._study, self._trial._trial_id)
        if epoch not in self._study.trials[self._trial.number].intermediate_values:
            trial.report(distance, epoch)
        return bool(trial.should_prune())

    def end(self, distance: float, is_pruned: bool = False) -> None:
        """It is over."""
        import optuna

        state = optuna.trial.TrialState.PRUNED if is_pruned else optuna.trial.TrialState.COMPLETE
        self._study.tell(self._trial.number, None if is_pruned else distance, state=state)

    def fail(self) -> None:
        """It can come to nothing: its training diverged."""
        import optuna

        self._study.tell(self._trial.number, state=optuna.trial.TrialState.FAIL)


class Pruning(Callback):
    """Tells the study each distance of a run, and ends the run where it is hopeless beside the others.

    Args:
        run: of the study.
    """

    def __init__(self, run: StudyRun) -> None:
        self.run = run
        self.is_pruned = False

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if find_physiology_callback(trainer) is None:
            raise ValueError("sweep= makes the physiological distance small: it needs callbacks.physiology")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        physiology = find_physiology_callback(trainer)
        assert physiology is not None
        epoch = trainer.current_epoch + 1
        if not physiology.is_due(trainer):
            return
        is_hopeless = False
        if trainer.is_global_zero:
            is_hopeless = self.run.report(epoch, physiology.rows[-1][DISTANCE])
        if epoch != trainer.max_epochs and trainer.strategy.broadcast(is_hopeless):
            log.info("run %d is hopeless beside the others: it ends after epoch %d", self.run.number, epoch)
            self.is_pruned = trainer.should_stop = True


def _find(study: "optuna.Study", number: int) -> "optuna.trial.FrozenTrial | None":
    return next((trial for trial in study.trials if trial.user_attrs.get(_RUN) == number), None)


def _file_of(storage: str) -> Path | None:
    """The file of a storage; None for a server."""
    if "://" not in storage:
        return Path(storage)
    return Path(storage.removeprefix("sqlite:///")) if storage.startswith("sqlite:///") else None


def _distribution(parameter: str, space: Any) -> "optuna.distributions.BaseDistribution":
    try:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    except ModuleNotFoundError as error:
        raise ValueError("sweep=optuna needs optuna: pip install -c constraints.txt -e '.[sweep]'") from error
    rule = f"sweep.space.{parameter} must be a list to choose from, or {{low: 1, high: 9}} with log: true or step: 2"
    try:
        if isinstance(space, Sequence) and not isinstance(space, str):
            return CategoricalDistribution(space)
        if isinstance(space, Mapping) and {"low", "high"} <= set(space):
            is_whole = all(isinstance(space.get(each, 1), int) for each in ("low", "high", "step"))
            return (IntDistribution if is_whole else FloatDistribution)(**cast(dict[str, Any], dict(space)))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{rule}; got {space}: {error}") from error
    raise ValueError(f"{rule}; got {space}")
