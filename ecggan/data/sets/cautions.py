"""What of a set's origin is doubtful: patient numbers that stand for nobody, one patient in most records, amplitudes.

Each caution is one sentence with its remedy. They are in the account of a packed set (key `cautions`), are logged
wherever a source is opened, so at the start of a training and an evaluation too, and stand above the reports.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecggan.data.amplitudes import amplitude_caution, median_amplitude, times_adults
from ecggan.data.patients import patient_cautions

if TYPE_CHECKING:
    from ecggan.data.sets.ecg_set import ECGSet

log = logging.getLogger(__name__)

_MOST_RECORDS = 256  # looked at where a set states no amplitude
_REMEDIES = {
    "code15": "If it is known, state what one of its numbers is: {data}.unit='0.4 mV'",
    "folder": "If it is known, state the unit of files that state none, {data}.layout.unit='0.4 mV', or correct what "
    "files state, {data}.layout.factor=0.4 (or unit and factor in an ecg.json beside them)",
    "hub": "If it is known, state the unit: {data}.layout.unit='0.4 mV'",
}
_OTHER_REMEDY = (
    "If they are, make the set again with the right ones: data=folder data.layout.factor=0.4 corrects what files state"
)


def source_name(manifest: Mapping[str, Any]) -> str:
    """What a set's source is called: its name, such as folder."""
    return str((manifest.get("made_by") or {}).get("source") or manifest["kind"])


def cautions(ecgs: "ECGSet") -> list[str]:
    """The cautions about a set, or about the records of a split of it.

    Amplitudes are those of the whole source, where its account states them.
    """
    return cautions_of({**ecgs.manifest, "account": {"amplitudes": amplitudes_of(ecgs)}}, ecgs.records)


def amplitudes_of(ecgs: "ECGSet") -> dict[str, dict[str, Any]]:
    """The amplitude of each source of a set, as its account states it, or of some of its records."""
    stated = (ecgs.manifest.get("account") or {}).get("amplitudes")
    if stated is not None:
        return dict(stated)
    return {name: _amplitude(ecgs, which) for name, which in _parts(ecgs.manifest, ecgs.records)}


def cautions_of(manifest: Mapping[str, Any], records: pd.DataFrame) -> list[str]:
    """The cautions about a set, by its manifest, whose account states the amplitudes, and its table."""
    found = []
    amplitudes = manifest["account"]["amplitudes"]
    where = _where(manifest)
    for name, which in _parts(manifest, records):
        found += patient_cautions(records[which], where.get(name, name))
    for name, amplitude in amplitudes.items():
        remedy = _REMEDIES.get(name, _OTHER_REMEDY).format(data=f"data.parts.{name}" if "part" in records else "data")
        found.append(amplitude_caution(where.get(name, name), amplitude, remedy))
    return [caution for caution in found if caution]


def log_cautions(ecgs: "ECGSet") -> None:
    """Log each caution about a set as a warning."""
    for caution in cautions(ecgs):
        log.warning("%s", caution)


def _parts(manifest: Mapping[str, Any], records: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Each source of a set and which records are its own."""
    if "part" not in records:
        yield source_name(manifest), np.ones(len(records), bool)
        return
    for name in records["part"].unique():
        yield str(name), (records["part"] == name).to_numpy()


def _where(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Each source with its folder, for a sentence."""
    made_by = manifest.get("made_by") or {}
    parts = {name: (part.get("made_by") or {}) for name, part in (made_by.get("parts") or {}).items()}
    parts = parts or {source_name(manifest): made_by}
    roots = {name: part.get("dataset") or part.get("root") for name, part in parts.items()}
    return {name: f"{name} ({Path(root).name})" for name, root in roots.items() if root}


def _amplitude(ecgs: "ECGSet", which: np.ndarray) -> dict[str, Any]:
    positions = np.flatnonzero(which)
    positions = positions[:: max(1, len(positions) // _MOST_RECORDS)]
    ages = np.full(len(positions), np.nan)
    if "age" in ecgs.records:
        ages = pd.to_numeric(ecgs.records["age"], errors="coerce").to_numpy(float)[positions]
    found = [
        times_adults(ecgs.millivolts([int(position)])[0], ecgs.leads, ecgs.sampling_rate, float(age))
        for position, age in zip(positions, ages, strict=True)
    ]
    return median_amplitude([times for times in found if times is not None])
