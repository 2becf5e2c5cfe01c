"""What the page draws from and looks at, by name: generators and ECG sets; and the reports that it lists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecggan import checks
from ecggan.run_folder import as_folder

REPORT = "report.html"
LARGEST_SEED = 2**63 - 1
LARGEST_INDEX = 999_999_999


@dataclass(frozen=True)
class Source:
    """A generator or an ECG set.

    Args:
        name: unique, of letters, digits, ``.``, ``_`` and ``-``.
        parameter: as on the command line: checkpoint, run or ecg_set.
        path: "published", a file, or a folder.
    """

    name: str
    parameter: Literal["checkpoint", "run", "ecg_set"]
    path: str

    @property
    def draws(self) -> bool:
        return self.parameter != "ecg_set"


def name_sources(checkpoints: Sequence[str], runs: Sequence[str], ecg_sets: Sequence[str]) -> dict[str, Source]:
    """Each source by its name: that of its file or folder, numbered where two have the same.

    >>> list(name_sources(["published", "a/gan.pt"], [], ["x/ecgs", "y/ecgs"]))
    ['published', 'gan', 'ecgs', 'ecgs-2']

    Raises:
        ValueError: there is none.
    """
    found: dict[str, Source] = {}
    for parameter, paths in (("checkpoint", checkpoints), ("run", runs), ("ecg_set", ecg_sets)):
        for path in paths:
            name = _free_name(Path(path).stem if parameter == "checkpoint" else Path(path).resolve().name, found)
            found[name] = Source(name, parameter, as_folder(path) if parameter == "run" else path)  # type: ignore[arg-type]
    if not found:
        raise ValueError("a source must be given: checkpoint=published, run=RUN or ecg_set=DIR")
    return found


def name_reports(folders: Sequence[str]) -> dict[str, Path]:
    """The page of each report by its name.

    Raises:
        FileNotFoundError: a folder holds no report.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        page = Path(folder) / REPORT
        if not page.is_file():
            raise FileNotFoundError(f"report={folder} is not the folder of a report: there is no {REPORT} in it")
        found[_free_name(Path(folder).resolve().name, found)] = page
    return found


def _free_name(wanted: str, taken: dict) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip("-.") or "source"
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


@dataclass(frozen=True)
class Address:
    """One ECG: record `index` of a source; of a generator, drawn from (seed, index).

    Raises:
        ValueError: a number is out of range.
    """

    source: str
    seed: int
    index: int

    def __post_init__(self) -> None:
        checks.whole_number("seed", self.seed, at_least=0, at_most=LARGEST_SEED)
        checks.whole_number("ECG", self.index, at_least=0, at_most=LARGEST_INDEX)
