"""Draw a set of ECGs from a generator.

python generate.py checkpoint=published num_records=100 seed=0 out=DIR
python generate.py run=RUN num_records=150000 keep=normal out=DIR
torchrun --nproc-per-node 4 generate.py run=RUN num_records=150000 out=DIR
"""

import os
from datetime import datetime
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

    from ecggan.generation.parts import part_of
    from ecggan.generation.sampling import generate_part  # torch loads after --help has answered

    part, num_parts = part_of(arguments.pop("part"), os.environ)
    out = arguments.pop("out")
    if out is None:
        if num_parts > 1:
            raise ValueError("several processes fill one set: give all of them the same out=FOLDER")
        out = f"runs/generate/{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    what, rules, num_workers = (arguments.pop(name) for name in ("keep", "normality", "num_workers"))
    keep = None
    if what is not None:
        from ecggan.evaluation.keeping import KeepIf

        keep = KeepIf(what, rules, num_workers)
    ecgs = generate_part(checkpoint or run, out=out, part=part, num_parts=num_parts, keep=keep, **arguments)
    if ecgs is None:
        print(f"Part {part} of {num_parts} is drawn; the last part to end completes the set in {out}")
        return
    print_account(ecgs.manifest.get("account"))
    print(f"{len(ecgs):,} ECGs of {len(ecgs.leads)} leads lie in {out}")


def print_account(account: dict[str, Any] | None) -> None:
    if account is None:
        return
    from ecggan.data.ecg_set import left_out_in_words

    print(f"{account['kept']:,} of {account['read']:,} ECGs are kept; left out by")
    for rule, words in left_out_in_words(account).items():
        print(f"  {rule}: {words}")


if __name__ == "__main__":
    main()
