"""Train a GAN on ECGs.

python train.py experiment=quickstart
python train.py experiment=finetune data=folder data.root=DIR
python train.py experiment=pulse2pulse data.root=PTBXL
python train.py -m experiment=pulse2pulse data.root=PTBXL model.model_size=25,50 seed=1,2,3
python train.py sweep=optuna experiment=pulse2pulse data.root=PTBXL out=SWEEP
"""

import os
from functools import partial
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ecggan.cli import exit_on_user_error
from ecggan.command_help import answer_help
from ecggan.overrides import exit_on_unknown_parameter


def devices_of_node(devices: object) -> int:
    """The GPUs, and processes, that a Slurm job asks for on each node."""
    if not isinstance(devices, int) or isinstance(devices, bool) or devices < 1:
        raise ValueError(
            f"hydra/launcher=slurm_node needs trainer.devices=N, the GPUs to ask Slurm for on each node; got {devices}"
        )
    return devices


OmegaConf.register_new_resolver("num_leads", len, replace=True)
OmegaConf.register_new_resolver("devices_of_node", devices_of_node, replace=True)


def run_name() -> str | None:
    """The folder of this run, if it is one of a sweep."""
    run = HydraConfig.get()
    return os.path.relpath(run.runtime.output_dir) if run.mode == RunMode.MULTIRUN else None


@partial(exit_on_unknown_parameter, configs=Path(__file__).parent / "configs", script="train")
@partial(answer_help, configs=Path(__file__).parent / "configs", script="train")
@hydra.main(config_path="configs", config_name="train", version_base="1.3")
@partial(exit_on_user_error, run_name=run_name)
def main(config: DictConfig) -> float | None:
    from ecggan.hydra_run import train_run  # heavy libraries load after --help has answered
    from ecggan.training.ddp import is_first_process

    result = train_run(config)
    if result is not None and is_first_process():
        print(result)
    return None if result is None else result.distance


if __name__ == "__main__":
    main()
