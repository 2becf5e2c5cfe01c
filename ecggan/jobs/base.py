"""What jobs share: their result, and how those on real ECGs come by them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from ecggan import checks
from ecggan.data.sets.cautions import log_cautions
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import MANIFEST, SIGNALS, Kind, read_export
from ecggan.measurement.delineation_choice import delineation_of
from ecggan.quoting import as_argument
from ecggan.run_folder import RunFolder

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
        real: an ECG set or its folder, or a folder of files.
        files: an option of `configs/files`, whose ``source``, called with `root` and `kind`, makes an ECG set of files
            that are given in the place of one; None refuses them.
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
    files: Mapping[str, Any] | None = None
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
            return open_set("real", self.real, self.files)
        return self.data["source"]()

    def of_split(self, real: ECGSet, max_records: int | None) -> ECGSet:
        """Those of the split asked for, the first `max_records` of them.

        Raises:
            ValueError: there is none.
        """
        return first_records(real if self.split is None else real.where_split(self.split), max_records)


@dataclass(frozen=True, kw_only=True)
class OnMeasuredECGs(OnRealECGs):
    """A job on real ECGs that measures them.

    Args:
        measurement: its ``delineation`` says where waves begin and end; see
            [measure][ecggan.measurement.measure_set.measure]. None for the median beat.

    Raises:
        ValueError: the delineation is unknown.
    """

    measurement: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        delineation_of(self.measurement)

    @property
    def delineation(self) -> str:
        return delineation_of(self.measurement)


def first_records(real: ECGSet, max_records: int | None) -> ECGSet:
    """The first of a set; all for None.

    Raises:
        ValueError: the set is empty.
    """
    if not len(real):
        raise ValueError(f"the real set, {real.path}, holds no record")
    return real.subset(slice(max_records))


def pairs_as_mapping(value: Any) -> Any:
    """A mapping given as pairs, as names come that Hydra's grammar cannot write; anything else as it is."""
    is_sequence = isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0
    if is_sequence and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return dict(value)
    return value


def open_set(parameter: str, ecgs: str | Path | ECGSet, files: Mapping[str, Any] | None, kind: Kind = "real") -> ECGSet:
    """An ECG set, by its folder or made of files.

    Args:
        parameter: that gave it, for the message.
        ecgs: the set, its folder, or a folder or file of ECGs.
        files: as of [OnRealECGs][ecggan.jobs.base.OnRealECGs].
        kind: of ECGs in files.

    Raises:
        FileNotFoundError: there is no set, or no file of a known format.
        ValueError: the set is damaged, or the files do not state all that is needed.
    """
    opened = ecgs if isinstance(ecgs, ECGSet) else _open_or_pack(parameter, Path(str(ecgs)), files, kind)
    log_cautions(opened)
    return opened


def _open_or_pack(parameter: str, path: Path, files: Mapping[str, Any] | None, kind: Kind) -> ECGSet:
    from ecggan.data.packing.outcomes import NothingUsableError

    if RunFolder(path).record_path.is_file():
        command = f"python generate.py {as_argument('run', path)} out=DIR"
        raise ValueError(f"{parameter}={path} is a training run, not an ECG set; draw ECGs from it with: {command}")
    is_set = (path / SIGNALS).exists() or ((path / MANIFEST).exists() and read_export(path) is None)
    if is_set or files is None or not path.exists():
        return ECGSet.open(path)
    try:
        packed: ECGSet = files["source"](root=path, kind=kind, validation=0.0, test=0.0)
    except (NothingUsableError, FileNotFoundError) as error:
        problem = re.sub(r"\bdata\.(?=layout|source)", "files.", str(error))
        raise type(error)(
            f"{parameter}={path} is no ECG set, and cannot be made one: {problem}. Add files=deepfake_asc if these are "
            "the published DeepFake ECGs, or say what the files do not state, as in files.layout.leads=[I,II,V1] "
            "files.layout.sampling_rate=500 files.layout.unit=uV; any other source becomes an ECG set by evaluate.py "
            f"job=pack data=… data.kind={kind} out=DIR"
        ) from error
    is_split = set(packed.records["split"]) != {"train"}  # by the files; else who learned from which is not known
    return packed if is_split else replace(packed, records=packed.records.drop(columns="split"))
