"""Weights & Biases as a logger that never costs a training: if W&B fails, the run is logged to its folder.

W&B's own step is the epoch, counted from 1 like pictures and generators, so that the pieces of a resumed training join.
"""

import logging
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import rank_zero_experiment
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from ecggan import checks
from ecggan.run_folder import RunFolder
from ecggan.tracking.wandb_run import reason, shell_quoted, start_run

log = logging.getLogger(__name__)


class WandbLog(WandbLogger):
    """A run on W&B: online if the user is logged in and W&B answers, else offline, to be sent later.

    WANDB_MODE=offline and disabled are obeyed; with online, too, training continues if W&B does not answer. The id is
    kept in the run's folder, so a training that resumes there continues the same W&B run.

    Args:
        project: on W&B.
        entity: the user or team it belongs to; None for the user's default.
        group: of runs that belong together; None for the sweep's, if it is one.
        job_type: what the run does.
        name: of the run.
        tags: of the run; None among them is left out.
        folder: of the run; W&B keeps its files in ``wandb`` there.
        checkpoints: whether the best and the last generator become artifacts when the training ends.
        start_timeout_s: how long W&B may take to answer.
        finish_timeout_s: how long it may take to receive the rest at the end.
        hydra_mode: "RunMode.MULTIRUN" in a sweep.
        sweep_folder: of the sweep, if it is one.
    """

    def __init__(
        self,
        project: str,
        entity: str | None,
        group: str | None,
        job_type: str,
        name: str,
        tags: Sequence[str | None],
        folder: str | Path,
        checkpoints: bool,
        start_timeout_s: int,
        finish_timeout_s: int,
        hydra_mode: str,
        sweep_folder: str | Path,
    ) -> None:
        checks.whole_number("logger.wandb.start_timeout_s", start_timeout_s, at_least=1)
        checks.whole_number("logger.wandb.finish_timeout_s", finish_timeout_s, at_least=1)
        checks.flag("logger.wandb.checkpoints", checkpoints)
        super().__init__(
            name=name,
            save_dir=str(folder),
            project=project,
            entity=entity,
            group=group_of(sweep_folder) if group is None and hydra_mode.endswith("MULTIRUN") else group,
            job_type=job_type,
            tags=[tag for tag in dict.fromkeys(tags) if tag is not None],
        )
        self.folder = Path(folder)
        self.checkpoints = checkpoints
        self.start_timeout_s = start_timeout_s
        self.finish_timeout_s = finish_timeout_s
        self._is_over = False  # finished, or W&B's process is gone
        self._has_axis = False

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """W&B's run; it begins at the first access."""
        if self._experiment is None:
            self._experiment = start_run(self._wandb_init, self.folder, self.start_timeout_s, self.finish_timeout_s)
        return self._experiment

    def _tell(self, what: Callable[[Any], object]) -> None:
        """Call `what` with the run. If W&B's process on this machine is gone, warn once and log no more."""
        run = self.experiment
        if self._is_over:
            return
        try:
            what(run)
        except Exception as error:  # W&B's own have no common class; none may cost a training
            self._is_over = True
            log.warning(
                "W&B logs no more of this run (%s); send what there is with: wandb sync --include-online %s",
                reason(error, self.start_timeout_s),
                shell_quoted(self.folder / "wandb"),
            )

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        self._tell(lambda _: super(WandbLog, self).log_hyperparams(params))

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log a row; with an ``epoch``, which Lightning counts from 0, it is that epoch's and complete."""
        if "epoch" in metrics:
            epoch = int(metrics["epoch"]) + 1
            steps = {} if step is None else {"critic_steps": step + 1}
            self._log_epoch({**metrics, **steps}, epoch, is_complete=True)
        else:
            self._tell(lambda run: run.log(dict(metrics)))

    @rank_zero_only
    def log_picture(self, name: str, path: str | Path, epoch: int) -> None:
        """Log a picture of an epoch, counted from 1, whose metrics will follow."""
        import wandb

        self._log_epoch({name: wandb.Image(str(path))}, epoch, is_complete=False)

    def _log_epoch(self, values: Mapping[str, Any], epoch: int, is_complete: bool) -> None:
        def log_row(run: Any) -> None:
            if not self._has_axis:
                run.define_metric("*", step_metric="epoch")
                self._has_axis = True
            if epoch >= run.starting_step:  # else W&B has it from before the training was interrupted
                run.log({**values, "epoch": epoch}, step=epoch, commit=is_complete)

        self._tell(log_row)

    @rank_zero_only
    def log_summary(self, values: Mapping[str, Any]) -> None:
        """Values of the whole run, without an axis."""
        self._tell(lambda run: run.summary.update(dict(values)))

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """End the run; what is not sent within `finish_timeout_s` stays in the folder, with a warning."""
        if self._experiment is None or self._is_over:
            return
        if status == "success" and self.checkpoints:
            self._tell(self._log_generators)
        self._tell(lambda run: self._finish(run, 0 if status == "success" else 1))
        self._is_over = True

    def _finish(self, run: Any, exit_code: int) -> None:
        try:
            run.finish(exit_code=exit_code)
        except TimeoutError:
            log.warning(
                "W&B did not receive all within %d s; send the rest with: wandb sync --include-online %s",
                self.finish_timeout_s,
                shell_quoted(run.sync_dir),
            )

    def _log_generators(self, run: Any) -> None:
        import wandb

        folder = RunFolder(self.folder)
        chosen = {"last": max(folder.epochs(), default=None), "best": folder.best_epoch()}
        for epoch in sorted({epoch for epoch in chosen.values() if epoch is not None}):
            artifact = wandb.Artifact(f"generator-{run.id}", "model", metadata={"epoch": epoch})
            file = str(folder.generator_path(epoch).resolve())
            artifact.add_file(file, policy="immutable", skip_cache=True)  # W&B makes no copy
            run.log_artifact(artifact, aliases=[name for name, its in chosen.items() if its == epoch])


def group_of(sweep_folder: str | Path) -> str:
    """The W&B group of a sweep: the end of the path of its folder.

    >>> group_of("/data/runs/quickstart/2026-11-26_20-26-41")
    'quickstart-2026-11-26_20-26-41'
    """
    return "-".join(Path(sweep_folder).resolve().parts[1:][-2:])
