"""EDF and EDF+ files: every signal in its own unit and rate; annotations are not read.

Of EDF+ the patient's code, sex and date of birth are read; plain EDF has free text in their place, which may be a name.

Source: Kemp et al. 1992, A simple format for exchange of digitized polygraphic recordings; Kemp and Olivan 2003,
European data format 'plus'.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from ecggan.data.readers.channels import Channel, channel, faulty
from ecggan.data.readers.lead_names import LeadName, lead_names
from ecggan.data.record import printable

_HEADER = 256  # bytes, and as many again for each signal
_MOST_SIGNALS = 1000
# of each signal, in their order: name and bytes
_FIELDS = (
    ("label", 16), ("transducer", 80), ("unit", 8), ("least", 8), ("most", 8), ("least_step", 8), ("most_step", 8),
    ("filter", 80), ("per_record", 8), ("reserved", 32),
)  # fmt: skip
_ANNOTATIONS = "EDF Annotations"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")  # in every locale
_NO_DATE = "01.01.85"  # as EDF+ anonymises


def read_edf(path: Path, names: Mapping[str, str | None]) -> tuple[list[Channel], dict[str, Any]]:
    """The channels of a file, and its facts.

    Raises:
        ValueError: it is damaged, or its records do not follow one another in time.
    """
    content = path.read_bytes()
    if len(content) < _HEADER or content[:8].strip() != b"0":
        raise ValueError("it is no EDF file: it does not begin with the version 0")
    main = content[:_HEADER].decode("latin-1")
    if main[192:197] == "EDF+D":
        raise ValueError("its records do not follow one another in time (EDF+D)")
    num_records, num_signals = int(main[236:244]), int(main[252:256])
    seconds = float(main[244:252].replace(",", "."))
    begin = _HEADER * (1 + num_signals)
    if not 0 < num_signals <= _MOST_SIGNALS or len(content) < begin:
        raise ValueError(f"it states {num_signals} signals, for which its header is too short")
    fields = _fields(content[_HEADER:begin], num_signals)
    per_record = [int(count) for count in fields["per_record"]]
    if min(per_record) <= 0 or not 0 < seconds < np.inf:
        raise ValueError(f"its records have {per_record} samples in {seconds:g} s")
    held = (len(content) - begin) // (2 * sum(per_record))
    num_records = held if num_records == -1 else num_records  # of a file that its recorder did not close
    if not 0 < num_records <= held:
        raise ValueError(f"it states {num_records:,} records, but holds {held:,}")
    records = np.frombuffer(content, "<i2", num_records * sum(per_record), begin).reshape(num_records, -1)
    ends = list(accumulate(per_record))
    signals = [i for i, label in enumerate(fields["label"]) if label != _ANNOTATIONS]
    meant = lead_names([fields["label"][i] for i in signals], names)
    channels = [
        _channel(
            {name: values[i] for name, values in fields.items()},
            name,
            records[:, ends[i] - per_record[i] : ends[i]].reshape(-1),
            per_record[i] / seconds,
        )
        for i, name in zip(signals, meant, strict=True)
    ]
    return channels, _facts(main)


def _fields(header: bytes, num_signals: int) -> dict[str, list[str]]:
    text, fields, begin = header.decode("latin-1"), {}, 0
    for name, size in _FIELDS:
        values = (text[begin + i * size : begin + (i + 1) * size] for i in range(num_signals))
        fields[name] = [value.replace("\0", " ").strip() for value in values]
        begin += num_signals * size
    return fields


def _channel(fields: dict[str, str], name: LeadName, steps: np.ndarray, rate: float) -> Channel:
    rate = round(rate, 9)  # 256 samples in 1.024 s are 250 Hz
    sampling_rate = int(rate) if rate.is_integer() else rate
    try:
        least, most, least_step, most_step = (
            float(fields[key].replace(",", ".")) for key in ("least", "most", "least_step", "most_step")
        )
    except ValueError:
        return faulty(name, sampling_rate, f"the range of {name.lead} is not stated in numbers")
    if not most_step > least_step or least == most or not np.isfinite(least + most):
        return faulty(name, sampling_rate, f"the range of {name.lead} is empty, so that its gain is not known")
    if not fields["unit"]:
        return faulty(name, sampling_rate, f"the unit of {name.lead} is not stated")
    gain = (most - least) / (most_step - least_step)
    return channel(name, (steps - least_step) * gain + least, printable(fields["unit"], 30), sampling_rate)


def _facts(main: str) -> dict[str, Any]:
    started = _date("%d.%m.%y %H.%M.%S", f"{main[168:176]} {main[176:184]}")
    started = None if main[168:176] == _NO_DATE else started
    facts: dict[str, Any] = {} if started is None else {"date": started.isoformat()}
    if main[192:196] != "EDF+":
        return facts
    code, sex, born, *_ = [*main[8:88].split(), "X", "X", "X"]
    if code != "X":
        facts["patient"] = code.replace("_", " ")
    if sex.upper() in ("M", "F"):
        facts["sex"] = "male" if sex.upper() == "M" else "female"
    written = re.fullmatch(rf"(\d\d)-({'|'.join(_MONTHS)})-(\d{{4}})", born.upper())
    birthday = _date("%d.%m.%Y", f"{written[1]}.{_MONTHS.index(written[2]) + 1}.{written[3]}") if written else None
    if birthday is not None and started is not None:
        had_birthday = (started.month, started.day) >= (birthday.month, birthday.day)
        facts["age"] = float(started.year - birthday.year - (not had_birthday))
    return facts


def _date(form: str, text: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None
