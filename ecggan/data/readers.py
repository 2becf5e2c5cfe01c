"""One file -> one record in mV, its leads by name. The only door to wfdb.

A reader reports what the file holds; whether the record may be used is decided in [ecggan.data.quality][].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import wfdb
from jaxtyping import Float

from ecggan.ecg import canonical_lead

# casefold() turns both signs for micro (U+00B5 and the Greek letter) into the Greek letter
MILLIVOLTS_PER_UNIT = {"mv": 1.0, "uv": 1e-3, "μv": 1e-3, "v": 1e3}
# in UTF-8 and Latin-1, and with the Greek letter; wfdb drops what is not ASCII and would be off by a million
MICROVOLTS_NOT_ASCII = (b"/\xc2\xb5V", b"/\xb5V", "/μV".encode())
TEXT_SUFFIXES = (".asc", ".csv", ".txt")


@dataclass(frozen=True)
class Record:
    """What one file holds; samples marked there as invalid are NaN, leads that we do not know keep their name."""

    millivolts: Float[np.ndarray, "lead time"]
    leads: tuple[str, ...]
    sampling_rate: int | float

    def __post_init__(self) -> None:
        twice = sorted({lead for lead in self.leads if self.leads.count(lead) > 1})
        if twice:
            raise ValueError(f"two leads have one name ({', '.join(twice)}); leads go by name, so rename one of them")
        if len(self.millivolts) != len(self.leads):
            raise ValueError(f"{len(self.millivolts)} signals, but {len(self.leads)} lead names: {list(self.leads)}")


@dataclass(frozen=True)
class TextLayout:
    """What a text file does not say itself.

    Args:
        leads: the columns' leads in their order; a header row in the file goes before it.
        sampling_rate: in Hz.
        unit: mV, uV (µV) or V.
    """

    leads: Sequence[str]
    sampling_rate: int
    unit: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "leads", tuple(self.leads))  # a config hands over a list
        _millivolts_per(self.unit)


def read_record(path: str | Path, text: TextLayout) -> Record:
    """Read a file by its suffix: ``.hea`` is WFDB; ``.asc``, ``.csv`` and ``.txt`` are text.

    Raises:
        FileNotFoundError: the file, or the signal file that a WFDB header names, is missing.
        ValueError: the file is damaged, its unit unknown, or its suffix not one of these.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".hea":
        return read_wfdb(path)
    if suffix in TEXT_SUFFIXES:
        return read_text(path, text.leads, text.sampling_rate, text.unit)
    raise ValueError(f"{path}: files ending in {suffix!r} are not known; known are .hea, {', '.join(TEXT_SUFFIXES)}")


def read_wfdb(path: str | Path, millivolts_per_step: float | None = None) -> Record:
    """Read a WFDB record, given as its header file or without the suffix; each lead's unit comes from the header.

    Args:
        path: the record.
        millivolts_per_step: of the stored integers, for a record whose header is known to state wrong gains; None
            believes the header.

    Raises:
        FileNotFoundError: the header or its signal file is missing.
        ValueError: one of them is damaged, holds several sampling rates, or a unit that is no voltage.
    """
    path = Path(path)
    header = path if path.suffix == ".hea" else path.with_name(path.name + ".hea")
    if not header.is_file():
        raise FileNotFoundError(f"{header} is missing")
    if any(micro in header.read_bytes() for micro in MICROVOLTS_NOT_ASCII):
        raise ValueError(f"{header} states the unit µV, which wfdb would read as V; write uV there instead")
    try:
        # 64 bits, so that a stored integer µV comes back as the same integer
        physical = millivolts_per_step is None
        record = wfdb.rdrecord(str(header.with_suffix("")), physical=physical, smooth_frames=False, return_res=64)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{header} names the signal file {error.filename}, which is missing") from error
    except Exception as error:  # wfdb fails as its parser stumbles: Index-, Key-, Type-, ZeroDivisionError …
        raise ValueError(f"{header} or its signal file is damaged ({type(error).__name__}: {error})") from error
    signals = record.e_p_signal if physical else record.e_d_signal
    if not signals:
        raise ValueError(f"{header} holds no signals")
    if set(record.samps_per_frame) != {1}:
        raise ValueError(
            f"{header} holds signals of different sampling rates (samples a frame: {record.samps_per_frame}); "
            "write each rate to a record of its own"
        )
    try:
        scales = [_millivolts_per(unit) if physical else millivolts_per_step for unit in record.units]
        leads = tuple(canonical_lead(name or f"signal {i}") for i, name in enumerate(record.sig_name))
        millivolts = np.stack([signal * scale for signal, scale in zip(signals, scales, strict=True)])
        return Record(millivolts, leads, record.fs)
    except ValueError as error:
        raise ValueError(f"{header}: {error}") from error


def read_wfdb_annotation(path: str | Path, extension: str) -> tuple[list[str], list[int]]:
    """Read an annotation file: each mark's symbol and its sample, in order.

    Args:
        path: the record, as for [read_wfdb][].
        extension: which of the record's annotation files, e.g. ``atr`` or ``v1``.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: it is damaged.
    """
    file = Path(path).with_suffix(f".{extension}")
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing")
    try:
        annotation = wfdb.rdann(str(file.with_suffix("")), extension)
    except Exception as error:  # as with records
        raise ValueError(f"{file} is damaged ({type(error).__name__}: {error})") from error
    return list(annotation.symbol), [int(sample) for sample in annotation.sample]


def read_text(path: str | Path, leads: Sequence[str], sampling_rate: int, unit: str) -> Record:
    """Read one row a time point, one column a lead, separated by white space, commas or semicolons.

    Where the first row names the leads, those names count; else `leads` do. An empty cell is NaN.

    Raises:
        FileNotFoundError: the file is missing.
        ValueError: the number of columns is another than that of the leads, or a cell is not a number.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    try:
        with path.open(encoding="utf-8-sig") as file:  # spreadsheets begin a csv with a byte-order mark
            first = file.readline().strip()
        separator = next((mark for mark in ";," if mark in first), None)  # None: white space
        fields = [field.strip().strip("\"'") for field in first.split(separator)]
        has_names = not all(_is_number(field) for field in fields)
        # names apart from the numbers: pandas would take a column that the header does not name for an index
        skipped = 1 if has_names else 0
        table = pd.read_csv(path, sep=separator or r"\s+", header=None, skiprows=skipped, encoding="utf-8-sig")
        millivolts = table.to_numpy(dtype=np.float64).T * _millivolts_per(unit)
        names = tuple(map(canonical_lead, fields if has_names else leads))
        if len(millivolts) != len(names):
            raise ValueError(f"{len(millivolts)} columns, but {len(names)} leads are expected: {', '.join(names)}")
        return Record(millivolts, names, sampling_rate)
    except ValueError as error:  # pandas' own errors and UnicodeDecodeError are ValueErrors too
        raise ValueError(f"{path} is not a table of numbers, one column a lead: {error}") from error


def _millivolts_per(unit: str) -> float:
    try:
        return MILLIVOLTS_PER_UNIT[unit.strip().casefold()]
    except KeyError:
        raise ValueError(f"the unit {unit!r} is not known; known are mV, uV (µV) and V") from None


def _is_number(field: str) -> bool:
    try:
        float(field or "nan")
    except ValueError:
        return False
    return True
