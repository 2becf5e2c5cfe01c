"""What jobs share: their result, and how those on real ECGs come by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ecggan import checks
from ecggan.data.sets.cautions import log_cautions
from ecggan.data.sets.ecg_set import ECGSet

T = TypeVar("T")


@dataclass(frozen=True)
class Result(Generic[T]):
    """What a job made; as text, what its command prints.

    Args:
        value: the result itself.
        path: where it is saved.
        text: a summary of the result, and the path where it is saved.
        is_success: False for a test that was not passed: its command ends with status 1.
    """

    value: T
    path: Path
    text: str
    is_success: bool = True

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class OnRealECGs:
    """A job on real ECGs, which are an ECG set or come from a data source.

    Args:
        out: a new folder for the result.
        real: an ECG set or its folder.
        data: in the place of `real`, an option of `configs/data`: its ``source``, called without arguments, makes the
            ECG set; its ``split`` names the split to take, or several; None for all.
        num_workers: processes; None for one a core.
        cache: a folder where measured rows are kept and looked for; None keeps nothing.

    Raises:
        ValueError: a value is out of range, or real ECGs are given twice or not at all.
    """

    out: str | Path
    real: str | Path | ECGSet | None = None
    data: Mapping[str, Any] | None = None
    num_workers: int | None = None
    cache: str | Path | None = None

    def __post_init__(self) -> None:
        if self.real is not None and self.data is not None:
            raise ValueError("the real ECGs are given twice: give data=… or real=ECG_SET, not both")
        if self.real is None and self.data is None:
            raise ValueError("real ECGs must be given: data=ptbxl data.root=DIR (or another source), or real=ECG_SET")
        checks.whole_number("num_workers", self.num_workers, at_least=1, or_null=True)

    @property
    def split(self) -> str | Sequence[str] | None:
        return None if self.data is None else self.data.get("split")

    def open_real(self) -> ECGSet:
        """The real ECGs of all splits."""
        if self.data is None:
            assert self.real is not None
            return open_set(self.real)
        return self.data["source"]()

    def of_split(self, real: ECGSet, max_records: int | None) -> ECGSet:
        """Those of the split asked for, the first `max_records` of them.

        Raises:
            ValueError: there is none.
        """
        return first_records(real if self.split is None else real.where_split(self.split), max_records)


def first_records(real: ECGSet, max_records: int | None) -> ECGSet:
    """The first of a set; all for None.

    Raises:
        ValueError: the set is empty.
    """
    if not len(real):
        raise ValueError(f"the real set, {real.path}, holds no record")
    return real.subset(slice(max_records))


def open_set(ecgs: str | Path | ECGSet) -> ECGSet:
    """The set itself, or that in a folder; what is doubtful about it is logged."""
    opened = ecgs if isinstance(ecgs, ECGSet) else ECGSet.open(str(ecgs))
    log_cautions(opened)
    return opened
