"""Draw a set of ECGs from a generator, and export it.

python generate.py checkpoint=published num_records=100 seed=0 out=DIR
python generate.py run=RUN num_records=150000 keep=normal out=DIR export=[asc,parquet]
torchrun --nproc-per-node 4 generate.py run=RUN num_records=150000 out=DIR
python generate.py job=export ecg_set=DIR export=wfdb
"""

from dataclasses import fields
from functools import partial
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.cli import exit_on_user_error
from ecggan.command_help import answer_help
from ecggan.overrides import exit_on_unknown_parameter

JOBS = ("generate", "export", "convert")


@partial(exit_on_unknown_parameter, configs=Path(__file__).parent / "configs", script="generate", jobs=JOBS)
@partial(answer_help, configs=Path(__file__).parent / "configs", script="generate")
@hydra.main(config_path="configs", config_name="generate", version_base="1.3")
@exit_on_user_error
def main(config: DictConfig) -> None:
    from hydra.utils import get_class, instantiate  # heavy libraries load after --help has answered

    OmegaConf.resolve(config)  # run is run_folder, as the classes call it
    names = [field.name for field in fields(get_class(config._target_))]
    job = instantiate(OmegaConf.masked_copy(config, ["_target_", *names]), _convert_="all")
    with instantiate(config.compute):
        print(job.run())


if __name__ == "__main__":
    main()
