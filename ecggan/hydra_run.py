"""One training as Hydra configures it: its parts from the configuration, and its parameters from a search.

The one place of the package that knows Hydra; a run of a search is composed anew with the parameters that its study
gives it. From Python, without Hydra: [ecggan.training.train][].
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from pytorch_lightning import Callback

from ecggan.files.atomic import atomic_file
from ecggan.training.conditioning import learn_conditions
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.ddp import is_first_process
from ecggan.training.sweeps.search import EndedRun, train_run_of_study
from ecggan.training.train import RunResult, TrainingParts, train


def train_run(config: DictConfig) -> RunResult | EndedRun | None:
    """Train a GAN, or resume its training; with ``sweep=``, as one run of the search.

    Returns:
        The result, of a run of a search that had ended before the former one; None if the training diverged in a
        search, which continues.
    """
    if config.get("sweep") is None:
        return _train(config, HydraConfig.get().overrides.task)
    study, number = instantiate(config.sweep, _convert_="all"), HydraConfig.get().job.num
    return train_run_of_study(
        study, number, config.folder, partial(with_parameters, config), lambda run, pruning: _train(*run, pruning)
    )


def with_parameters(config: DictConfig, parameters: Sequence[str]) -> tuple[DictConfig, list[str]]:
    """The configuration and overrides as if `parameters` stood on the command line, also in Hydra's notes."""
    hydra_config = HydraConfig.get()
    overrides = [*hydra_config.overrides.task, *parameters]
    changed = hydra.compose(hydra_config.job.config_name, overrides)
    changed.out = config.out
    if is_first_process() and hydra_config.output_subdir is not None:
        for name, contents in (("config", changed), ("overrides", OmegaConf.create(overrides))):
            with atomic_file(Path(config.folder) / hydra_config.output_subdir / f"{name}.yaml") as file:
                OmegaConf.save(contents, file)
    return changed, overrides


def _train(config: DictConfig, overrides: Sequence[str], *more_callbacks: Callback) -> RunResult:
    record = {"command": sys.argv, "given": list(overrides), "seed": config.seed, "data": config.data.name}
    run = {"resume": config.resume, "out": config.out, "record": record}
    if config.get("method") is not None:
        if config.condition is not None:
            raise ValueError("condition= is for the training of a GAN, and method=transport trains none: leave one out")
        source, ecg = instantiate(config.data.source, _convert_="all"), instantiate(config.ecg)
        return instantiate(config.method, _convert_="all")(source, ecg, config.folder, init=config.init, **run)
    parts = partial(_parts, config)
    return train(parts, config.folder, seed=config.seed, init=config.init, more_callbacks=more_callbacks, **run)


def _parts(config: DictConfig) -> TrainingParts:
    source, ecg = instantiate(config.data.source, _convert_="all"), instantiate(config.ecg)
    loading = (config.batch_size, config.num_workers, config.seed, config.on_device)
    hyperparameters: Any = OmegaConf.to_container(config, resolve=True)
    hyperparameters.pop("sweep", None)  # its storage may name a password
    conditions, gan = None, config.model.gan
    if config.condition is not None:
        source, conditions = learn_conditions(source, hyperparameters["condition"], None, config.cache)
        gan = gan.copy()
        with open_dict(gan):
            for network in (gan.generator, gan.discriminator):
                network.condition_size = conditions.size
    return TrainingParts(
        data=ECGDataModule(source, ecg, *loading, conditions),
        gan=instantiate(gan, _convert_="all", _partial_=True)(conditions=conditions),
        callbacks=list(instantiate(config.callbacks).values()),
        loggers=list(instantiate(config.logger).values()),
        trainer=instantiate(config.trainer, _partial_=True),
        hyperparameters=hyperparameters,
    )
