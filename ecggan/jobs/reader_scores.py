"""How well blinded readers tell real from generated ECGs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecggan import checks
from ecggan.jobs.base import Result, pairs_as_mapping

if TYPE_CHECKING:
    from ecggan.evaluation.reader_study import scores


@dataclass(frozen=True, kw_only=True)
class ReaderScores:
    """Score readers' filled-in sheets by the key of their kit.

    Args:
        out: a new folder for the scores.
        readers: sheets: one, a list, whose readers go by their files' names, or a mapping, reader -> sheet.
        key: ``key.csv`` of the kit, or the folder that holds it.
        seed: of the bootstrap.
    """

    out: str | Path
    readers: str | Path | Sequence[str | Path] | Mapping[Any, str | Path] | None = None
    key: str | Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        checks.given("readers", self.readers, "readers=[ann.csv,bob.csv], the sheets as they were filled in")
        checks.given("key", self.key, "key=KIT-key/key.csv, the answer key of the readers' kit")
        checks.whole_number("seed", self.seed, at_least=0)

    def run(self) -> "Result[scores.ReaderScores]":
        """Write each reader's scores and how far the readers agree.

        Raises:
            FileExistsError: `out` is there already.
            FileNotFoundError: a sheet or the key is missing.
            ValueError: a sheet cannot be read, or is of another kit.
        """
        from ecggan.evaluation.reader_study.scores import reader_table, score_readers, write_scores
        from ecggan.files.atomic import require_new_folder

        require_new_folder(self.out)
        assert self.key is not None
        assert self.readers is not None
        found = score_readers(self.key, pairs_as_mapping(self.readers), seed=self.seed)
        page = write_scores(self.out, found)
        return Result(found, page, f"{reader_table(found).to_string(index=False)}\nSaved to {page}")
