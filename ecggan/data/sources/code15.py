"""CODE-15 %: ECGs of primary care in Brazil, 400 Hz, in a table and HDF5 files of 20,000 exams.

Ribeiro et al. 2021, https://doi.org/10.5281/zenodo.4916206. Exams of 7 and of 10 s are centred in 4096 samples
with zeros before and after, which are removed.

What its numbers stand for is not certain, so the user states it. Its README gives "the scale 1e-4 V" and "multiply by
1000 if in V", which contradict each other. Taken for mV, they are about twice as large as other adults' ECGs. Public
threads found the same: antonior92/ecg-age-prediction, issues 1 (peaks twice as high as usual) and 5 (a factor of 0.5
fits best over 100,000 exams; the recorder's instructions suggest 0.39); antonior92/automatic-ecg-diagnosis, issue 10
(the README contradicts itself).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from ecggan.data.packing.packer import Packer
from ecggan.data.readers.hdf5 import read_column
from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout, Record, RecordReference, years
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.folder import find_files
from ecggan.data.sources.selection import Candidate, Selection, summary_text
from ecggan.ecg import TWELVE_LEADS
from ecggan.files.path_safety import leads_out_of

log = logging.getLogger(__name__)

TABLE = "exams.csv"
PARTS = ("exams_part*.hdf5", "exams_part*.h5")
SIGNALS, EXAM_IDS = "tracings", "exam_id"
STATEMENTS = ("normal_ecg", "1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")
SAMPLING_RATE = 400
UNIT_IS_NEEDED = (
    "data=code15 needs data.unit (in data=combined: data.parts.code15.unit), what one of its numbers is, for that is "
    "not certain: taken for 1 mV they are twice as large as other adults' ECGs, and public threads found 0.39 to "
    "0.5 mV; for example data.unit='0.4 mV' (docs/how-to/data.md)"
)


def code15_set(
    root: str | Path | None,
    packer: Packer,
    selection: Selection,
    unit: str | int | float | None,
    validation: int | float,
    test: int | float,
) -> ECGSet:
    """Pack the selected exams of the parts that are present.

    Args:
        root: the folder that holds exams.csv, and at any depth the parts.
        packer: makes the set.
        selection: by the columns of exams.csv, e.g. normal_ecg or AF, age and sex.
        unit: what one of its numbers is, such as ``0.4 mV``; None is refused, for it is not certain.
        validation: the share of the patients in that split, of 1, by a hash of the patient's number.
        test: the share of the patients in the test split, also by the hash.

    Raises:
        FileNotFoundError: there is no exams.csv in `root`, or no part.
        ValueError: no unit is given, the table lacks a column, or no exam is selected or usable.
    """
    if root is None or not (Path(root).expanduser() / TABLE).is_file():
        where = "" if root is None else f"; {root} does not"
        raise FileNotFoundError(f"data=code15 needs data.root=FOLDER, that of CODE-15 % with its {TABLE}{where}")
    if unit is None:
        raise ValueError(UNIT_IS_NEEDED)
    layout = Layout(TWELVE_LEADS, SAMPLING_RATE, unit, array=SIGNALS)
    root = Path(root).expanduser()
    parts = find_files(root, PARTS)
    if not parts:
        raise FileNotFoundError(f"no {PARTS[0]} in {root} or below; unpack at least one part of CODE-15 %")
    exams = _exams(root / TABLE, packer, validation, test)
    listed = packer.each(partial(_exam_ids, root=root), parts, lambda part, what_happened: None)
    candidates, damaged = [], []
    for part, ids in zip(parts, listed, strict=True):
        if ids is None:  # the packer fails to read it too, and counts it
            damaged.append(RecordReference(part.relative_to(root).with_suffix("").as_posix(), part, {}))
            continue
        for position, exam in enumerate(ids):
            known = exams.pop(exam, None)  # the last row of a part is no exam; an exam counts once
            if known is not None:
                candidates.append(replace(known, reference=replace(known.reference, path=part, position=position)))
    references, counts = selection.choose(candidates)
    counts = {"exams_in_the_parts_here": len(candidates), "exams_elsewhere": len(exams), **counts}
    log.info("CODE-15 %%: %s", summary_text(counts))
    if not references:
        raise ValueError(f"no exam of {root / TABLE} is wanted ({summary_text(counts)}): {selection}")
    made_by = {
        "selection": asdict(selection),
        "unit": unit,
        "counts": counts,
        "validation": validation,
        "test": test,
    }
    read = partial(_read, layout=layout, root=root, leads=packer.ecg.leads)
    return packer.pack("code15", [*damaged, *references], read, root, made_by)


def _read(reference: RecordReference, layout: Layout, root: Path, leads: Sequence[str]) -> Record:
    record = read_record(reference.path, layout, root, reference.position, leads)
    nonzero = np.flatnonzero((record.millivolts != 0).any(axis=0))
    if not len(nonzero):
        raise ValueError(f"{reference.path}, record {reference.position}, holds nothing but zeros")
    return replace(record, millivolts=record.millivolts[:, nonzero[0] : nonzero[-1] + 1])


def _exam_ids(paths: Sequence[Path], root: Path) -> list[list[str] | None]:
    return [_ids(path, root) for path in paths]


def _ids(path: Path, root: Path) -> list[str] | None:
    """The numbers in a part, in their order; None if it cannot be read."""
    if leads_out_of(path, root) or not path.is_file():  # the packer will name the reason
        return None
    try:
        return [str(number) for number in read_column(path, EXAM_IDS)]
    except (ValueError, OSError, MemoryError):
        return None


def _exams(table: Path, packer: Packer, validation: int | float, test: int | float) -> dict[str, Candidate]:
    """The rows of the table by the exam's number; their parts and positions are not known yet."""
    try:
        written = pd.read_csv(table, dtype=str, keep_default_na=False)
    except ValueError as error:  # UnicodeDecodeError and pandas' own among them
        raise ValueError(f"{table} is not CODE-15 %'s table ({error}); download it again") from error
    missing = {"exam_id", "age", "is_male", "patient_id", *STATEMENTS} - set(written)
    if missing:
        raise ValueError(f"{table} is not CODE-15 %'s table: the column {min(missing)} is missing; download it again")
    candidates = _candidates(written, table, packer, validation, test)
    return {candidate.reference.record: candidate for candidate in candidates}


def _candidates(
    written: pd.DataFrame, table: Path, packer: Packer, validation: int | float, test: int | float
) -> Iterator[Candidate]:
    for row in written.to_dict("records"):
        cells = {str(name): str(cell).strip() for name, cell in row.items()}
        exam, patient, age = cells["exam_id"], cells["patient_id"] or None, years(cells["age"])
        sex = {"true": "male", "false": "female"}.get(cells["is_male"].lower())
        split = split_of(packer.known_patient(patient) or exam, validation, test)
        facts = {"patient": patient, "split": split, "age": age, "sex": sex}
        statements: Mapping[str, int] = {name: 0 for name in STATEMENTS if cells[name].lower() == "true"}
        yield Candidate(RecordReference(exam, table, facts), statements, age, sex)
