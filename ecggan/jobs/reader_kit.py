"""A kit with which blinded readers tell real from generated ECGs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import OnRealECGs, Result
from ecggan.jobs.report import first_of_each, open_sets


@dataclass(frozen=True, kw_only=True)
class ReaderKit(OnRealECGs):
    """Write real and generated ECGs in random order for blinded readers, and which is which into a folder apart.

    Args:
        out: a new folder for the readers; the key's is OUT-key, beside it.
        generated: an ECG set or its folder.
        baseline: in its place, ``source``, which makes an ECG set when called, and its ``name``.
        num_each: real ECGs, and as many generated ones.
        allow_overlap: accept real ECGs that the generator learned from.
        max_records: of each set to draw from; None for all.
        seed: of the draw and the order.
    """

    generated: str | Path | ECGSet | None = None
    baseline: Mapping[str, Any] | None = None
    num_each: int = 20
    allow_overlap: bool = False
    max_records: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        is_one = self.generated is None or isinstance(self.generated, str | Path | ECGSet)
        if not is_one or (self.generated is None) == (self.baseline is None):
            raise ValueError(
                "a reader kit sets one generated set beside the real one: give generated=ECG_SET or baseline=deepfake; "
                f"got generated={self.generated}, baseline={self.baseline and self.baseline['name']}"
            )
        checks.whole_number("num_each", self.num_each, at_least=1)
        checks.flag("allow_overlap", self.allow_overlap)
        checks.whole_number("max_records", self.max_records, at_least=1, or_null=True)
        checks.whole_number("seed", self.seed, at_least=0)

    def run(self) -> Result[Path]:
        """Write the kit; the value is the folder of the answer key.

        Raises:
            FileExistsError: a folder is there already.
            FileNotFoundError: a set is missing.
            ValueError: a set has too few patients, the sets' leads, rates or lengths differ, or real ECGs are among
                those that the generator learned from.
        """
        from ecggan.evaluation.memorization.training_overlap import check_no_overlap
        from ecggan.evaluation.reader_study.kit import write_reader_kit
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        named = [] if self.generated is None else [("generated", self.generated)]
        generated = first_of_each(open_sets(named, self.files, self.baseline), self.max_records)
        real = self.of_split(self.open_real(), self.max_records)
        if not self.allow_overlap:
            check_no_overlap(real, generated)
        (ecgs,) = generated.values()
        key = write_reader_kit(self.out, real, ecgs, self.num_each, self.seed)
        text = f"Saved to {self.out}; the answer key, which no reader may see, to {key}"
        return Result(key, Path(self.out), text)
