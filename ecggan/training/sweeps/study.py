"""A search for parameters with Optuna, in which each run asks for its own when it starts. The one door to Optuna.

This is Optuna's own way to share a study among processes: all of them meet in its storage, and no process has to stay
alive to hand out parameters. A run that waits in a queue learns from all that ended before it starts; an interrupted
run finds its trial again by its number and resumes; a run that has ended is not repeated.

Hydra's sweeper for Optuna asks for a batch of parameters, waits for all of its runs, and knows nothing of a run before
it ends: it cannot prune, and a restarted sweep counts its runs anew, into the folders of the old ones.
"""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ecggan import checks
from ecggan.files.locks import file_lock

if TYPE_CHECKING:
    import optuna

Parameter = None | bool | int | float | str

_RUN = "run"  # the trial's attribute with the number of its run
_WAIT_S = 120


class Study:
    """The runs of one sweep, as Optuna knows them.

    Args:
        space: by the name of a parameter, a list to choose from, or ``{low, high}`` with ``log: true`` or ``step`` as
            in Optuna's FloatDistribution; whole numbers if low and high are.
        storage: where the runs meet: a file, also on a network disk (Optuna's journal), or the URL of a database
            (sqlite:///FILE, on a disk of one machine; postgresql://…).
        folder: of the sweep.
        name: of the study in the storage; None names it by the folder, or "sweep" if the storage is within the folder.
        seed: of the sampler; each run has its own from it.
        sampler: makes Optuna's sampler, given `seed`.
        pruner: Optuna's; None lets all runs end.
        num_runs: of the sweep; at least 1.

    Raises:
        ValueError: a parameter's space is not valid, or optuna is not installed.
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
        checks.whole_number("sweep.num_runs", num_runs, at_least=1)
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
            number: from 0, the same whenever the sweep is resumed.
            is_first: whether this process is the first of the run's; the others wait until it has asked.

        Raises:
            OSError: the storage cannot be opened, or the first process asked for no parameters.
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
        self._check_same_space(trial)
        return StudyRun(study, trial)

    def _opening(self) -> AbstractContextManager[object]:
        """A lock beside the storage's file, as two processes may create it at once."""
        file = _file_of(self.storage)
        if file is None:
            return nullcontext()
        file.parent.mkdir(parents=True, exist_ok=True)
        return file_lock(file.with_name(f"{file.name}.opening"), blocking=True)

    def _open(self, number: int) -> "optuna.Study":
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        is_url = "://" in self.storage
        # Optuna locks the file by a symbolic link, which few users of Windows may make
        lock = JournalFileOpenLock(self.storage) if os.name == "nt" and not is_url else None
        try:
            return optuna.create_study(
                study_name=self.name,
                storage=self.storage if is_url else JournalStorage(JournalFileBackend(self.storage, lock)),
                sampler=self.sampler(seed=self.seed + number),
                pruner=self.pruner or optuna.pruners.NopPruner(),
                direction="minimize",
                load_if_exists=True,
            )
        except Exception as error:  # each database has errors of its own
            hidden = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.storage)
            raise OSError(f"sweep.storage={hidden} cannot be opened: {error}") from error

    def _check_same_space(self, trial: "optuna.trial.FrozenTrial") -> None:
        if set(trial.params) != set(self.distributions):
            raise ValueError(
                f"the sweep {self.name} was begun with sweep.space of {', '.join(trial.params)}, not of "
                f"{', '.join(self.distributions)}; resume it with its own, or give another out="
            )


class StudyRun:
    """One run of a study: its parameters, and what is reported of it."""

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
        """Report an epoch's distance; whether the run is to be pruned.

        What was reported of an epoch before the run was interrupted stays.
        """
        import optuna

        trial = optuna.trial.Trial(self._study, self._trial._trial_id)
        if epoch not in self._study.trials[self._trial.number].intermediate_values:
            trial.report(distance, epoch)
        return bool(trial.should_prune())

    def end(self, distance: float, is_pruned: bool = False) -> None:
        """Record the run's distance and end it, as complete or pruned."""
        import optuna

        state = optuna.trial.TrialState.PRUNED if is_pruned else optuna.trial.TrialState.COMPLETE
        self._study.tell(self._trial.number, None if is_pruned else distance, state=state)

    def fail(self) -> None:
        """End the run as failed."""
        import optuna

        self._study.tell(self._trial.number, state=optuna.trial.TrialState.FAIL)


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
