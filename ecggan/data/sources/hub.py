"""A data set of the Hugging Face hub, or a folder in the same form. The only module that imports `datasets`.

The published DeepFake ECGs are `.asc` texts there (deepsynthbody/deepfake_ecg_full_train_validation_test); a Parquet
export can be uploaded as it is. A row is a record: a column of text (`asc` or `csv`), one of lists of lists, or
a column of lists a lead, by name.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecggan import checks
from ecggan.data.packing.packer import Packer
from ecggan.data.readers.collection import locate_records, to_record
from ecggan.data.readers.text import check_text_size, parse_text
from ecggan.data.record import Layout, Record, RecordReference
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import Kind
from ecggan.data.sets.splits import split_of
from ecggan.ecg import TWELVE_LEADS, canonical_lead

if TYPE_CHECKING:
    from datasets import Dataset

TEXTS = ("asc", "csv")
SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "val": "validation", "test": "test"}


def hub_set(
    dataset: str | None,
    revision: str | None,
    layout: Layout,
    packer: Packer,
    validation: int | float,
    test: int | float,
    kind: Kind = "real",
) -> ECGSet:
    """Load a data set, which downloads it once if it is on the hub, and pack its rows.

    Args:
        dataset: its name on the hub, or a folder.
        revision: a commit or tag of it; None for the newest.
        layout: leads, rate and unit of the rows; `array` names the column of the signals if several are possible.
        packer: makes the set.
        validation: the share of the records in that split, of 1, if the data set has no splits of its own: by a hash
            of the column `patient` if there is one, else of the name.
        test: the share of the records in the test split, in the same way.
        kind: of the ECGs; of generated ones none is excluded that can be read.

    Raises:
        ValueError: no name, no such data set, no row of it is usable, or the package `datasets` is not installed.
    """
    checks.given("data.dataset", dataset, "data.dataset=NAME, a data set of the Hugging Face hub, or a folder of one")
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ValueError(f"the package {error.name} is not installed: pip install 'ecggan[hub]'") from error
    try:
        loaded = datasets.load_dataset(dataset, revision=revision)
    except Exception as error:  # from many libraries: there is no such name, or no network, or the disk is full
        raise ValueError(f"the data set {dataset} cannot be loaded ({type(error).__name__}: {error})") from error
    files = {split: [Path(file["filename"]) for file in rows.cache_files] for split, rows in loaded.items()}
    if not all(files.values()):
        raise ValueError(f"the data set {dataset} has no rows")
    root = Path(os.path.commonpath([file.parent for paths in files.values() for file in paths]))
    references = list(_references(loaded, files, packer, validation, test))
    made_by = {
        "dataset": dataset,
        "revision": revision,
        "layout": asdict(layout),
        "validation": validation,
        "test": test,
        "fingerprints": {split: rows._fingerprint for split, rows in loaded.items()},
    }
    packer = packer.of_generated() if kind == "generated" else packer
    return packer.pack(
        "hub", references, partial(_read, splits=dict(loaded), layout=layout, leads=packer.ecg.leads), root, made_by
    )


def _references(
    splits: Mapping[str, "Dataset"],
    files: Mapping[str, list[Path]],
    packer: Packer,
    validation: int | float,
    test: int | float,
) -> Iterator[RecordReference]:
    has_splits = len(splits) > 1 and set(splits) <= set(SPLITS)
    for split, rows in splits.items():
        keys = list(rows["__key__"]) if "__key__" in rows.column_names else []
        names = keys if len(set(keys)) == len(rows) else list(map(str, range(len(rows))))
        patients = list(rows["patient"]) if "patient" in rows.column_names else [None] * len(rows)
        for position, (name, patient) in enumerate(zip(names, patients, strict=True)):
            record = name if name.startswith(f"{split}/") else f"{split}/{name}"
            by = packer.known_patient(patient) or record
            facts: dict[str, Any] = {"split": SPLITS[split] if has_splits else split_of(by, validation, test)}
            if patient is not None:
                facts["patient"] = str(patient)
            yield RecordReference(record, files[split][0], {**facts, "part": split}, position=position)


def _read(reference: RecordReference, splits: Mapping[str, "Dataset"], layout: Layout, leads: Sequence[str]) -> Record:
    row = splits[reference.facts["part"]][reference.position]
    where = Path(reference.record)
    text = next((row[name] for name in TEXTS if isinstance(row.get(name), bytes | str)), None)
    if text is not None and layout.array is None:
        content = text.encode() if isinstance(text, str) else text
        check_text_size(where, len(content))
        return parse_text(content, layout, where, leads)
    name = layout.array or _only_list_of_lists(row)
    if name is None:
        columns = _lead_columns(row)
        lengths = {len(row[column]) for column in columns}
        if len(lengths) > 1:
            raise ValueError(f"{where}: its leads have from {min(lengths)} to {max(lengths)} samples")
        values = np.array([row[column] for column in columns], dtype=float)
        return to_record(values, True, replace(layout, leads=tuple(columns)), where, leads)
    values = np.array(row[name])
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise ValueError(f"{where}: {name!r} holds no equally long lists of numbers")
    has_leads_first = locate_records({name: values.shape}, layout, where)[1][0].has_leads_first
    return to_record(values, has_leads_first, layout, where, leads)


def _only_list_of_lists(row: Mapping[str, Any]) -> str | None:
    """The name of its column; None where a column a lead holds the signals instead."""
    nested = [name for name, value in row.items() if isinstance(value, list) and value and isinstance(value[0], list)]
    if not nested and _lead_columns(row):
        return None
    if len(nested) != 1:
        raise ValueError(
            f"data.layout.array must name the column of the signals; lists of lists are in "
            f"{', '.join(nested) or 'none'} of {', '.join(row)}, and no column is a lead"
        )
    return nested[0]


def _lead_columns(row: Mapping[str, Any]) -> list[str]:
    return [name for name, value in row.items() if canonical_lead(name) in TWELVE_LEADS and isinstance(value, list)]
