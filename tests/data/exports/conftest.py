from dataclasses import replace

import pytest

from ecggan.data.exports import parquet, text, wfdb
from ecggan.data.exports.export import FORMS
from tests.data.exports.making import make_set


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    """Several parts, of several batches, of a set of 23 records."""
    monkeypatch.setattr(text, "RECORDS_A_CHUNK", 5)
    monkeypatch.setattr(wfdb, "RECORDS_A_FOLDER", 5)
    monkeypatch.setitem(FORMS, "wfdb", replace(FORMS["wfdb"], records_a_folder=5))
    monkeypatch.setattr(parquet, "RECORDS_A_SHARD", 5)
    monkeypatch.setattr(parquet, "RECORDS_A_ROW_GROUP", 2)
    for module in (text, wfdb):
        monkeypatch.setattr(module, "BATCH", 2)


@pytest.fixture
def ecgs(tmp_path):
    return make_set(tmp_path / "set")
