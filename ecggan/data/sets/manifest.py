"""The manifest of an ECG set: its keys, and the checks that nothing in it is impossible."""

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ecggan._version import __version__
from ecggan.ecg import TWELVE_LEADS

FORMAT_VERSION = 1
SIGNALS, RECORDS, MANIFEST = "signals.npy", "records.parquet", "manifest.json"

Kind = Literal["real", "generated"]


def new_manifest(
    leads: Sequence[str], sampling_rate: int, num_samples: int, kind: Kind, made_by: Mapping[str, Any]
) -> dict[str, Any]:
    """A manifest without the count, the account and the hashes, which are known once the set is complete."""
    problem = _header_problem(leads, sampling_rate, num_samples, kind)
    if problem:
        raise ValueError(f"no ECG set can have {problem}")
    return {
        "format": "ecggan ECG set",
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "leads": list(leads),
        "sampling_rate": int(sampling_rate),
        "num_samples": int(num_samples),
        "unit": "uV",
        "made_by": dict(made_by),
        "versions": {"ecggan": __version__, "python": platform.python_version(), "numpy": np.__version__},
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """Read and check a manifest.

    Raises:
        ValueError: it is damaged, of another version, or states what no set can have.
    """
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, unit = manifest["format_version"], manifest["unit"]
        leads, counts = manifest["leads"], [manifest[k] for k in ("num_records", "num_samples", "sampling_rate")]
        manifest["kind"], manifest["sha256"], manifest["made_by"]
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}); make the set again") from error
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not the manifest of an ECG set: {error} is missing") from error
    if version != FORMAT_VERSION:
        raise ValueError(f"{path} has format version {version}; this ecggan reads version {FORMAT_VERSION}")
    if unit != "uV":
        raise ValueError(f"{path} states the unit {unit!r}; an ECG set is stored in 'uV'")
    num_records, num_samples, sampling_rate = counts
    problem = _header_problem(leads, sampling_rate, num_samples, manifest["kind"])
    if not problem and not (isinstance(num_records, int) and num_records >= 0):
        problem = f"{num_records!r} records"
    if not problem and not isinstance(manifest["sha256"], dict):
        problem = "no hashes"
    if problem:
        raise ValueError(f"{path} was damaged or edited: it states {problem}; make the set again")
    return dict(manifest)


def read_export(folder: Path) -> dict[str, Any] | None:
    """The manifest of an export of an ECG set to another format; None if the folder is none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest["exported"]["form"], manifest["leads"], manifest["sampling_rate"], manifest["unit"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(manifest)


def _header_problem(leads: Any, sampling_rate: Any, num_samples: Any, kind: Any) -> str:
    """The first value that no set can have; empty if there is none."""
    if not isinstance(leads, list | tuple) or not leads or len(set(leads)) != len(leads):
        return f"the leads {leads!r}: they must be a list of distinct names"
    unknown = [lead for lead in leads if lead not in TWELVE_LEADS]
    if unknown:
        return f"the lead {unknown[0]!r}; known are {', '.join(TWELVE_LEADS)}"
    for name, number in (("sampling rate", sampling_rate), ("number of samples", num_samples)):
        if not isinstance(number, int | np.integer) or number < 1:
            return f"the {name} {number!r}: it must be a whole number above 0"
    return "" if kind in ("real", "generated") else f"the kind {kind!r}: it must be 'real' or 'generated'"
