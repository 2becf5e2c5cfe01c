"""What a file does not say, beside it: ``NAME.json`` for one file, ``ecg.json`` for a folder and all below it.

A sidecar is an object with any of `leads`, `sampling_rate` (Hz), `unit` (mV, uV or V), and of the facts `patient`,
`age` (years) and `sex` (male or female)::

    {"leads": ["I", "II", "V1"], "sampling_rate": 400, "unit": "uV"}

What stands nearer to the file goes before what stands further away.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ecggan.data.readers.links import leads_out_of
from ecggan.data.record import Layout

FOLDER_SIDECAR = "ecg.json"
_SAYS = tuple(field.name for field in fields(Layout))
_FACTS = {"patient": str, "age": int | float, "sex": str}
_LARGEST = 2**20  # bytes


def sidecars_of(path: Path, root: Path) -> list[Path]:
    """The sidecars that there are for a file, the furthest first.

    Args:
        path: the file, within `root`.
        root: above it nobody looks.
    """
    folders = [folder for folder in path.parents if folder.is_relative_to(root)]
    candidates = [*(folder / FOLDER_SIDECAR for folder in reversed(folders)), path.with_suffix(".json")]
    return [file for file in candidates if file.is_file() and not leads_out_of(file, root)]


def read_sidecars(files: list[Path], given: Layout) -> tuple[Layout, dict[str, Any]]:
    """What the sidecars say, over what is given, and the facts.

    Raises:
        ValueError: one of them is damaged, or says what no sidecar can say.
    """
    layout, facts = given, dict[str, Any]()
    for file in files:
        said = _read(file)
        try:
            layout = replace(layout, **{key: value for key, value in said.items() if key in _SAYS})
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{file}: {error}") from error
        facts |= {key: value for key, value in said.items() if key in _FACTS}
    return layout, facts


def _read(file: Path) -> Mapping[str, Any]:
    if file.stat().st_size > _LARGEST:
        raise ValueError(f"{file} has {file.stat().st_size:,} bytes; a sidecar has at most {_LARGEST:,}")
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not valid JSON ({type(error).__name__}: {error})") from error
    if not isinstance(said, dict):
        raise ValueError(f"{file} must be an object with any of {', '.join((*_SAYS, *_FACTS))}")
    unknown = [key for key in said if key not in (*_SAYS, *_FACTS)]
    if unknown:
        raise ValueError(f"{file} has the key {unknown[0]!r}; known are {', '.join((*_SAYS, *_FACTS))}")
    wrong = [key for key, kind in _FACTS.items() if key in said and not isinstance(said[key], kind)]
    leads = said.get("leads", [])
    if wrong or not (isinstance(leads, list) and all(isinstance(lead, str) for lead in leads)):
        raise ValueError(f"{file} has a value of the wrong kind for {wrong[0] if wrong else 'leads'!r}")
    return said
