"""An ECG set to export, and what a folder holds."""

from pathlib import Path

import numpy as np

from ecggan.data.exports.export import export
from ecggan.data.sets.ecg_set import ECGSet, create_ecg_set
from ecggan.ecg import EIGHT_LEADS

NUM_RECORDS, NUM_SAMPLES = 23, 100
COMPANIONS = {"README.md", "manifest.json", "records.parquet", "checksums.sha256"}


class Interrupted(BaseException):
    """Like Ctrl-C: no Exception."""


def make_set(path, kind="generated", leads=EIGHT_LEADS, splits=False):
    """ECGs between ±5 mV, of distinct samples."""
    rng = np.random.default_rng(0)
    microvolts = rng.integers(-5000, 5001, (NUM_RECORDS, len(leads), NUM_SAMPLES)).astype(np.int16)
    rows = [{"record": f"seed7_{i:06d}", "seed": 7, "index": i} for i in range(NUM_RECORDS)]
    if splits:
        rows = [{**row, "split": ["train", "test"][i % 3 == 0]} for i, row in enumerate(rows)]
    made_by = {"how": "generated", "seed": 7, "checkpoint": "published", "root": "/home/someone"}
    with create_ecg_set(path, leads, 500, NUM_SAMPLES, kind, made_by) as writer:
        writer.append(microvolts, rows)
        writer.account = {"read": 24, "kept": 23, "left_out": {"flat": [{"record": "x", "detail": "lead I"}]}}
    return ECGSet.open(path)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def export_quietly(ecgs, form, out, **options):
    return export(ecgs, form, out, progress=False, **options)
