"""LUDB, the Lobachevsky University database: ECGs with the waves annotated by cardiologists in each of 12 leads.

Kalyakulina et al. 2020, LUDB: a new open-access validation tool for electrocardiogram delineation algorithms,
https://doi.org/10.13026/eegm-h675. The gains in its headers are wrong (they scale every lead to 1 mV). III = II - I
holds in its integers exactly, so that all leads have one step; taken for 1 µV, its ECGs are as large as those of
PTB-XL (docs/how-to/data.md).
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from ecggan.data.packing.packer import Packer
from ecggan.data.readers.wfdb import read_wfdb, read_wfdb_annotation
from ecggan.data.record import Record, RecordReference, millivolts_per, years
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.selection import OLDEST, Candidate, Selection, summary_text
from ecggan.ecg import TWELVE_LEADS

log = logging.getLogger(__name__)

TABLE = "ludb.csv"

Wave = Literal["p", "qrs", "t"]
_WAVE_OF_SYMBOL: dict[str, Wave] = {"p": "p", "N": "qrs", "t": "t"}
_MILLIVOLTS_PER_STEP = 1e-3


@dataclass(frozen=True)
class LUDBRecord:
    """One record: signals ``(lead, time)`` in mV, and the waves that the cardiologists annotated.

    `waves` has a row for each wave and lead: `lead`, `wave` (p, qrs or t), `onset`, `peak` and `offset` in samples, NaN
    where a boundary is not given.
    """

    number: int
    millivolts: np.ndarray
    leads: tuple[str, ...]
    sampling_rate: int
    waves: pd.DataFrame


def ludb_set(
    root: str | Path | None,
    packer: Packer,
    selection: Selection,
    unit: str | int | float,
    validation: int | float,
    test: int | float,
) -> ECGSet:
    """Pack the selected records, one of each patient.

    Args:
        root: the folder that holds ludb.csv.
        packer: makes the set.
        selection: by the cells of ludb.csv, e.g. Sinus rhythm, age and sex.
        unit: of the stored integers.
        validation: the share of the records in that split, of 1, by a hash of the record's number.
        test: the share of the records in the test split, also by the hash.

    Raises:
        FileNotFoundError: there is no ludb.csv in `root`.
        ValueError: the table is damaged, or no record is selected or usable.
    """
    if root is None or not (Path(root).expanduser() / TABLE).is_file():
        where = "" if root is None else f"; {root} does not"
        raise FileNotFoundError(f"data=ludb needs data.root=FOLDER, the folder of LUDB that holds {TABLE}{where}")
    root = Path(root).expanduser()
    references, counts = selection.choose(_candidates(root, validation, test))
    log.info("LUDB: %s", summary_text(counts))
    if not references:
        raise ValueError(f"no record of {root / TABLE} is wanted ({summary_text(counts)}): {selection}")
    made_by = {
        "selection": asdict(selection),
        "unit": unit,
        "counts": counts,
        "validation": validation,
        "test": test,
    }
    read = partial(_read, millivolts_per_step=millivolts_per(unit), root=root, leads=packer.ecg.leads)
    return packer.pack("ludb", references, read, root, made_by)


def _read(reference: RecordReference, millivolts_per_step: float, root: Path, leads: Sequence[str]) -> Record:
    return read_wfdb(reference.path, millivolts_per_step, root, leads)


def _candidates(root: Path, validation: int | float, test: int | float) -> Iterator[Candidate]:
    try:
        table = pd.read_csv(root / TABLE, dtype=str, keep_default_na=False)
    except ValueError as error:  # UnicodeDecodeError and pandas' own among them
        raise ValueError(f"{root / TABLE} is not LUDB's table ({error}); download it again") from error
    missing = {"ID", "Sex", "Age"} - set(table)
    if missing:
        raise ValueError(f"{root / TABLE} is not LUDB's table: the column {min(missing)} is missing")
    for row in table.to_dict("records"):
        number, code, age = (str(row.pop(name)).strip() for name in ("ID", "Sex", "Age"))
        if number.isdecimal():
            sex = {"M": "male", "F": "female"}.get(code)
            facts: dict[str, Any] = {"patient": number, "split": split_of(number, validation, test)}
            facts |= {"age": years(age), "sex": sex}
            lines = [line.strip() for cell in row.values() for line in str(cell).splitlines()]
            statements = dict.fromkeys(filter(None, lines), 0)
            reference = RecordReference(number, _header(root, int(number)), facts)
            yield Candidate(reference, statements, OLDEST if age.startswith(">") else years(age), sex)


def sinus_rhythm_numbers(root: str | Path) -> list[int]:
    """The records in sinus rhythm without a pacemaker whose files are present, in order.

    Raises:
        FileNotFoundError: ludb.csv is missing.
        ValueError: none of its records is present.
    """
    root = Path(root).expanduser()
    table = root / TABLE
    if not table.is_file():
        raise FileNotFoundError(f"{table} is missing; ludb_root must be the folder of LUDB 1.0.1 that holds ludb.csv")
    patients = pd.read_csv(table)
    is_wanted = patients["Rhythms"].str.contains("sinus", case=False, na=False) & patients["Cardiac pacing"].isna()
    numbers = [int(n) for n in sorted(patients.loc[is_wanted, "ID"]) if _header(root, int(n)).is_file()]
    if not numbers:
        raise ValueError(f"{root / 'data'} holds none of the records that {table} lists")
    return numbers


def read_ludb(root: str | Path, number: int) -> LUDBRecord:
    """Read a record and its annotations, taking one step of the converter as 1 µV.

    Raises:
        FileNotFoundError: a file of it is missing.
        ValueError: a file of it is damaged.
    """
    header = _header(Path(root).expanduser(), number)
    record = read_wfdb(header, millivolts_per_step=_MILLIVOLTS_PER_STEP)
    waves = [row for lead in TWELVE_LEADS for row in _waves(header, lead)]
    columns = ["lead", "wave", "onset", "peak", "offset"]
    table = pd.DataFrame(waves, columns=columns)
    return LUDBRecord(number, record.millivolts, record.leads, int(record.sampling_rate), table)


def _header(root: Path, number: int) -> Path:
    return root / "data" / f"{number}.hea"


def _waves(header: Path, lead: str) -> Iterator[tuple[str, Wave, float, float, float]]:
    """Each peak with the opening bracket just before it and the closing one just after it."""
    symbols, samples = read_wfdb_annotation(header, lead.lower())
    symbols, at = ["", *symbols, ""], [np.nan, *samples, np.nan]
    for i, symbol in enumerate(symbols):
        if symbol in _WAVE_OF_SYMBOL:
            onset = float(at[i - 1]) if symbols[i - 1] == "(" else np.nan
            offset = float(at[i + 1]) if symbols[i + 1] == ")" else np.nan
            yield lead, _WAVE_OF_SYMBOL[symbol], onset, float(at[i]), offset
