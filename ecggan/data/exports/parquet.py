"""Parquet shards of a row a record, as `datasets.load_dataset`, pandas and pyarrow read them.

A signal is a list of fixed shape, (lead, time) int16 µV, stored as the differences of its samples: less than half of
the set's bytes, at the speed of storing it plainly.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ecggan.data.exports.chunks import Chunk, Form
from ecggan.data.sets.batches import batches
from ecggan.data.sets.ecg_set import ECGSet

SIGNAL = "signal"
RECORDS_A_SHARD, BYTES_A_SHARD = 5000, 500_000_000
RECORDS_A_ROW_GROUP = 256  # what a reader takes into memory at least


def _chunks(ecgs: ECGSet) -> list[Chunk]:
    if SIGNAL in ecgs.records:
        raise ValueError(f"the record table has a column {SIGNAL!r}, where the signals would go; rename it")
    schema = _schema(ecgs)
    record_bytes = 2 * len(ecgs.leads) * ecgs.num_samples
    most = max(1, min(RECORDS_A_SHARD, BYTES_A_SHARD // record_bytes))
    chunks = []
    for split, positions in splits(ecgs).items():
        shards = batches(len(positions), most)
        for number, shard in enumerate(shards):
            view = ecgs.subset(positions[shard])
            name = f"data/{split}-{number:05d}-of-{len(shards):05d}.parquet"
            chunks.append(Chunk(len(view), partial(_write, view, schema, name)))
    return chunks


def splits(ecgs: ECGSet) -> dict[str, np.ndarray]:
    """The positions of each split's records. All are `train`, as `datasets` has it, where the set knows no splits."""
    names = ecgs.records.get("split")
    if names is None or not all(isinstance(name, str) and re.fullmatch(r"\w+", name) for name in names.unique()):
        return {"train": np.arange(len(ecgs))}
    return {name: np.flatnonzero(names == name) for name in names.unique()}


def _schema(ecgs: ECGSet) -> pa.Schema:
    """Of the whole set: a column that is empty in one shard must not take another type there."""
    columns = pa.Schema.from_pandas(ecgs.records, preserve_index=False).remove_metadata()
    shape = pa.list_(pa.list_(pa.int16(), ecgs.num_samples), len(ecgs.leads))
    facts = {"leads": ecgs.leads, "sampling_rate": ecgs.sampling_rate, "unit": "uV", "kind": ecgs.kind}
    return columns.append(pa.field(SIGNAL, shape)).with_metadata({"ecggan": json.dumps(facts)})


def _write(ecgs: ECGSet, schema: pa.Schema, name: str, folder: Path) -> Iterator[int]:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    columns = pa.schema([field for field in schema if field.name != SIGNAL])
    storage = {
        "compression": "zstd",
        "use_dictionary": columns.names,
        "column_encoding": {f"{SIGNAL}.list.element.list.element": "DELTA_BINARY_PACKED"},
    }
    with pq.ParquetWriter(path, schema, **storage) as writer:
        for batch in ecgs.batches(RECORDS_A_ROW_GROUP):
            table = pa.Table.from_pandas(ecgs.records.iloc[batch], columns, preserve_index=False)
            values = pa.array(ecgs.microvolts(batch).ravel())
            leads = pa.FixedSizeListArray.from_arrays(values, ecgs.num_samples)
            signals = pa.FixedSizeListArray.from_arrays(leads, len(ecgs.leads))
            writer.write_table(table.append_column(SIGNAL, signals).cast(schema))
            yield batch.stop - batch.start


PARQUET = Form(
    _chunks,
    """\
from datasets import load_dataset
ecgs = load_dataset({folder})["{split}"].with_format("numpy")
microvolts = ecgs[0]["signal"]  # (lead, time)""",
)
