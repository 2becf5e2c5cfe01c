"""WFDB records (PhysioNet) and their annotations. The only door to wfdb, which reads FLAC and annotations.

All else is read here: in a sixth of the time, from files of any name, and so that a signal that cannot be read costs
itself alone. The checksums must be right, which are those of the samples as they are stored; a signal that is stored
late is then put in step, and what is missing at its end is NaN.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import wfdb

from ecggan.data.readers.channels import Channel, channel, faulty, to_record
from ecggan.data.readers.lead_names import LeadName, lead_names
from ecggan.data.readers.wfdb_formats import COMPRESSED, INVALID, num_samples, read_samples
from ecggan.data.readers.wfdb_header import LARGEST_HEADER, WFDBHeader, WFDBSignal, read_header
from ecggan.data.record import Record, in_one_line
from ecggan.ecg import TWELVE_LEADS

__all__ = ["LARGEST_HEADER", "read_wfdb", "read_wfdb_annotation"]

_CHECKSUM = 2**16
_MOST_SAMPLES = 2**28  # of a compressed file, which may state any number


def read_wfdb(
    path: str | Path,
    millivolts_per_step: float | None = None,
    root: str | Path | None = None,
    leads: Sequence[str] = TWELVE_LEADS,
    names: Mapping[str, str | None] | Sequence[tuple[str, str | None]] | None = None,
) -> Record:
    """Read a WFDB record, given as its header file or without the suffix; each lead's unit comes from the header.

    Args:
        path: the record.
        millivolts_per_step: of the stored integers, for a record whose header is known to state wrong gains; None
            for the header's gains.
        root: links must not lead out of this folder; None allows any.
        leads: that must be sound, where the record has them.
        names: which lead the header means by a name, as [Layout][ecggan.data.record.Layout] has it.

    Raises:
        FileNotFoundError: the header or its signal file is missing.
        ValueError: one of them is damaged, or a lead has a wrong checksum, no gain, a unit that is no voltage, another
            rate than the others, or a file elsewhere.
    """
    path = Path(path)
    header = path if path.suffix.lower() == ".hea" else path.with_name(path.name + ".hea")
    stated = read_header(header, None if root is None else Path(root))
    stored = _stored_samples(header, stated)
    meant = lead_names(
        [signal.name or f"signal {number}" for number, signal in enumerate(stated.signals)], dict(names or ())
    )
    channels = [
        _channel(signal, name, samples, stated.sampling_rate * signal.per_frame, millivolts_per_step)
        for signal, name, samples in zip(stated.signals, meant, stored, strict=True)
    ]
    try:
        return to_record(channels, leads, {})
    except ValueError as error:
        raise ValueError(str(error) if str(header) in str(error) else f"{header}: {error}") from error


def _channel(
    signal: WFDBSignal, name: LeadName, samples: np.ndarray | str, rate: float, millivolts_per_step: float | None
) -> Channel:
    sampling_rate = int(rate) if rate.is_integer() else rate
    if isinstance(samples, str):
        return faulty(name, sampling_rate, samples)
    found = int(samples.sum(dtype=np.int64))
    if signal.checksum is not None and (found - signal.checksum) % _CHECKSUM:
        fault = (
            f"the checksum of lead {name.lead} is {found % _CHECKSUM}, the header states "
            f"{signal.checksum % _CHECKSUM}: the signal file is damaged or was changed"
        )
        return faulty(name, sampling_rate, fault)
    values = samples.astype(np.float64)
    invalid = INVALID[signal.format]
    if invalid is not None:
        values[samples == invalid] = np.nan
    if millivolts_per_step is not None:
        return channel(replace(name, unit=None), _in_step(values, signal) * millivolts_per_step, "mV", sampling_rate)
    if signal.gain is None:
        fault = f"it does not state the gain of lead {name.lead}; wfdb would assume 200 steps a mV"
        return faulty(name, sampling_rate, fault)
    values -= signal.baseline
    values /= signal.gain
    return channel(name, _in_step(values, signal), signal.unit, sampling_rate)


def _stored_samples(header: Path, stated: WFDBHeader) -> list[np.ndarray | str]:
    """The samples of each signal as they are stored, or why there are none."""
    found: list[np.ndarray | str] = [signal.fault for signal in stated.signals]
    groups: dict[Path, list[int]] = {}
    for number, signal in enumerate(stated.signals):
        if not signal.fault:
            groups.setdefault(signal.file, []).append(number)
    for numbers in groups.values():
        try:
            samples = _samples_of_file(header, stated, [stated.signals[number] for number in numbers])
        except (ValueError, OSError, MemoryError) as error:
            fault = str(error) if isinstance(error, _GroupError) else in_one_line(error)
            for number in numbers:
                found[number] = f"{header} or its signal file is damaged ({fault})"
            continue
        for number, of_signal in zip(numbers, samples, strict=True):
            found[number] = of_signal
    return found


class _GroupError(ValueError):
    """What is wrong with a signal file."""


def _samples_of_file(header: Path, stated: WFDBHeader, signals: Sequence[WFDBSignal]) -> list[np.ndarray]:
    first = signals[0]
    if len({(signal.format, signal.offset) for signal in signals}) > 1:
        raise _GroupError(f"its signals in {first.file.name} are stored in different ways")
    if first.format not in INVALID:
        raise _GroupError(f"the format {first.format} is not known; known are {', '.join(INVALID)}")
    per_frame = [signal.per_frame for signal in signals]
    if 0 in per_frame:
        raise _GroupError("a signal has no sample in a frame")
    if first.format in COMPRESSED:
        return _decompressed(stated, signals)
    size = first.file.stat().st_size
    held = num_samples(max(size - first.offset, 0), first.format)
    num_frames = held // sum(per_frame) if stated.num_frames is None else stated.num_frames
    wanted = num_frames * sum(per_frame)
    if wanted > held:
        raise _GroupError(f"it states {wanted:,} samples over all leads, but {first.file.name} has {size:,} bytes")
    frames = read_samples(first.file, first.format, first.offset, wanted).reshape(num_frames, sum(per_frame))
    ends = np.cumsum(per_frame)
    samples = [
        np.ascontiguousarray(frames[:, end - n : end]).reshape(-1) for end, n in zip(ends, per_frame, strict=True)
    ]
    if first.format == "8":
        return [np.cumsum(each, dtype=np.int64) + signal.first for each, signal in zip(samples, signals, strict=True)]
    return samples


def _decompressed(stated: WFDBHeader, signals: Sequence[WFDBSignal]) -> list[np.ndarray]:
    """FLAC, by wfdb: from a header that names one file beside it, since wfdb takes few names and opens any address."""
    num_frames = stated.num_frames
    if num_frames is None or num_frames * sum(signal.per_frame for signal in signals) > _MOST_SAMPLES:
        raise _GroupError(f"it states {num_frames or 'no number of'} samples of a compressed file")
    lines = [f"a {len(signals)} {stated.sampling_rate:.10f} {num_frames}"]
    lines += [
        f"a.dat {each.format}x{each.per_frame}+{each.offset} 1/mV 16 0 0 0 0 s{i}" for i, each in enumerate(signals)
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.hea").write_text("\n".join(lines) + "\n", encoding="ascii")
        source = signals[0].file.resolve()
        try:
            (Path(folder) / "a.dat").symlink_to(source)
        except OSError:  # not allowed to every user of Windows
            shutil.copyfile(source, Path(folder) / "a.dat")
        try:
            record = wfdb.rdrecord(str(Path(folder) / "a"), physical=False, smooth_frames=False, return_res=64)
        except Exception as error:  # of wfdb's parser and of the library that decodes
            raise ValueError(in_one_line(error).replace(folder, str(source.parent))) from error
    return list(record.e_d_signal)


def _in_step(values: np.ndarray, signal: WFDBSignal) -> np.ndarray:
    """A signal that is stored late, in step with the others."""
    late = min(signal.skew * signal.per_frame, len(values))
    return np.concatenate([values[late:], np.full(late, np.nan)]) if late else values


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
    except Exception as error:  # as wfdb's parser stumbles: Index-, Key-, Type-, ZeroDivisionError …
        raise ValueError(f"{file} is damaged ({in_one_line(error)})") from error
    return list(annotation.symbol), [int(sample) for sample in annotation.sample]
