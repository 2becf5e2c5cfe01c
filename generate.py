"""Draw a set of ECGs from a generator, and export it.

python generate.py checkpoint=published num_records=100 seed=0 out=DIR
python generate.py run=RUN num_records=150000 keep=normal out=DIR export=[asc,parquet]
python generate.py run=RUN num_records=150000 out=DIR compute=slurm compute.num_workers=16
torchrun --nproc-per-node 4 generate.py run=RUN num_records=150000 out=DIR
python generate.py ecg_set=DIR export=wfdb
python generate.py run=RUN convert=FILE.safetensors
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.cli import exit_on_user_error

if TYPE_CHECKING:
    from ecggan.data.sets.ecg_set import ECGSet

SOURCES = ("run", "checkpoint", "ecg_set")


@hydra.main(config_path="configs", config_name="generate", version_base="1.3")
@exit_on_user_error
def main(config: DictConfig) -> None:
    arguments = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    for name in (*SOURCES, "out", "part", "convert", "device", "license"):  # what looks like a number is a name
        arguments[name] = None if arguments[name] is None else str(arguments[name])
    sources = {name: arguments.pop(name) for name in SOURCES}
    given = {name: source for name, source in sources.items() if source is not None}
    if len(given) != 1:
        raise ValueError(
            "say which generator: checkpoint=published, checkpoint=FILE or run=RUN (or ecg_set=DIR, which is to be "
            f"exported); got {' '.join(f'{name}={source}' for name, source in given.items()) or 'none'}"
        )
    if sources["run"] is not None and not Path(sources["run"]).is_dir():
        raise FileNotFoundError(f"run={sources['run']} is not a folder; it must be that of a training run")
    forms, license, num_workers = (arguments.pop(name) for name in ("export", "license", "num_workers"))
    if num_workers is not None and not (isinstance(num_workers, int) and num_workers >= 1):
        raise ValueError(f"num_workers must be a whole number, at least 1, or null; got {num_workers!r}")
    forms = [] if forms is None else list(dict.fromkeys(forms if isinstance(forms, list) else [str(forms)]))
    check_forms(forms)
    convert = arguments.pop("convert")
    if sources["ecg_set"] is not None:
        if not forms or convert is not None:
            raise ValueError("ecg_set= is there to be exported: give export=asc, or export=[wfdb,parquet]")
        from ecggan.data.sets.ecg_set import ECGSet

        write_exports(ECGSet.open(sources["ecg_set"]), Path(sources["ecg_set"]), forms, license, num_workers)
        return
    (source,) = given.values()
    if convert is not None:
        from ecggan.checkpoints.open import convert_checkpoint

        path = convert_checkpoint(source, convert, **{name: arguments[name] for name in ("weights", "epoch", "ecg")})
        print(f"The generator lies in {path}")
        return
    from hydra.utils import instantiate

    arguments.pop("compute")
    with instantiate(config.compute):
        ecgs, out = draw(source, arguments, num_workers)
    if ecgs is not None:
        write_exports(ecgs, out, forms, license, num_workers)


def check_forms(forms: Sequence[str]) -> None:
    """Refuse an unknown form before hours of drawing."""
    if forms:
        from ecggan.data.exports.export import FORMS

        unknown = [form for form in forms if form not in FORMS]
        if unknown:
            raise ValueError(f"export={unknown[0]} is not known; known are {', '.join(FORMS)}")


def draw(source: str, arguments: dict[str, Any], num_workers: int | None) -> "tuple[ECGSet | None, Path]":
    """The set and its folder; None where other processes have yet to draw their parts of it."""
    from ecggan.compute.workers import current_workers
    from ecggan.generation.distributed import generate_on_workers
    from ecggan.generation.generate import generate_part  # torch loads after --help has answered
    from ecggan.generation.parts import part_of

    cluster = current_workers()
    part, num_parts = part_of(arguments.pop("part"), os.environ)
    if cluster is not None and num_parts > 1:
        raise ValueError("part= is for processes that fill a set without compute=; leave one of them out")
    out = arguments.pop("out")
    if out is None:
        if num_parts > 1:
            raise ValueError("several processes fill one set: give all of them the same out=FOLDER")
        out = f"runs/generate/{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    what, rules = arguments.pop("keep"), arguments.pop("normality")
    keep = None
    if what is not None:
        from ecggan.measurement.normality.normality_filter import NormalityFilter

        keep = NormalityFilter(what, rules, num_workers if cluster is None else 1)
    ecgs: ECGSet | None
    if cluster is None:
        ecgs = generate_part(source, out=out, part=part, num_parts=num_parts, keep=keep, **arguments)
    else:
        ecgs = generate_on_workers(cluster, source, out=out, keep=keep, **arguments)
    if ecgs is None:
        print(f"Part {part} of {num_parts} is drawn; the last part to end completes the set in {out}")
        return None, Path(out)
    print_account(ecgs.manifest.get("account"))
    print(f"{len(ecgs):,} ECGs of {len(ecgs.leads)} leads lie in {out}")
    return ecgs, Path(out)


def print_account(account: dict[str, Any] | None) -> None:
    if account is None:
        return
    from ecggan.data.sets.ecg_set import summarize_exclusions

    print(f"{account['kept']:,} of {account['read']:,} ECGs are kept; left out by")
    for rule, words in summarize_exclusions(account).items():
        print(f"  {rule}: {words}")


def write_exports(
    ecgs: "ECGSet", folder: Path, forms: Sequence[str], license: str | None, num_workers: int | None
) -> None:
    """Write each form to a folder beside the set's; one that is there already, of this set, is left."""
    if not forms:
        return
    from ecggan.data.exports.export import export, is_exported

    for form in forms:
        path = folder.with_name(f"{folder.name}-{form}")
        if not is_exported(ecgs, form, path, license):
            try:
                export(ecgs, form, path, license=license, num_workers=num_workers)
            except (FileExistsError, FileNotFoundError):
                if not is_exported(ecgs, form, path, license):  # by another process, meanwhile
                    raise
        print(f"As {form} they lie in {path}")


if __name__ == "__main__":
    main()
