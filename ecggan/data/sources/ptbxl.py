"""PTB-XL in its official layout: the selection of records, their labels and splits.

Source: Wagner et al. 2020, PTB-XL, a large publicly available electrocardiography dataset, Scientific Data 7:154,
doi 10.1038/s41597-020-0495-6; https://physionet.org/content/ptb-xl/1.0.3/.
"""

import ast
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ecggan.data.packing.packer import Packer
from ecggan.data.readers.wfdb import read_wfdb
from ecggan.data.record import Record, RecordReference, years
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.download import Download
from ecggan.data.sources.selection import OLDEST, Candidate, Selection, summary_text
from ecggan.files.cache import in_cache, require_writable_cache

log = logging.getLogger(__name__)

DATABASE = "ptbxl_database.csv"
STATEMENTS = "scp_statements.csv"  # of each statement the class: NORM, MI, STTC, CD or HYP, the superclasses
# A patient is in one fold only; 9 and 10 hold labels checked by a human, and are recommended for these uses.
SPLIT_OF_FOLD = {**dict.fromkeys(range(1, 9), "train"), 9: "validation", 10: "test"}
SEXES = {0: "male", 1: "female"}
_LONGEST_STATEMENTS = 2000  # characters; the longest in PTB-XL has about 250
AGE_ABOVE_89 = 300  # stands in the database for every age above 89


@dataclass(frozen=True)
class PatientShares:
    """Splits by a hash of the patient's number, in place of the official folds; the rest of the patients trains.

    Args:
        validation: share of the patients, of 1.
        test: likewise.
    """

    validation: int | float
    test: int | float


def ptbxl_set(
    root: str | Path | None,
    packer: Packer,
    selection: Selection,
    download: Download | None = None,
    shares: PatientShares | None = None,
) -> ECGSet:
    """Pack the selected records, from the 500 Hz files, or from the 100 Hz files if that is the packer's rate.

    Args:
        root: the folder that holds ptbxl_database.csv.
        packer: makes the set.
        selection: by SCP-ECG statements, e.g. NORM, age and sex.
        download: fetches the database and the selected records that are missing in `root`, or in a folder of the
            cache if `root` is None.
        shares: of the patients in each split; None for the official folds.

    Raises:
        FileNotFoundError: there is no ptbxl_database.csv in `root`.
        ValueError: the database lacks a column, or no record is selected or usable.
        ConnectionError: a missing file could not be fetched.
    """
    if download is not None:
        if root is None:
            require_writable_cache(packer.cache)
            root = in_cache(packer.cache, "downloads", "ptbxl")
        download.fetch([DATABASE, STATEMENTS], root)
    if root is None or not (Path(root).expanduser() / DATABASE).is_file():
        where = "" if root is None else f"; {root} does not"
        raise FileNotFoundError(
            f"data=ptbxl needs data.root=FOLDER, the folder that holds {DATABASE}{where}; data.download=true fetches it"
        )
    root = Path(root).expanduser()
    candidates, counts = _candidates(root, packer, shares)
    references, steps = selection.choose(candidates)
    counts |= steps
    log.info("PTB-XL: %s", summary_text(counts))
    if not references:
        raise ValueError(f"no record of {root / DATABASE} is wanted ({summary_text(counts)}): {selection}")
    made_by = {"selection": asdict(selection), "counts": counts}
    if download is not None:
        headers = [reference.path.relative_to(root) for reference in references]
        download.fetch([file.as_posix() for header in headers for file in (header, header.with_suffix(".dat"))], root)
    return packer.pack("ptbxl", references, partial(_read, root=root, leads=packer.ecg.leads), root, made_by)


def _read(reference: RecordReference, root: Path, leads: Sequence[str]) -> Record:
    return read_wfdb(reference.path, root=root, leads=leads)


def shares_by(split_by: str, validation: int | float, test: int | float) -> PatientShares | None:
    """What ``data.split_by`` stands for: None for "fold".

    Raises:
        ValueError: another word.
    """
    if split_by not in ("fold", "patient"):
        raise ValueError(f"data.split_by must be fold or patient; got {split_by!r}")
    return PatientShares(validation, test) if split_by == "patient" else None


def _candidates(root: Path, packer: Packer, shares: PatientShares | None) -> tuple[list[Candidate], dict[str, int]]:
    """The usable rows of the database, and the numbers of all and of damaged rows."""
    file_column = "filename_lr" if packer.ecg.sampling_rate == 100 else "filename_hr"
    numbers = ["patient_id", "age", "sex", "strat_fold"]
    try:
        database = pd.read_csv(root / DATABASE, usecols=[*numbers, "scp_codes", file_column])
    except ValueError as error:
        raise ValueError(f"{root / DATABASE} is not PTB-XL's database ({error}); download it again") from error
    database[numbers] = database[numbers].apply(pd.to_numeric, errors="coerce")
    superclasses = read_superclasses(root / STATEMENTS)
    candidates: list[Candidate] = []
    seen: set[str] = set()
    num_damaged = 0
    for row in database.to_dict("records"):
        statements = read_statements(row["scp_codes"])
        split = SPLIT_OF_FOLD.get(row["strat_fold"])
        if statements is None or split is None or not _is_inside(row[file_column]) or row[file_column] in seen:
            num_damaged += 1
            continue
        seen.add(row[file_column])
        path = root / f"{row[file_column]}.hea"
        sex = SEXES.get(row["sex"])
        patient = _patient(row["patient_id"])
        if shares is not None:
            split = split_of(packer.known_patient(patient) or path.stem, shares.validation, shares.test)
        facts = {"patient": patient, "split": split, "age": _age(row["age"]), "sex": sex}
        age = OLDEST if row["age"] == AGE_ABOVE_89 else row["age"]
        classes = {superclasses[name] for name in statements if name in superclasses}
        candidates.append(Candidate(RecordReference(path.stem, path, facts), statements, age, sex, classes))
    return candidates, {"database_rows": len(database), "damaged_rows": num_damaged}


def _is_inside(name: Any) -> bool:
    """Whether a cell names a file within the database's folder."""
    return isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts


def read_statements(written: Any) -> Mapping[str, float] | None:
    """``"{'NORM': 100.0, 'SR': 0.0}"`` as a dict; None if the cell is damaged. A likelihood of 0 means unknown."""
    if not isinstance(written, str) or len(written) > _LONGEST_STATEMENTS:
        return None
    try:
        statements = ast.literal_eval(written)
        return {str(name): float(likelihood) for name, likelihood in statements.items()}
    except (ValueError, SyntaxError, TypeError, AttributeError, OverflowError, RecursionError, MemoryError):
        return None


def read_superclasses(path: Path) -> dict[str, str]:
    """Of each diagnostic statement its superclass; empty where PTB-XL's table of statements is not there.

    Raises:
        ValueError: the file is another.
    """
    if not path.is_file():
        return {}
    try:
        table = pd.read_csv(path, index_col=0)
        classes = table["diagnostic_class"].dropna()
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path} is not PTB-XL's table of statements ({error}); download it again") from error
    return {str(statement): str(name) for statement, name in classes.items()}


def _patient(number: int | float) -> str | None:
    return str(int(number)) if math.isfinite(number) else None


def _age(number: int | float) -> float:
    # the code for "above 89" would distort every mean
    return math.nan if number == AGE_ABOVE_89 else years(number)
