"""Draw a set of ECGs from a generator.

python generate.py checkpoint=published num_records=100 seed=0 out=DIR
python generate.py run=RUN num_records=1000 out=DIR
"""

from pathlib import Path
from typing import Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.commands import one_clear_line


@hydra.main(config_path="configs", config_name="generate", version_base="1.3")
@one_clear_line
def main(config: DictConfig) -> None:
    arguments = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    run, checkpoint = arguments.pop("run"), arguments.pop("checkpoint")
    if (run is None) == (checkpoint is None):
        raise ValueError("say which generator: checkpoint=published, checkpoint=FILE or run=RUN (one of them)")

    if run is not None and not Path(run).is_dir():
        raise FileNotFoundError(f"run={run} is not a folder; it must be that of a training run")
    if arguments["out"] is None:
        raise ValueError("out must be a new folder for the set")

    from ecggan.generation.sampling import generate  # torch loads after --help has answered

    ecgs = generate(checkpoint or run, **arguments)
    print(f"{len(ecgs)} ECGs of {len(ecgs.leads)} leads lie in {ecgs.path}")


if __name__ == "__main__":
    main()
