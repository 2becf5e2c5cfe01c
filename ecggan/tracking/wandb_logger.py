"""The one door to Weights & Biases, which no training needs: where it does not answer, a run is logged to its folder.

W&B's own step is the epoch, counted from 1 as the pictures and the generators are, so that the pieces of a training
that was cut short and goes on fit together.
"""

import json
import logging
import os
import secrets
import shlex
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import rank_zero_experiment
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from ecggan.files.atomic import atomic_file

log = logging.getLogger(__name__)

_ID_FILE = "wandb_id.txt"
_HTTP_TIMEOUT = "WANDB_HTTP_TIMEOUT"


class WandbLog(WandbLogger):
    """A run on W&B: online where the user is logged in and W&B answers, else offline, to be sent later.

    WANDB_MODE=offline and disabled are obeyed; with online, too, a run trains on where W&B does not answer. The id is
    kept in the run's folder, so that a training that goes on there continues the same W&B run.

    Args:
        project: on W&B.
        entity: the user or team it belongs to; None for the user's default.
        group: of runs that belong together; None for the sweep's, where it is one.
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
        for what, seconds in (("start_timeout_s", start_timeout_s), ("finish_timeout_s", finish_timeout_s)):
            if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
                raise ValueError(f"logger.wandb.{what} must be a whole number, at least 1; got {seconds}")
        if checkpoints not in (True, False):
            raise ValueError(f"logger.wandb.checkpoints must be true or false; got {checkpoints}")
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
        """W&B's run, which begins when it is first asked for."""
        if self._experiment is None:
            self._experiment = self._begin()
        return self._experiment

    def _begin(self) -> Any:
        import wandb

        self.folder.mkdir(parents=True, exist_ok=True)
        limits: dict[str, Any] = {"finish_timeout": self.finish_timeout_s, "finish_timeout_raises": True}
        is_new = not (self.folder / _ID_FILE).exists()
        how = {name: value for name, value in self._wandb_init.items() if value is not None}
        how |= {"id": self._id_of_folder(), "settings": wandb.Settings(**limits)}
        if wandb.setup().settings.mode in ("offline", "dryrun", "disabled"):
            return wandb.init(**how)
        try:
            with _patience(self.start_timeout_s):
                why_not = None if wandb.login(prompt=False, verify=True) else "not logged in to W&B"
        except Exception as error:  # of the network, of W&B's server, of the key: none may cost a training
            why_not = f"W&B could not be used ({_reason(error, self.start_timeout_s)})"
        if why_not is None:
            try:
                # A new run does not resume: what is sent again of it takes the place of what was received. Offline it
                # does: another start may have been sent before it.
                answer_within = wandb.Settings(**limits, init_timeout=self.start_timeout_s)
                return wandb.init(**how | {"resume": None if is_new else "allow", "settings": answer_within})
            except Exception as error:
                why_not = f"W&B could not be used ({_reason(error, self.start_timeout_s)})"
                wandb.teardown()  # which else holds on to the id
        log.warning("%s: logging offline; send it later with: wandb sync %s", why_not, _quoted(self.folder / "wandb"))
        return wandb.init(**how | {"mode": "offline"})

    def _id_of_folder(self) -> str:
        path = self.folder / _ID_FILE
        if not path.exists():
            with atomic_file(path) as unfinished:
                unfinished.write_text(secrets.token_hex(4) + "\n", encoding="utf-8")
        return path.read_text(encoding="utf-8").strip()

    def _tell(self, what: Callable[[Any], object]) -> None:
        """Do something with the run. Where W&B's process of this machine is gone, say so once and go on without it."""
        run = self.experiment
        if self._is_over:
            return
        try:
            what(run)
        except Exception as error:  # W&B's own have no common class; none may cost a training
            self._is_over = True
            log.warning(
                "W&B logs no more of this run (%s); send what there is with: wandb sync --include-online %s",
                _reason(error, self.start_timeout_s),
                _quoted(self.folder / "wandb"),
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
            if epoch >= run.starting_step:  # else W&B had received it before the training was cut short
                run.log({**values, "epoch": epoch}, step=epoch, commit=is_complete)

        self._tell(log_row)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """End the run; the rest is sent within `finish_timeout_s`, or said to be left in the folder."""
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
                _quoted(run.sync_dir),
            )

    def _log_generators(self, run: Any) -> None:
        import wandb

        folder = self.folder / "checkpoints"
        kept = {int(path.stem.rpartition("_")[2]): path for path in sorted(folder.glob("generator_epoch_*.pt"))}
        chosen = {"last": max(kept, default=None), "best": _best_epoch(folder)}
        for epoch in sorted({epoch for epoch in chosen.values() if epoch in kept}):
            artifact = wandb.Artifact(f"generator-{run.id}", "model", metadata={"epoch": epoch})
            artifact.add_file(str(kept[epoch].resolve()), policy="immutable", skip_cache=True)  # it stays where it lies
            run.log_artifact(artifact, aliases=[name for name, its in chosen.items() if its == epoch])


