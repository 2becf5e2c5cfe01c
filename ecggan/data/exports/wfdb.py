"""WFDB: a header and a signal file a record, in folders of 1,000 and listed in ``RECORDS``, as PTB-XL has them.

The files are byte-identical to those of ``wfdb.wrsamp``, which takes 9 ms a record.

Source: https://physionet.org/physiotools/wag/header-5.htm and https://physionet.org/physiotools/wag/signal-5.htm.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int16

from ecggan.data.exports.chunks import BATCH, EXPORTED_AS, Chunk, Form
from ecggan.data.sets.conditions import CONDITIONS
from ecggan.data.sets.ecg_set import ECGSet

RECORDS_A_FOLDER = 1000
MISSING = -32768  # format 16 reserves this value for missing samples


def header(name: str, microvolts: Int16[np.ndarray, "lead time"], ecgs: ECGSet, comments: list[str]) -> str:
    """The text of a ``.hea`` file: format 16, 1000 steps a mV, and each lead's first sample and checksum."""
    checksums = microvolts.sum(axis=1, dtype=np.int64) % 65536
    lines = [f"{name} {len(ecgs.leads)} {ecgs.sampling_rate} {ecgs.num_samples}"]
    lines += [
        f"{name}.dat 16 1000.0(0)/mV 16 0 {first} {checksum} 0 {lead}"
        for first, checksum, lead in zip(microvolts[:, 0], checksums, ecgs.leads, strict=True)
    ]
    return "\n".join([*lines, *(f"# {comment}" for comment in comments), ""])


def _chunks(ecgs: ECGSet) -> list[Chunk]:
    views = [ecgs.subset(batch) for batch in ecgs.batches(RECORDS_A_FOLDER)]
    return [Chunk(len(view), partial(_write, view)) for view in views]


def _write(ecgs: ECGSet, folder: Path) -> Iterator[int]:
    rows = ecgs.records.to_dict("records")
    for batch in ecgs.batches(BATCH):
        for row, record in zip(rows[batch], ecgs.microvolts(batch), strict=True):
            if record.min() == MISSING:
                raise ValueError(
                    f"record {row['record']!r} has a sample of {MISSING} µV, which WFDB reserves for missing ones; "
                    "leave it out (ECGSet.subset) or export to another form"
                )
            path = folder / row[EXPORTED_AS]
            path.parent.mkdir(exist_ok=True)
            path.with_suffix(".dat").write_bytes(record.T.astype("<i2").tobytes())
            path.with_suffix(".hea").write_text(header(path.name, record, ecgs, _comments(ecgs, row)), encoding="utf-8")
        yield batch.stop - batch.start


def _comments(ecgs: ECGSet, row: Mapping[Any, Any]) -> list[str]:
    asked = CONDITIONS if ecgs.kind == "generated" else ()  # of a person, the set's table alone says them
    keys = [key for key in ("record", "seed", "index", *asked) if key in row and not pd.isna(row[key])]
    facts = {"kind": ecgs.kind, **{key: row[key] for key in keys}}
    # wfdb reads ASCII only, one comment a line
    return [f"{key}: {str(value).encode('unicode_escape').decode()}" for key, value in facts.items()]


WFDB = Form(
    _chunks,
    """\
import wfdb
names = open("RECORDS").read().split()
millivolts = wfdb.rdrecord(names[0]).p_signal.T  # (lead, time)""",
    suffix="",
    records_a_folder=RECORDS_A_FOLDER,
    index="RECORDS",
)
