"""A set of ECGs drawn from a generator."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.exclusions import summarize_exclusions
from ecggan.jobs.base import Result
from ecggan.jobs.convert import generator_source
from ecggan.jobs.export import exported_text, forms_of, write_exports

if TYPE_CHECKING:
    import pandas as pd

    from ecggan.data.sets.record_filter import RecordFilter

_NUM_FITTED = 1024  # ECGs that keep=like_real is fitted on, of another seed than the set's
_SEED_OF_OTHERS = 1 << 40


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Draw a set of ECGs from a generator, and export it; see [generate][ecggan.generate].

    Args:
        checkpoint: "published", "ptbxl" or a file.
        run_folder: in its place, the folder of a training run.
        epoch: of the run: a number, "last" or "best".
        num_records: how many.
        seed: record k is drawn from (seed, k) alone.
        leads: 8, 12, or names; None for the network's own.
        weights: the generator's moving average over training ("ema"), or its last state ("raw").
        ecg: what a file of others does not say of its ECGs, such as `full_scale_mv`.
        keep: "measurable" or "normal" draws until `num_records` of these are drawn; "like_real" selects ECGs so that
            their measurements are distributed as those of `like`; None keeps all.
        like: for keep="like_real", the folder of an ECG set of real ECGs.
        like_share: for keep="like_real", the share of the drawn ECGs to keep.
        normality: for keep="normal", rules of the normality screen, on or off; those that are not named are on.
        out: a folder; None for a new one in runs/generate. Interrupted, the same job resumes.
        export: "asc", "csv", "wfdb", "parquet" or "npz", or several of them: each in a folder beside the set.
        license: of the export, for its card.
        part: "0/4" for the first of four processes that fill one set, "slurm" for what Slurm says of this one; None for
            the whole, or torchrun's rank.
        batch_size: records at once on a GPU; it changes the speed, not the set.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        num_workers: processes that measure for `keep`, and that export; None for one a core.
        condition: of a generator that was trained with conditions: a mapping, condition -> value, [from, to] or labels;
            or a CSV or Parquet file of them, a row a record; None for conditions as in the training set.
    """

    checkpoint: str | Path | int | None = None
    run_folder: str | Path | int | None = None
    epoch: int | str = "best"
    num_records: int = 100
    seed: int = 0
    leads: int | str | Sequence[str] | None = None
    weights: str = "ema"
    ecg: Mapping[str, Any] | None = None
    keep: str | None = None
    like: str | Path | int | None = None
    like_share: int | float = 0.25
    normality: Mapping[str, bool] | None = None
    out: str | Path | int | None = None
    export: str | Sequence[str] | None = None
    license: str | None = None
    part: str | None = None
    batch_size: int = 512
    device: str = "auto"
    num_workers: int | None = None
    condition: Mapping[str, Any] | str | Path | None = None

    def __post_init__(self) -> None:
        generator_source(self.checkpoint, self.run_folder)
        checks.whole_number("num_records", self.num_records, at_least=1)
        checks.whole_number("seed", self.seed, at_least=0)
        checks.whole_number("batch_size", self.batch_size, at_least=1)
        checks.whole_number("num_workers", self.num_workers, at_least=1, or_null=True)
        checks.one_of("weights", self.weights, ("ema", "raw"))
        checks.one_of("keep", self.keep, ("measurable", "normal", "like_real"), or_null=True)
        checks.number("like_share", self.like_share, at_least=0.001, at_most=1)
        if self.keep == "like_real":
            checks.given("like", self.like, "like=DIR, an ECG set of real ECGs")
        elif self.like is not None:
            raise ValueError(f"like={self.like} is for keep=like_real; keep is {self.keep}")
        forms_of(self.export)
        if not (self.condition is None or isinstance(self.condition, Mapping | str | Path)):
            raise ValueError(
                "condition must be a mapping, such as {sex:female,heart_rate:[80,100]}, or a CSV or Parquet file; got "
                f"{self.condition}"
            )

    def run(self) -> Result[ECGSet | None]:
        """Draw the set and export it; the value is None where other processes have yet to draw their parts.

        Raises:
            FileNotFoundError: no such checkpoint.
            FileExistsError: `out` is there already and is not this set.
            ValueError: a value cannot be, or the generator is degenerate.
            OSError: too little space on the disk.
        """
        from ecggan.compute.workers import current_workers
        from ecggan.generation.distributed import generate_on_workers
        from ecggan.generation.generate import generate_part
        from ecggan.generation.parts import part_of

        cluster = current_workers()
        part, num_parts = part_of(None if self.part is None else str(self.part), os.environ)
        if cluster is not None and num_parts > 1:
            raise ValueError("part= is for processes that fill a set without compute=; leave one of them out")
        if self.out is None and num_parts > 1:
            raise ValueError("several processes fill one set: give all of them the same out=FOLDER")
        out = f"runs/generate/{datetime.now():%Y-%m-%d_%H-%M-%S-%f}" if self.out is None else str(self.out)
        source = generator_source(self.checkpoint, self.run_folder)
        arguments: dict[str, Any] = {
            "out": out,
            "keep": self._filter(source, self.num_workers if cluster is None else 1),
            "device": str(self.device),
            **{name: getattr(self, name) for name in ("num_records", "seed", "leads", "weights", "epoch", "ecg")},
            "batch_size": self.batch_size,
            "condition": self._condition(),
        }
        ecgs: ECGSet | None
        if cluster is None:
            ecgs = generate_part(source, part=part, num_parts=num_parts, **arguments)
        else:
            ecgs = generate_on_workers(cluster, source, **arguments)
        if ecgs is None:
            text = f"Part {part} of {num_parts} is drawn; the last part to end completes the set in {out}"
            return Result(None, Path(out), text)
        paths = write_exports(ecgs, Path(out), forms_of(self.export), self.license, self.num_workers)
        lines = [*_exclusions(ecgs), f"{len(ecgs):,} ECGs of {len(ecgs.leads)} leads", f"Saved to {out}"]
        return Result(ecgs, Path(out), "\n".join([*lines, *([exported_text(paths)] if paths else [])]))

    def _condition(self) -> "Mapping[str, Any] | pd.DataFrame | None":
        if self.condition is None or isinstance(self.condition, Mapping):
            return self.condition
        from ecggan.data.sets.conditions import read_conditions

        return read_conditions(Path(self.condition).expanduser())

    def _filter(self, source: str, num_workers: int | None) -> "RecordFilter | None":
        if self.keep is None:
            return None
        if self.keep == "like_real":
            return self._fitted_filter(source, num_workers)
        from ecggan.measurement.normality.normality_filter import NormalityFilter

        return NormalityFilter(self.keep, self.normality, num_workers)

    def _fitted_filter(self, source: str, num_workers: int | None) -> "RecordFilter":
        from ecggan.evaluation.fidelity.like_real import LikeReal
        from ecggan.generation.generate import generate

        options: dict[str, Any] = {
            name: getattr(self, name) for name in ("leads", "weights", "epoch", "ecg", "batch_size")
        }
        options |= {"device": str(self.device), "condition": self._condition()}
        others = generate(source, _NUM_FITTED, self.seed ^ _SEED_OF_OTHERS, **options, progress=False)
        filter_ = LikeReal.fit(ECGSet.open(str(self.like)), others, self.like_share, self.num_workers)
        return filter_.with_workers(num_workers)


def _exclusions(ecgs: ECGSet) -> list[str]:
    account = ecgs.manifest.get("account")
    if account is None:
        return []
    is_selected = "selected" in (ecgs.manifest["made_by"].get("keep") or {})
    verb = "selected" if is_selected else "kept"
    first = f"{account['kept']:,} of {account['read']:,} ECGs are {verb}; left out by"
    return [first, *(f"  {rule}: {words}" for rule, words in summarize_exclusions(account).items())]