def group_of(sweep_folder: str | Path) -> str:
    """What the runs of a sweep are grouped by: the end of the path of its folder.

    >>> group_of("/data/runs/quickstart/2026-11-26_20-26-41")
    'quickstart-2026-11-26_20-26-41'
    """
    return "-".join(Path(sweep_folder).resolve().parts[1:][-2:])


def _best_epoch(checkpoints: Path) -> int | None:
    from ecggan.run_folder import CURVE_FILE, DISTANCE

    if not (checkpoints / CURVE_FILE).exists():
        return None
    return int(pd.read_csv(checkpoints / CURVE_FILE).set_index("epoch")[DISTANCE].idxmin())


@contextmanager
def _patience(seconds: int) -> Iterator[None]:
    """Let W&B's answer to the login take so long, unless the user has said how long."""
    before = os.environ.get(_HTTP_TIMEOUT)
    os.environ.setdefault(_HTTP_TIMEOUT, str(seconds))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_HTTP_TIMEOUT]


def _quoted(path: str | Path) -> str:
    return shlex.quote(os.path.relpath(path))


def _reason(error: Exception, seconds: int) -> str:
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    waited = "did not respond in time" in first_line or "deadline exceeded" in first_line
    return f"no answer within {seconds} s" if waited else first_line


def log_report(logger: WandbLog, report: str | Path, config: Any) -> None:
    """Log what evaluate.py wrote: the verdicts, shares and distances, the tables, the pictures and the page; and end.

    Args:
        logger: of the evaluation.
        report: the folder that holds report.html.
        config: of the evaluation.
    """
    import wandb

    report = Path(report)
    summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    numbers = {
        f"share_{what}/{name}": share["value"]
        for name, facts in summary["sets"].items()
        for what, share in facts["shares"].items()
    }
    logger.log_hyperparams(config)
    headlines = {}
    for name, judgement in summary["judgements"].items():
        for what in ("verdict", "variety", "privacy"):
            headlines[f"{what}/{name}"] = judgement[what] and judgement[what]["headline"]
        for measurement, row in (judgement["measurements"] or {}).items():
            numbers |= {f"{kind}/{name}/{measurement}": row[kind] for kind in ("difference", "wasserstein_distance")}
    logged: dict[str, Any] = {name: number for name, number in numbers.items() if number is not None}
    for path in sorted(report.glob("*.csv")) + sorted((report / "tables").glob("*.csv")):
        logged[path.stem] = wandb.Table(dataframe=pd.read_csv(path))
    for path in sorted((report / "pictures").glob("*.png")):
        logged[path.stem] = wandb.Image(str(path))
    logged["report"] = wandb.Html((report / "report.html").read_text(encoding="utf-8"))
    logger.log_metrics(logged)
    logger._tell(lambda run: run.summary.update(headlines))
    logger.finalize("success")
