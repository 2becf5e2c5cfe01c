"""Whether generated ECGs show what was asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import OnRealECGs, Result, open_set

if TYPE_CHECKING:
    from ecggan.evaluation.obedience import obedience


@dataclass(frozen=True, kw_only=True)
class Obedience(OnRealECGs):
    """Compare what was asked of a generator with what its ECGs show, beside real ECGs of the same conditions.

    Args:
        out: a new folder for the result.
        generated: an ECG set, or its folder, of a generator with conditions.
        max_records: of each set; None for all.
        seed: of the bootstrap.
    """

    generated: str | Path | ECGSet | None = None
    max_records: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.given("generated", self.generated, "generated=ECG_SET, drawn with conditions")
        checks.whole_number("max_records", self.max_records, at_least=1, or_null=True)
        checks.whole_number("seed", self.seed, at_least=0)

    def run(self) -> "Result[obedience.Obedience]":
        """Write the tables.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: a set is missing.
            ValueError: a set lacks a condition.
        """
        from ecggan.evaluation.obedience.obedience import assess_obedience
        from ecggan.evaluation.obedience.write_obedience import summary_text, write_obedience
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        assert self.generated is not None
        generated = open_set("generated", self.generated, self.files, "generated").subset(slice(self.max_records))
        real = self.of_split(self.open_real(), self.max_records)
        found = assess_obedience(real, generated, self.num_workers, cache=self.cache, seed=self.seed)
        page = write_obedience(self.out, found)
        return Result(found, page, f"{summary_text(found)}\nSaved to {page}")
