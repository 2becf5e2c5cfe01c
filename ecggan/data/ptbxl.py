"""PTB-XL in its official layout: which records, which label, which split.

Source: Wagner et al. 2020, PTB-XL, a large publicly available electrocardiography dataset, Scientific Data 7:154,
doi 10.1038/s41597-020-0495-6; https://physionet.org/content/ptb-xl/1.0.3/.
"""

import ast
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ecggan.data.ecg_set import ECGSet
from ecggan.data.packing import Packer
from ecggan.data.readers.wfdb_files import read_wfdb
from ecggan.data.record import Record, RecordReference

log = logging.getLogger(__name__)

DATABASE = "ptbxl_database.csv"
# A patient is in one fold only; 9 and 10 hold the labels that a human checked, and are recommended for these uses.
SPLIT_OF_FOLD = {**dict.fromkeys(range(1, 9), "train"), 9: "validation", 10: "test"}
SEXES = {0: "male", 1: "female"}
AGE_ABOVE_89 = 300  # how the database writes the age of patients older than that


def ptbxl_set(
    root: str | Path | None,
    packer: Packer,
    label: str,
    min_likelihood: int | float,
    companions: Sequence[str] | None,
) -> ECGSet:
    """Pack the records that carry a label, at 500 Hz (or 100 Hz, where `ecg` says so).

    Args:
        root: the folder that holds ptbxl_database.csv.
        packer: makes the set.
        label: an SCP-ECG statement, e.g. NORM.
        min_likelihood: of the label, 0 to 100.
        companions: the other statements that may stand beside the label; None allows any.

    Raises:
        FileNotFoundError: there is no ptbxl_database.csv in `root`.
        ValueError: the database lacks a column, or no record is chosen or usable.
    """
    if root is None or not (Path(root).expanduser() / DATABASE).is_file():
        where = "" if root is None else f"; {root} does not"
        raise FileNotFoundError(f"data=ptbxl needs data.root=FOLDER, the folder that holds {DATABASE}{where}")
    root = Path(root).expanduser()
    allowed = None if companions is None else (companions,) if isinstance(companions, str) else tuple(companions)
    references, selection = _choose(root, packer.ecg.sampling_rate, label, min_likelihood, allowed)
    log.info("PTB-XL: %s", ", ".join(f"{step.replace('_', ' ')} {count}" for step, count in selection.items()))
    if not references:
        raise ValueError(
            f"no record of {root / DATABASE} carries {label!r} with a likelihood of {min_likelihood:g} or more "
            f"and nothing beside it but {allowed}: {selection}"
        )
    chosen_by = {"label": label, "min_likelihood": min_likelihood, "companions": allowed, "selection": selection}
    return packer.pack("ptbxl", references, _read, root, chosen_by)


def _read(reference: RecordReference) -> Record:
    return read_wfdb(reference.path)


def _choose(
    root: Path, sampling_rate: int, label: str, min_likelihood: int | float, companions: tuple[str, ...] | None
) -> tuple[list[RecordReference], dict[str, int]]:
    """The references, and how many rows of the database fell at which step."""
    file_column = "filename_lr" if sampling_rate == 100 else "filename_hr"
    numbers = ["patient_id", "age", "sex", "strat_fold"]
    try:
        database = pd.read_csv(root / DATABASE, usecols=[*numbers, "scp_codes", file_column])
    except ValueError as error:
        raise ValueError(f"{root / DATABASE} is not PTB-XL's database ({error}); download it again") from error
    database[numbers] = database[numbers].apply(pd.to_numeric, errors="coerce")
    steps = ("damaged_rows", "with_label", "likelihood_too_low", "other_statements_beside", "chosen")
    counts = {"database_rows": len(database), **dict.fromkeys(steps, 0)}
    references: list[RecordReference] = []
    seen: set[str] = set()
    for row in database.to_dict("records"):
        statements = read_statements(row["scp_codes"])
        split = SPLIT_OF_FOLD.get(row["strat_fold"])
        if statements is None or split is None or not _is_inside(row[file_column]) or row[file_column] in seen:
            counts["damaged_rows"] += 1
            continue
        seen.add(row[file_column])
        if label not in statements:
            continue
        counts["with_label"] += 1
        if statements[label] < min_likelihood:
            counts["likelihood_too_low"] += 1
        elif companions is not None and not set(statements) <= {label, *companions}:
            counts["other_statements_beside"] += 1
        else:
            counts["chosen"] += 1
            facts = {"patient": _patient(row["patient_id"]), "split": split, "age": _age(row["age"])}
            facts |= {"sex": SEXES.get(row["sex"]), "label": label, "likelihood": statements[label]}
            path = root / f"{row[file_column]}.hea"
            references.append(RecordReference(path.stem, path, facts))
    return references, counts


def _is_inside(name: Any) -> bool:
    """Whether a cell names a file within the database's folder."""
    return isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts


def read_statements(written: Any) -> Mapping[str, float] | None:
    """``"{'NORM': 100.0, 'SR': 0.0}"`` as a dict; None where the cell is damaged. A likelihood of 0 means unknown."""
    try:
        statements = ast.literal_eval(written)
        return {str(name): float(likelihood) for name, likelihood in statements.items()}
    except (ValueError, SyntaxError, TypeError, AttributeError):
        return None


def _patient(number: float) -> str | None:
    return str(int(number)) if math.isfinite(number) else None


def _age(years: float) -> float:
    # a number that stands for "above 89" would spoil every mean
    return math.nan if years == AGE_ABOVE_89 else years
