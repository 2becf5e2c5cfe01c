"""Train a GAN on ECGs.

python train.py experiment=quickstart
python train.py experiment=pulse2pulse data.root=PTBXL
python train.py -m experiment=pulse2pulse data.root=PTBXL model.model_size=25,50 seed=1,2,3
python train.py sweep=optuna experiment=pulse2pulse data.root=PTBXL out=SWEEP
"""

import json
import logging
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.cli import exit_on_user_error

if TYPE_CHECKING:
    from pytorch_lightning import Callback, Trainer

log = logging.getLogger(__name__)

OmegaConf.register_new_resolver("num_leads", len, replace=True)


def run_name() -> str | None:
    """The folder of this run, if it is one of a sweep."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    hydra_config = HydraConfig.get()
    return os.path.relpath(hydra_config.runtime.output_dir) if hydra_config.mode == RunMode.MULTIRUN else None


@hydra.main(config_path="configs", config_name="train", version_base="1.3")
@partial(exit_on_user_error, run_name=run_name)
def main(config: DictConfig) -> float | None:
    from hydra.core.hydra_config import HydraConfig

    if config.get("sweep") is not None:
        return train_run_of_study(config)
    return train(config, HydraConfig.get().overrides.task)


def train_run_of_study(config: DictConfig) -> float | None:
    """One run of a search: with the parameters that the study has for it, if it has not ended already."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.utils import instantiate

    from ecggan.training.callbacks import DivergedError
    from ecggan.training.sweeps.study import Pruning

    first = is_first_process()
    run = instantiate(config.sweep, _convert_="all").run(HydraConfig.get().job.num, first)
    log.info("run %d of the sweep: %s", run.number, run.parameters)
    with_them = with_parameters(config, run.parameters, first)
    if run.ended is not None:
        if first:
            print(f"Run {run.number} of the sweep has ended ({run.ended}, distance {run.value}): {config.folder}")
        return run.value
    pruning = Pruning(run)
    try:
        distance = train(*with_them, pruning)
    except DivergedError as error:
        log.error("run %d of the sweep: %s", run.number, error)
        if first:
            run.fail()
        return None
    if first and distance is not None:
        run.end(distance, pruning.is_pruned)
    return distance


def with_parameters(config: DictConfig, parameters: Mapping[str, Any], write: bool) -> tuple[DictConfig, list[str]]:
    """The configuration as if parameters stood on the command line, and all that would stand there.

    Args:
        config: of this run.
        parameters: their names and values.
        write: correct what Hydra has noted of the run, which it does anew each time.

    Raises:
        ValueError: the run's folder holds one that was given others.
    """
    from hydra import compose
    from hydra.core.hydra_config import HydraConfig

    from ecggan.files.atomic import atomic_file
    from ecggan.training.provenance import check_same_parameters

    hydra_config = HydraConfig.get()
    chosen = [f"{name}={json.dumps(value)}" for name, value in parameters.items()]
    check_same_parameters(config.folder, chosen)
    overrides = [*hydra_config.overrides.task, *chosen]
    changed = compose(hydra_config.job.config_name, overrides)
    changed.out = config.out
    if write and hydra_config.output_subdir is not None:
        notes = Path(config.folder) / hydra_config.output_subdir
        for name, contents in (("config", changed), ("overrides", OmegaConf.create(overrides))):
            with atomic_file(notes / f"{name}.yaml") as file:
                OmegaConf.save(contents, file)
    return changed, overrides


def is_first_process() -> bool:
    """Whether this is the first of the processes of a run, which alone writes and prints."""
    from pytorch_lightning.utilities import rank_zero_only

    return getattr(rank_zero_only, "rank", 0) == 0


