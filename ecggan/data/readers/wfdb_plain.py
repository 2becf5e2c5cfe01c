"""The plainest WFDB records, read with numpy alone: one signal file of 16-bit integers, as PTB-XL's and the Challenges.

wfdb takes 3 ms for such a record, most of it for its header, and this a sixth of that. What is not plain in every field
is left to wfdb, whose values these equal to the bit.

Source: https://physionet.org/physiotools/wag/header-5.htm, signal-5.htm.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int16

_RECORD_LINE = re.compile(r"(?P<name>\S+)\s+(?P<count>\d+)\s+(?P<rate>\d+(?:\.\d+)?)\s+(?P<length>[1-9]\d*)(?:\s.*)?")
_SIGNAL_LINE = re.compile(
    r"(?P<file>\S+)\s+16(?:x1)?(?:\+(?P<offset>\d+))?\s+"
    r"(?P<gain>\d+(?:\.\d+)?)(?:\((?P<baseline>-?\d+)\))?/(?P<unit>\S+)\s+"
    r"\d+\s+(?P<zero>-?\d+)\s+-?\d+\s+(?P<checksum>-?\d+)\s+0\s+(?P<name>\S(?:.*\S)?)"
)
_INVALID = -32768


@dataclass(frozen=True)
class PlainRecord:
    """What the files hold.

    Args:
        steps: the integers as they are stored.
        physical: in each lead's own unit; NaN where a sample is marked as invalid.
        names: of the leads, as the header has them.
        units: likewise.
        checksums: as the header states them.
        sampling_rate: in Hz.
    """

    steps: Int16[np.ndarray, "lead time"]
    physical: Float[np.ndarray, "lead time"]
    names: list[str]
    units: list[str]
    checksums: list[int]
    sampling_rate: int | float


def read_plain(folder: Path, lines: list[str]) -> PlainRecord | None:
    """Read a record whose header has these lines; None where it is not plain.

    Raises:
        ValueError: the signal file is shorter than the header says.
    """
    record = _RECORD_LINE.fullmatch(lines[0].strip())
    signals = [_SIGNAL_LINE.fullmatch(line.strip()) for line in lines[1:]]
    if record is None or len(signals) != int(record["count"]):
        return None
    plain = [signal for signal in signals if signal is not None]
    if len(plain) != len(signals) or len({(signal["file"], signal["offset"]) for signal in plain}) != 1:
        return None
    file, length, offset = folder / plain[0]["file"], int(record["length"]), int(plain[0]["offset"] or 0)
    stored = np.fromfile(file, "<i2", length * len(plain), offset=offset)
    if len(stored) < length * len(plain):
        raise ValueError(f"{file.name} holds {len(stored):,} samples over all leads, not {length * len(plain):,}")
    steps = np.ascontiguousarray(stored.reshape(length, len(plain)).T)
    physical = steps.astype(np.float64)
    physical[steps == _INVALID] = np.nan
    physical -= np.array([[float(signal["baseline"] or signal["zero"])] for signal in plain])
    physical /= np.array([[float(signal["gain"])] for signal in plain])
    rate = float(record["rate"])
    return PlainRecord(
        steps,
        physical,
        [signal["name"] for signal in plain],
        [signal["unit"] for signal in plain],
        [int(signal["checksum"]) for signal in plain],
        int(rate) if rate.is_integer() else rate,
    )
