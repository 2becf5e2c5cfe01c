"""Measure real and generated ECGs alike and report how they compare; or let blinded readers tell them apart.

python evaluate.py data=ptbxl data.root=PTBXL data.split=test generated=DIR out=REPORT
python evaluate.py job=self_test data=ptbxl data.root=PTBXL out=SELF_TEST
"""

import sys
from dataclasses import fields
from functools import partial
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.cli import exit_on_user_error
from ecggan.command_help import answer_help
from ecggan.overrides import exit_on_unknown_parameter

JOBS = (
    "report",
    "checkpoints",
    "sweep",
    "data_report",
    "pack",
    "self_test",
    "utility",
    "obedience",
    "reader_kit",
    "reader_scores",
)


@partial(exit_on_unknown_parameter, configs=Path(__file__).parent / "configs", script="evaluate", jobs=JOBS)
@partial(answer_help, configs=Path(__file__).parent / "configs", script="evaluate")
@hydra.main(config_path="configs", config_name="evaluate", version_base="1.3")
@exit_on_user_error
def main(config: DictConfig) -> None:
    from hydra.utils import get_class, instantiate  # heavy libraries load after --help has answered

    OmegaConf.resolve(config)  # what only others refer to (ecg, packing, …) is no parameter of the job's class
    names = [field.name for field in fields(get_class(config._target_))]
    job = instantiate(OmegaConf.masked_copy(config, ["_target_", *names]), _convert_="all")
    logger = config.get("logger")
    if logger is not None and "wandb" not in logger:
        raise ValueError(f"a report is logged to logger=wandb alone; got {', '.join(logger)}")
    with instantiate(config.compute):
        result = job.run()
    print(result)
    if logger is not None:
        from ecggan.tracking.report_logger import log_report

        log_report(instantiate(logger.wandb), result.path.parent, OmegaConf.to_container(config))
    if not result.is_success:
        sys.exit(1)


if __name__ == "__main__":
    main()
