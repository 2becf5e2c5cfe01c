"""Folders of the PhysioNet Challenges 2020 and 2021: WFDB records whose headers state age, sex and diagnoses.

Reyna et al. 2021, Will two do? Varying dimensions in electrocardiography, https://doi.org/10.13026/34va-7q14. The
diagnoses are SNOMED CT codes, in Chapman-Shaoxing, Ningbo, Georgia, CPSC and the other sources. No header names a
patient, so a patient with several records may be in two splits.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ecggan.data.packing.packer import Packer
from ecggan.data.readers.wfdb import LARGEST_HEADER, read_wfdb
from ecggan.data.record import Record, RecordReference, years
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.folder import find_files
from ecggan.data.sources.selection import Candidate, Selection, summary_text
from ecggan.files.path_safety import leads_out_of

log = logging.getLogger(__name__)

SEXES = {"male": "male", "m": "male", "female": "female", "f": "female"}


def challenge_set(
    root: str | Path | None, packer: Packer, selection: Selection, validation: int | float, test: int | float
) -> ECGSet:
    """Pack the selected records of a folder, at any depth.

    Args:
        root: the folder.
        packer: makes the set.
        selection: by SNOMED CT codes, e.g. 426783006 for sinus rhythm, age and sex.
        validation: the share of the records in that split, of 1, by a hash of the record's name.
        test: the share of the records in the test split, also by the hash.

    Raises:
        FileNotFoundError: no such folder, or no header in it.
        ValueError: no record is selected or usable.
    """
    if root is None or not Path(root).expanduser().is_dir():
        where = "" if root is None else f"; {root} is not a folder"
        raise FileNotFoundError(f"data=challenge needs data.root=FOLDER, that of the Challenge's records{where}")
    root = Path(root).expanduser()
    headers = find_files(root, ["*.hea"])
    if not headers:
        raise FileNotFoundError(f"no header (.hea) in {root} or below")
    candidates = [
        _candidate(header, root, validation, test)
        for header in tqdm(headers, desc="reading headers", unit="record", disable=None)
    ]
    references, counts = selection.choose(candidates)
    log.info("Challenge: headers %d, %s", len(headers), summary_text(counts))
    if not references:
        raise ValueError(f"no record in {root} is wanted ({summary_text(counts)}): {selection}")
    made_by = {"selection": asdict(selection), "counts": counts, "validation": validation, "test": test}
    return packer.pack("challenge", references, partial(_read, root=root, leads=packer.ecg.leads), root, made_by)


def _read(reference: RecordReference, root: Path, leads: Sequence[str]) -> Record:
    return read_wfdb(reference.path, root=root, leads=leads)


def _candidate(header: Path, root: Path, validation: int | float, test: int | float) -> Candidate:
    comments = _comments(header, root)
    name = header.relative_to(root).with_suffix("").as_posix()
    age, sex = years(comments.get("age")), SEXES.get(comments.get("sex", "").lower())
    # by the record's own name, unique in the Challenges, so that moving its folder does not change the split
    facts = {"split": split_of(header.stem, validation, test), "age": age, "sex": sex}
    codes = [code.strip() for code in comments.get("dx", "").split(",")]
    return Candidate(RecordReference(name, header, facts), dict.fromkeys(filter(None, codes), 0), age, sex)


def _comments(header: Path, root: Path) -> dict[str, str]:
    """The comments of a header, such as ``# Dx: 426783006``, by name; empty if the reader will refuse it."""
    if leads_out_of(header, root) or not header.is_file():
        return {}
    try:
        with open(header, "rb") as file:
            text = file.read(LARGEST_HEADER).decode(errors="replace")
    except OSError:
        return {}
    lines = [line.lstrip("# \t") for line in text.splitlines() if line.startswith("#")]
    pairs = (line.partition(":") for line in lines)
    return {key.strip().lower(): value.strip() for key, colon, value in pairs if colon}
