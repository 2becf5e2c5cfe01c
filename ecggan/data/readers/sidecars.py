"""Sidecars state what a file does not: ``NAME.json`` for one file, ``ecg.json`` for a folder and all below it.

A sidecar is an object with any of `leads`, `sampling_rate` (Hz), `unit` (mV, uV or V, with any factor, as in 0.4 mV),
`array`, `lead_names` (as in ``{"Ch1": "I"}``), `factor` ([Layout][ecggan.data.record.Layout]), and of the facts
`patient`, `age` (years) and `sex` (male or female)::

    {"leads": ["I", "II", "V1"], "sampling_rate": 400, "unit": "uV"}

The sidecar nearest to the file takes precedence.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ecggan.data.record import HIGHEST_RATE, Layout, printable
from ecggan.files.path_safety import leads_out_of

FOLDER_SIDECAR = "ecg.json"
_LAYOUT = tuple(field.name for field in fields(Layout))
_FACTS = ("patient", "age", "sex")
_LARGEST = 2**20  # bytes
_LONGEST_TEXT, _MOST_LEADS = 200, 100


def sidecars_of(path: Path, root: Path) -> list[Path]:
    """The sidecars of a file, the furthest first.

    Args:
        path: the file, within `root`.
        root: folders above it are not searched.
    """
    folders = [folder for folder in path.parents if folder.is_relative_to(root)]
    candidates = [*(folder / FOLDER_SIDECAR for folder in reversed(folders)), path.with_suffix(".json")]
    return [file for file in candidates if _is_file(file) and not leads_out_of(file, root)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # NAME.json may exceed the longest file name although NAME.asc does not
        return False


def read_sidecars(files: list[Path], given: Layout) -> tuple[Layout, dict[str, Any]]:
    """The layout, completed from the sidecars, and the facts in them.

    Raises:
        ValueError: one of them is damaged, or has an unknown key or a wrong value.
    """
    layout, facts = given, dict[str, Any]()
    for file in files:
        stated = _read(file)
        try:
            layout = replace(layout, **{key: value for key, value in stated.items() if key in _LAYOUT})
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
        facts |= {key: value for key, value in stated.items() if key in _FACTS}
    return layout, facts


def _read(file: Path) -> Mapping[str, Any]:
    if file.stat().st_size > _LARGEST:
        raise ValueError(f"{file} has {file.stat().st_size:,} bytes; a sidecar has at most {_LARGEST:,}")
    try:
        stated = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # undecodable text, or numbers with thousands of digits
        raise ValueError(f"{file} is not valid JSON ({type(error).__name__}: {error})") from error
    if not isinstance(stated, dict):
        raise ValueError(f"{file} must be an object with any of {', '.join((*_LAYOUT, *_FACTS))}")
    unknown = [key for key in stated if key not in (*_LAYOUT, *_FACTS)]
    if unknown:
        raise ValueError(
            f"{file} has the key {printable(unknown[0], 60)!r}; known are {', '.join((*_LAYOUT, *_FACTS))}"
        )
    wrong = [key for key, value in stated.items() if not _CAN_BE[key](value)]
    if wrong:
        value = printable(json.dumps(stated[wrong[0]]), 60)
        raise ValueError(f"{file} states {value} for {wrong[0]!r}, which must be {_MUST_BE[wrong[0]]}")
    return stated


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_TEXT


_CAN_BE: dict[str, Callable[[Any], bool]] = {
    "leads": lambda value: isinstance(value, list) and len(value) <= _MOST_LEADS and all(map(_is_text, value)),
    "sampling_rate": lambda value: _is_number(value) and 0 < value <= HIGHEST_RATE,
    "unit": _is_text,
    "factor": lambda value: _is_number(value) and 0 < value < float("inf"),
    "array": _is_text,
    "lead_names": lambda value: (
        isinstance(value, dict)
        and len(value) <= _MOST_LEADS
        and all(_is_text(name) and (lead is None or _is_text(lead)) for name, lead in value.items())
    ),
    "patient": _is_text,
    "age": lambda value: _is_number(value) and 0 <= value < 130,
    "sex": lambda value: value in ("male", "female"),
}
_MUST_BE = {
    "leads": "a list of at most 100 names",
    "lead_names": "an object of at most 100 names and their leads",
    "sampling_rate": "a number above 0, in Hz",
    "age": "a number of years",
    "sex": "male or female",
    "unit": "a short text, such as mV or 0.4 mV",
    "factor": "a number above 0",
    **dict.fromkeys(("array", "patient"), "a short text"),
}
