"""Train a GAN on ECGs.

python train.py experiment=quickstart
python train.py experiment=finetune data=folder data.root=DIR
python train.py experiment=pulse2pulse data.root=PTBXL
python train.py -m experiment=pulse2pulse data.root=PTBXL model.model_size=25,50 seed=1,2,3
python train.py sweep=optuna experiment=pulse2pulse data.root=PTBXL out=SWEEP
"""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from ecggan.cli import exit_on_user_error

if TYPE_CHECKING:
    from pytorch_lightning import Callback

    from ecggan.training.train import TrainingParts

OmegaConf.register_new_resolver("num_leads", len, replace=True)


def run_name() -> str | None:
    """The folder of this run, if it is one of a sweep."""
    hydra_config = HydraConfig.get()
    return os.path.relpath(hydra_config.runtime.output_dir) if hydra_config.mode == RunMode.MULTIRUN else None


@hydra.main(config_path="configs", config_name="train", version_base="1.3")
@partial(exit_on_user_error, run_name=run_name)
def main(config: DictConfig) -> float | None:
    hydra_config = HydraConfig.get()
    if config.get("sweep") is None:
        return train_run(config, hydra_config.overrides.task)
    from ecggan.training.ddp import is_first_process
    from ecggan.training.sweeps.search import train_run_of_study

    study, number = instantiate(config.sweep, _convert_="all"), hydra_config.job.num
    distance, ended = train_run_of_study(
        study, number, config.folder, partial(configured, config), lambda run, pruning: train_run(*run, pruning)
    )
    if ended is not None and is_first_process():
        print(f"Run {number} of the sweep has ended ({ended}, distance {distance}): {config.folder}")
    return distance


def train_run(config: DictConfig, given: Sequence[str], *more_callbacks: "Callback") -> float | None:
    """Train a GAN, or resume its training, or do what `method` stands for; its smallest physiological distance."""
    from ecggan.training.ddp import is_first_process
    from ecggan.training.train import train

    record = {"command": sys.argv, "given": list(given), "seed": config.seed, "data": config.data.name}
    run = {"resume": config.resume, "out": config.out, "record": record}
    if config.method is not None:
        source, ecg = instantiate(config.data.source, _convert_="all"), instantiate(config.ecg)
        result = instantiate(config.method, _convert_="all")(source, ecg, config.folder, **run)
    else:
        parts = partial(parts_of, config)
        result = train(parts, config.folder, seed=config.seed, init=config.init, more_callbacks=more_callbacks, **run)
    if is_first_process():
        print(result)
    return result.distance


def parts_of(config: DictConfig) -> "TrainingParts":
    from ecggan.training.datamodule import ECGDataModule
    from ecggan.training.train import TrainingParts

    source, ecg = instantiate(config.data.source, _convert_="all"), instantiate(config.ecg)
    loading = (config.batch_size, config.num_workers, config.seed, config.on_device)
    hyperparameters: Any = OmegaConf.to_container(config, resolve=True)
    hyperparameters.pop("sweep", None)  # its storage may name a password
    return TrainingParts(
        data=ECGDataModule(source, ecg, *loading),
        gan=instantiate(config.model.gan, _convert_="all"),
        callbacks=list(instantiate(config.callbacks).values()),
        loggers=list(instantiate(config.logger).values()),
        trainer=instantiate(config.trainer, _partial_=True),
        hyperparameters=hyperparameters,
    )


def configured(config: DictConfig, parameters: Sequence[str]) -> tuple[DictConfig, list[str]]:
    """The configuration and overrides as if `parameters` stood on the command line, also in Hydra's notes."""
    from ecggan.files.atomic import atomic_file
    from ecggan.training.ddp import is_first_process

    hydra_config = HydraConfig.get()
    overrides = [*hydra_config.overrides.task, *parameters]
    changed = hydra.compose(hydra_config.job.config_name, overrides)
    changed.out = config.out
    if is_first_process() and hydra_config.output_subdir is not None:
        for name, contents in (("config", changed), ("overrides", OmegaConf.create(overrides))):
            with atomic_file(Path(config.folder) / hydra_config.output_subdir / f"{name}.yaml") as file:
                OmegaConf.save(contents, file)
    return changed, overrides


if __name__ == "__main__":
    main()