def train(config: DictConfig, given: Sequence[str], *more_callbacks: "Callback") -> float | None:
    """Train a GAN, or go on with it; the smallest physiological distance of its epochs.

    Args:
        config: of the run.
        given: what the user, or a search, has set in it.
        more_callbacks: beside those of the configuration.
    """
    import torch  # heavy libraries load after --help has answered
    from hydra.utils import instantiate
    from pytorch_lightning import Trainer, seed_everything
    from pytorch_lightning.plugins.environments import SLURMEnvironment
    from pytorch_lightning.utilities import rank_zero_only

    from ecggan.tracking.csv_logger import CSVLog
    from ecggan.training.datamodule import ECGDataModule
    from ecggan.training.provenance import RunRecord
    from ecggan.training.resume import AUTO, reached, resolve_resume_checkpoint
    from ecggan.training.slurm import job_id
    from ecggan.training.wgan_gp import WGANGP

    if job_id() is None:  # on the login node of a cluster: Lightning would advise to use srun
        warnings.filterwarnings("ignore", ".*`srun` command is available.*")
    first = is_first_process()
    say = rank_zero_only(print)
    checkpoint = resolve_resume_checkpoint(config.resume, Path(config.folder), config.out, first)
    torch.set_float32_matmul_precision("high")
    seed_everything(config.seed, workers=True, verbose=False)  # the initial weights
    data = ECGDataModule(
        instantiate(config.data.source, _convert_="all"),
        instantiate(config.ecg),
        config.batch_size,
        config.num_workers,
        config.seed,
        config.on_device,
    )
    gan: WGANGP = instantiate(config.model.gan, _convert_="all")
    hyperparameters = OmegaConf.to_container(config, resolve=True)
    assert isinstance(hyperparameters, dict)
    hyperparameters.pop("sweep", None)  # its storage may name a password
    gan.save_hyperparameters(hyperparameters)  # into the logs and the checkpoints
    notes = RunRecord(
        config.folder,
        {
            "command": sys.argv,
            "given": list(given),
            "seed": config.seed,
            "data": config.data.name,
            "resumed_from": None if checkpoint is None else str(checkpoint),
            "slurm_job": job_id(),
        },
    )
    callbacks = [notes, *instantiate(config.callbacks).values()]
    callbacks[-1:-1] = more_callbacks  # the checkpoints stay the last, so that what they hold is done
    trainer: Trainer = instantiate(
        config.trainer,
        callbacks=callbacks,
        logger=list(instantiate(config.logger).values()),
        # the callback `checkpoints` saves and queues the job again; Lightning would do so in its own way
        plugins=[SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else None,
    )
    warnings.filterwarnings("ignore", ".*treespec.*")  # Lightning's, of torch, on each start
    folder = os.path.relpath(config.folder)
    steps_before = 0 if checkpoint is None else gan.check_resumable(checkpoint, trainer.max_epochs)
    if config.resume == AUTO:
        steps_before = 0  # it may have been stopped in its very last steps
        before = reached(checkpoint)
        if before.is_complete(trainer.max_epochs):
            say(f"The run in {folder} is complete: {before.epochs} epochs")
            return best_distance(trainer)
        for logger in trainer.loggers:
            if isinstance(logger, CSVLog):
                logger.resume(before.epochs, before.last_row)
    if first:
        notes.begin()
    trainer.fit(gan, data, ckpt_path=checkpoint, weights_only=True)
    if gan.generator_steps == steps_before:
        raise ValueError(
            f"the generator took no step: after {gan.critic_steps} critic steps, one generator step every "
            f"{gan.n_critic} (model.gan.n_critic), training ended; raise trainer.max_epochs. The run lies in {folder}"
        )
    say(f"The run lies in {folder}; draw ECGs from it with: python generate.py run={folder} out=DIR")
    return best_distance(trainer)


def best_distance(trainer: "Trainer") -> float | None:
    """The smallest physiological distance of the run: what a sweep makes small; None where nobody looked."""
    from ecggan.run_folder import DISTANCE
    from ecggan.training.physiology import find_physiology_callback

    physiology = find_physiology_callback(trainer)
    best = None if physiology is None else physiology.best
    return None if best is None else best[DISTANCE]


if __name__ == "__main__":
    main()
