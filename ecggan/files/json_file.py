"""JSON as every reader takes it: UTF-8, indented, without NaN."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecggan.files.atomic import atomic_file
from ecggan.files.text_file import write_text


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all; see [without_nan][] for what JSON has no word for."""
    text = json.dumps(without_nan(value), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_file(path) as unfinished:
        write_text(unfinished, text + "\n")


def without_nan(value: Any) -> Any:
    """The value as strict JSON: NaN and infinities become None, and objects that JSON does not know their text."""
    if isinstance(value, Mapping):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
