"""An ECG set in the formats of others, each in a folder beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.jobs.base import Result


@dataclass(frozen=True, kw_only=True)
class Export:
    """Export an ECG set; see [export][ecggan.export].

    Args:
        ecg_set: its folder.
        export: "asc", "csv", "wfdb", "parquet" or "npz", or several of them: each in a folder beside the set.
        license: for the card, e.g. ``cc-by-4.0``.
        num_workers: processes that write; None for one a core.
    """

    ecg_set: str | Path | int | None = None
    export: str | Sequence[str] | None = None
    license: str | None = None
    num_workers: int | None = None

    def __post_init__(self) -> None:
        checks.given("ecg_set", self.ecg_set, "ecg_set=DIR, the folder of an ECG set")
        checks.given("export", self.export, "export=asc, or export=[wfdb,parquet]")
        forms_of(self.export)
        checks.whole_number("num_workers", self.num_workers, at_least=1, or_null=True)

    def run(self) -> Result[list[Path]]:
        """Write each format; one that is there already, of this set, is left.

        Raises:
            FileExistsError: another export is there.
            FileNotFoundError: the set is missing.
            ValueError: the set is empty, or holds what a format cannot.
            OSError: too little space on the disk.
        """
        folder = Path(str(self.ecg_set))
        ecgs = ECGSet.open(folder)
        paths = write_exports(ecgs, folder, forms_of(self.export), self.license, self.num_workers)
        return Result(list(paths.values()), folder, exported_text(paths))


def forms_of(export: object) -> list[str]:
    """The formats that are asked for, each once.

    Raises:
        ValueError: one is unknown.
    """
    if export is None:
        return []
    from ecggan.data.exports.export import FORMS

    forms = list(dict.fromkeys(map(str, export if isinstance(export, list | tuple) else [export])))
    unknown = [form for form in forms if form not in FORMS]
    if unknown:
        raise ValueError(f"export={unknown[0]} is not known; known are {', '.join(FORMS)}")
    return forms


def write_exports(
    ecgs: ECGSet, folder: Path, forms: Sequence[str], license: str | None, num_workers: int | None
) -> dict[str, Path]:
    """Write each format to a folder beside the set's; one that is there already, of this set, is left."""
    if not forms:
        return {}
    from ecggan.data.exports.export import export, is_exported

    license = None if license is None else str(license)
    folder = folder if folder.name.strip(".") else folder.resolve()  # . and .. have no name
    paths = {form: folder.with_name(f"{folder.name}-{form}") for form in forms}
    for form, path in paths.items():
        if not is_exported(ecgs, form, path, license):
            try:
                export(ecgs, form, path, license=license, num_workers=num_workers)
            except (FileExistsError, FileNotFoundError):
                if not is_exported(ecgs, form, path, license):  # by another process, meanwhile
                    raise
    return paths


def exported_text(paths: dict[str, Path]) -> str:
    return "\n".join(f"Exported {form} to {path}" for form, path in paths.items())
