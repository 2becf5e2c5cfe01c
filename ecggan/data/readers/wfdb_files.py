"""WFDB records (PhysioNet) and their annotations. The only door to wfdb."""

from pathlib import Path

import numpy as np
import wfdb

from ecggan.data.record import Record, millivolts_per
from ecggan.ecg import canonical_lead

# in UTF-8 and Latin-1, and with the Greek letter; wfdb drops what is not ASCII and would be off by a million
MICROVOLTS_NOT_ASCII = (b"/\xc2\xb5V", b"/\xb5V", "/μV".encode())


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
        scales = [millivolts_per(unit) if physical else millivolts_per_step for unit in record.units]
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
