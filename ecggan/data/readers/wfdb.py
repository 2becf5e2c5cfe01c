"""WFDB records (PhysioNet) and their annotations. The only door to wfdb.

What wfdb leaves unchecked is checked here: a header may name files elsewhere or on the web (wfdb would open them),
declare more samples than its files hold, and its checksums tell whether a signal file was changed. Records of Georgia
whose header calls them ``E00271.mat``, which wfdb refuses, are read under a name without the suffix.

Source: https://physionet.org/physiotools/wag/header-5.htm, signal-5.htm.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb

from ecggan.data.readers.wfdb_plain import read_plain
from ecggan.data.record import Record, in_one_line, millivolts_per, printable
from ecggan.ecg import canonical_lead
from ecggan.files.path_safety import check_within_root, leads_out_of

# in UTF-8 and Latin-1, and with the Greek letter; wfdb drops what is not ASCII and would be off by a million
_MICROVOLTS_NOT_ASCII = (b"/\xc2\xb5V", b"/\xb5V", "/μV".encode())
LARGEST_HEADER = 2**20  # bytes; those of 12 leads have about 1,000
_FILE_NAME = re.compile(r"[\w.+-]{1,255}")
_COMPRESSED = ("508", "516", "524")  # FLAC; every other format takes at least a byte a sample
_RATE = re.compile(r"(\d+\.?\d*|\.\d+)(/|$)")  # of 250e1 wfdb would read 250
_GAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COUNT = re.compile(r"\d{1,15}")
_CHECKSUM = 2**16


def read_wfdb(path: str | Path, millivolts_per_step: float | None = None, root: str | Path | None = None) -> Record:
    """Read a WFDB record, given as its header file or without the suffix; each lead's unit comes from the header.

    Args:
        path: the record.
        millivolts_per_step: of the stored integers, for a record whose header is known to state wrong gains; None
            believes the header.
        root: a folder out of which no link may lead; None allows any.

    Raises:
        FileNotFoundError: the header or its signal file is missing.
        ValueError: one of them is damaged, a checksum is wrong, or the header holds several sampling rates, a unit that
            is no voltage, or the name of a file elsewhere.
    """
    path = Path(path)
    header = path if path.suffix.lower() == ".hea" else path.with_name(path.name + ".hea")
    stated = _read_header(header, None if root is None else Path(root), millivolts_per_step is None)
    try:
        plain = read_plain(header.parent, stated.lines)
    except (ValueError, OSError) as error:
        raise ValueError(f"{header} or its signal file is damaged ({in_one_line(error)})") from error
    read = _read_by_wfdb(header, stated, millivolts_per_step is None) if plain is None else plain
    try:
        leads = tuple(canonical_lead(name or f"signal {i}") for i, name in enumerate(read.names))
        _check_sums(leads, read.steps, read.checksums)
        if millivolts_per_step is not None:
            millivolts = np.stack(list(read.steps)) * millivolts_per_step
        else:
            scales = [millivolts_per(unit) for unit in read.units]
            millivolts = np.stack([signal * scale for signal, scale in zip(read.physical, scales, strict=True)])
        return Record(millivolts, leads, read.sampling_rate)
    except ValueError as error:
        raise ValueError(f"{header}: {error}") from error


@dataclass(frozen=True)
class _ByWFDB:
    """As [PlainRecord][ecggan.data.readers.wfdb_plain.PlainRecord], of any format; leads may be of several lengths."""

    steps: list[np.ndarray]
    physical: list[np.ndarray]
    names: list[str | None]
    units: list[str]
    checksums: list[int | None]
    sampling_rate: int | float


def _read_by_wfdb(header: Path, stated: "_Header", has_gains: bool) -> _ByWFDB:
    try:
        with _readable(header, stated) as name:
            # 64 bits, so that a stored integer µV comes back as the same integer
            record = wfdb.rdrecord(str(name), physical=False, smooth_frames=False, return_res=64)
            steps = record.e_d_signal
            physical = record.dac(expanded=True, return_res=64) if steps and has_gains else []
    except Exception as error:  # wfdb fails as its parser stumbles: Index-, Key-, Type-, ZeroDivisionError …
        raise ValueError(f"{header} or its signal file is damaged ({in_one_line(error)})") from error
    if not steps:
        raise ValueError(f"{header} holds no signals")
    if set(record.samps_per_frame) != {1}:
        raise ValueError(
            f"{header} holds signals of different sampling rates (samples a frame: {record.samps_per_frame}); "
            "write each rate to a record of its own"
        )
    return _ByWFDB(steps, physical, record.sig_name, record.units, record.checksum, record.fs)


@dataclass(frozen=True)
class _Header:
    """What is needed of a header before wfdb may see it."""

    record: str
    lines: list[str]  # without comments
    signal_files: list[str]


def _text_of(header: Path) -> str:
    if not header.is_file():
        raise FileNotFoundError(f"{header} is missing")
    size = header.stat().st_size
    if size > LARGEST_HEADER:
        raise ValueError(f"{header} has {size:,} bytes; a WFDB header has at most {LARGEST_HEADER:,}")
    content = header.read_bytes()
    if any(micro in content for micro in _MICROVOLTS_NOT_ASCII):
        raise ValueError(f"{header} states the unit µV, which wfdb would read as V; write uV there instead")
    return content.decode("ascii", "replace")


def _read_header(header: Path, root: Path | None, has_gains: bool) -> _Header:
    if root is not None:
        check_within_root(header, root)
    lines = [line for line in _text_of(header).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    first = lines[0].split() if lines else []
    if len(first) < 2 or not _COUNT.fullmatch(first[1]):
        raise ValueError(f"{header} or its signal file is damaged (its first line is no record line)")
    record, num_signals = first[0], int(first[1])
    if len(first) < 3 or not _RATE.match(first[2]):
        raise ValueError(f"{header} does not state a sampling rate; wfdb would take 250 Hz for granted")
    if "/" in record:
        raise ValueError(f"{header} joins several segments or names another folder ({record}); give each segment alone")
    signals = [line.split() for line in lines[1 : 1 + num_signals]]
    files = list(dict.fromkeys(fields[0] for fields in signals))
    for name in files:
        if not _FILE_NAME.fullmatch(name) or name in (".", ".."):
            raise ValueError(f"{header} names the signal file {printable(name, 60)!r}; it must lie beside the header")
        file = header.parent / name
        if not file.is_file():
            raise FileNotFoundError(f"{header} names the signal file {file}, which is missing")
        if root is not None and leads_out_of(file, root):
            raise ValueError(f"{header} names the signal file {name}, a link that leads out of {root}")
    if has_gains:
        _check_gains(header, signals)
    _check_size(header, first, signals, files)
    return _Header(record, lines, files)


def _check_gains(header: Path, signals: list[list[str]]) -> None:
    """Raise where a signal has no gain, or 0, for which wfdb would take 200 steps a mV for granted."""
    for number, fields in enumerate(signals):
        gain = _GAIN.match(fields[2]) if len(fields) > 2 else None
        if gain is None or float(gain[0]) == 0:
            raise ValueError(f"{header} does not state the gain of signal {number}; wfdb would take 200 steps a mV")


def _check_size(header: Path, first: list[str], signals: list[list[str]], files: list[str]) -> None:
    """Raise before memory is taken for samples that cannot be there."""
    is_compressed = any(fields[1].startswith(_COMPRESSED) for fields in signals if len(fields) > 1)
    if is_compressed or len(first) < 4:
        return
    if not _COUNT.fullmatch(first[3]):
        raise ValueError(f"{header} or its signal file is damaged (it states {first[3][:20]!r} samples)")
    wanted = int(first[3]) * len(signals)
    there = sum((header.parent / name).stat().st_size for name in files)
    if wanted > there:
        raise ValueError(
            f"{header} or its signal file is damaged (it states {wanted:,} samples over all leads, "
            f"but {', '.join(files)} has {there:,} bytes)"
        )


@contextmanager
def _readable(header: Path, stated: _Header) -> Iterator[Path]:
    """The record's path as wfdb takes it: without a suffix in its name."""
    if "." not in stated.record and ":" not in str(header) and header.suffix == ".hea":
        yield header.with_suffix("")
        return
    with tempfile.TemporaryDirectory() as folder:  # wfdb takes nothing but files
        for name in stated.signal_files:
            (Path(folder) / name).symlink_to((header.parent / name).resolve())
        first, *others = stated.lines
        lines = [first.replace(stated.record, "record", 1), *others]
        (Path(folder) / "record.hea").write_text("\n".join(lines) + "\n")
        yield Path(folder) / "record"


def _check_sums(leads: tuple[str, ...], steps: Iterable[np.ndarray], checksums: Sequence[int | None]) -> None:
    for lead, signal, stated in zip(leads, steps, checksums, strict=True):
        if stated is not None and (int(signal.sum()) - stated) % _CHECKSUM:
            raise ValueError(
                f"the checksum of lead {lead} is {int(signal.sum()) % _CHECKSUM}, the header states "
                f"{stated % _CHECKSUM}: the signal file is damaged or was changed"
            )


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
        raise ValueError(f"{file} is damaged ({in_one_line(error)})") from error
    return list(annotation.symbol), [int(sample) for sample in annotation.sample]
