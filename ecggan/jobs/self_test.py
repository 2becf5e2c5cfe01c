"""Whether this evaluation can be fooled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecggan import checks
from ecggan.jobs.base import OnMeasuredECGs, Result, first_records

if TYPE_CHECKING:
    from ecggan.evaluation.self_test import self_test


@dataclass(frozen=True, kw_only=True)
class SelfTest(OnMeasuredECGs):
    """Assess corrupted sets made of real ECGs, which must raise an alarm, and fresh real ECGs, which must not.

    Args:
        out: a new folder for the result.
        max_records: of the real ECGs, of all splits; None for all.
        corruptions: the names of those to try; None for all.
        seed: of the parts, of what is random in the corruptions, and of the assessment.
    """

    max_records: int | None = None
    corruptions: Sequence[str] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole_number("max_records", self.max_records, at_least=1, or_null=True)
        checks.whole_number("seed", self.seed, at_least=0)
        if self.corruptions is not None:
            from ecggan.evaluation.self_test.corruptions import CORRUPTIONS

            checks.several_of("corruptions", self.corruptions, tuple(CORRUPTIONS))

    def run(self) -> "Result[self_test.SelfTest]":
        """Write which corruption which measure caught; a success if each was caught and the fresh ECGs raised no alarm.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: the real set is missing.
            ValueError: the real ECGs are of too few patients, or lack a lead.
        """
        from ecggan.evaluation.self_test.self_test import run_self_test, summary_text, write_self_test
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        real = first_records(self.open_real(), self.max_records)
        found = run_self_test(
            real,
            self.num_workers,
            cache=self.cache,
            seed=self.seed,
            corruptions=self.corruptions,
            delineation=self.delineation,
        )
        page = write_self_test(self.out, found)
        return Result(found, page, f"{summary_text(found)}\nSaved to {page}", is_success=found.passes())
