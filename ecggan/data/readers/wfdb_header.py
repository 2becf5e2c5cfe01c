"""WFDB headers, read so that what is wrong with one signal costs that signal alone.

Source: https://physionet.org/physiotools/wag/header-5.htm.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecggan.data.record import printable
from ecggan.files.path_safety import check_within_root, leads_out_of

LARGEST_HEADER = 2**20  # bytes; those of 12 leads have about 1,000
_FILE_NAME = re.compile(
    r"(?=.*\w)[\w.+\-()\[\]{}#&=,;@!'~%^$]{1,255}"
)  # no separator of folders, nothing of an address
_RATE = re.compile(r"(\d+\.?\d*|\.\d+)(/|$)")  # of 250e1, others would read 250
_COUNT = re.compile(r"\d{1,15}")
_INTEGER = re.compile(r"[+-]?\d{1,15}")
_FORMAT = re.compile(
    r"(?P<number>\d{1,15})(?:x(?P<per_frame>\d{1,15}))?(?::(?P<skew>\d{1,15}))?(?:\+(?P<offset>\d{1,15}))?"
)
_GAIN = re.compile(
    r"(?P<gain>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\((?P<baseline>[+-]?\d{0,15})\))?(?:/(?P<unit>\S+))?"
)


@dataclass(frozen=True)
class WFDBSignal:
    """A line of a header.

    Args:
        name: of the lead; empty if the line has none.
        file: its signal file, beside the header.
        format: how its samples are stored.
        per_frame: samples in a frame.
        skew: frames by which it is stored late.
        offset: bytes before the first sample in the file.
        gain: steps a unit; None if not stated.
        baseline: the step that is 0.
        unit: of the gain; mV where none is stated.
        first: the sample before the first difference, in format 8.
        checksum: of all stored samples; None if not stated.
        fault: why it cannot be read; empty if it can.
    """

    name: str
    file: Path
    format: str = ""
    per_frame: int = 1
    skew: int = 0
    offset: int = 0
    gain: float | None = None
    baseline: int = 0
    unit: str = "mV"
    first: int = 0
    checksum: int | None = None
    fault: str = ""


@dataclass(frozen=True)
class WFDBHeader:
    """A header.

    Args:
        sampling_rate: frames a second.
        num_frames: of each signal; None if not stated.
        signals: in their order.
    """

    sampling_rate: float
    num_frames: int | None
    signals: Sequence[WFDBSignal]


def read_header(header: Path, root: Path | None) -> WFDBHeader:
    """Read a header in UTF-8, or in Latin-1 if it is not UTF-8.

    Args:
        header: the file.
        root: links must not lead out of this folder; None allows any.

    Raises:
        FileNotFoundError: it is missing, or every signal file is.
        ValueError: it is damaged, joins segments, or states no rate.
    """
    if root is not None:
        check_within_root(header, root)
    lines = [line.strip() for line in re.split(r"\r\n?|\n", _text_of(header))]
    lines = [line for line in lines if line and not line.startswith("#")]
    first = lines[0].split() if lines else []
    if len(first) < 2 or not _COUNT.fullmatch(first[1]):
        raise ValueError(f"{header} or its signal file is damaged (its first line is no record line)")
    if "/" in first[0]:
        name = printable(first[0], 60)
        raise ValueError(f"{header} joins several segments or names another folder ({name}); give each segment alone")
    rate = _RATE.match(first[2]) if len(first) > 2 else None
    if rate is None:
        raise ValueError(f"{header} does not state a sampling rate; wfdb would assume 250 Hz")
    num_frames = None
    if len(first) > 3:
        if not _COUNT.fullmatch(first[3]):
            raise ValueError(f"{header} or its signal file is damaged (it states {printable(first[3], 20)!r} samples)")
        num_frames = int(first[3]) or None  # 0 says that it is not known
    num_signals = int(first[1])
    if len(lines) - 1 < num_signals:
        raise ValueError(
            f"{header} or its signal file is damaged (it states {num_signals} signals, not {len(lines) - 1})"
        )
    stated = [line.split() for line in lines[1 : 1 + num_signals]]
    files = {fields[0]: _file_of(header, fields[0], root) for fields in stated}
    signals = [
        _signal(header, number, line, fields, *files[fields[0]])
        for number, (line, fields) in enumerate(zip(lines[1:], stated, strict=False))
    ]
    if not signals:
        raise ValueError(f"{header} holds no signals")
    missing = [signal for signal in signals if signal.fault.endswith(_MISSING)]
    if len(missing) == len(signals):
        raise FileNotFoundError(missing[0].fault)
    return WFDBHeader(float(rate[1]), num_frames, signals)


_MISSING = "which is missing"


def _text_of(header: Path) -> str:
    if not header.is_file():
        raise FileNotFoundError(f"{header} is missing")
    size = header.stat().st_size
    if size > LARGEST_HEADER:
        raise ValueError(f"{header} has {size:,} bytes; a WFDB header has at most {LARGEST_HEADER:,}")
    content = header.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _signal(header: Path, number: int, line: str, fields: Sequence[str], file: Path | None, fault: str) -> WFDBSignal:
    numbers: list[int] = []
    position = 3
    while position < len(fields) and len(numbers) < 5 and _INTEGER.fullmatch(fields[position]):
        numbers.append(int(fields[position]))
        position += 1
    name = line.split(maxsplit=position)[position] if len(fields) > position else ""
    zero, first, checksum = (numbers[i] if len(numbers) > i else None for i in (1, 2, 3))
    stored = _FORMAT.fullmatch(fields[1]) if len(fields) > 1 else None
    if file is None or stored is None:
        fault = fault or f"{header} does not state how signal {number} is stored"
        return WFDBSignal(name, header.parent, fault=fault)
    gain = _GAIN.fullmatch(fields[2]) if len(fields) > 2 else None
    return WFDBSignal(
        name,
        file,
        format=str(int(stored["number"])),
        per_frame=int(stored["per_frame"] or 1),
        skew=int(stored["skew"] or 0),
        offset=int(stored["offset"] or 0),
        gain=None if gain is None or float(gain["gain"]) == 0 else float(gain["gain"]),
        baseline=int(gain["baseline"] or zero or 0) if gain is not None else 0,
        unit=(gain["unit"] if gain is not None else None) or "mV",
        first=first or zero or 0,
        checksum=checksum,
    )


def _file_of(header: Path, name: str, root: Path | None) -> tuple[Path | None, str]:
    """The signal file, and what is wrong with it."""
    if not _FILE_NAME.fullmatch(name):
        shown = printable(name, 60)
        return None, f"{header} names the signal file {shown!r}; it must lie beside the header"
    # a file system may hold the other of the two ways to write ö
    files = [header.parent / name, *(header.parent / unicodedata.normalize(form, name) for form in ("NFC", "NFD"))]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return None, f"{header} names the signal file {files[0]}, {_MISSING}"
    if root is not None and leads_out_of(file, root):
        return None, f"{header} names the signal file {name}, a link that leads out of {root}"
    return file, ""
