from functools import partial

import numpy as np
import pytest

from ecggan.data.record import Layout
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.exclusions import read_examples
from ecggan.data.sets.writer import create_ecg_set
from ecggan.data.sources.combined import combined_set
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS
from tests.data.packers import packer


@pytest.fixture
def parts(tmp_path, known_ecg):
    """Two sources of three records, of which one is in both, and a third without a root."""
    microvolts = np.rint(known_ecg(5) * 1000).astype(np.int16)
    for name, some in (("one", [0, 1, 2]), ("other", [4, 2, 3])):
        with create_ecg_set(tmp_path / name, EIGHT_LEADS, 500, 5000, "real", {"source": name}) as writer:
            splits = ["test", "train", "train"]
            rows = [{"record": f"r{i}", "split": split} for i, split in zip(some, splits, strict=True)]
            writer.append(microvolts[some], rows)
    return {
        "one": {"root": "given", "source": lambda: ECGSet.open(tmp_path / "one")},
        "other": {"root": "given", "source": lambda: ECGSet.open(tmp_path / "other")},
        "third": {"root": None, "source": None},
    }


def test_parts_are_joined_with_their_splits_and_nothing_twice(parts, tmp_path, known_ecg):
    joined = combined_set(parts, tmp_path / "cache")
    assert list(joined.records["record"]) == ["one/r0", "one/r1", "one/r2", "other/r4", "other/r3"]
    assert list(joined.records["part"]) == ["one"] * 3 + ["other"] * 2
    assert list(joined.records["split"]) == ["test", "train", "train", "test", "train"]
    assert np.array_equal(joined.microvolts(), np.rint(known_ecg(5) * 1000)[[0, 1, 2, 4, 3]])
    duplicate = {"record": "other/r2", "detail": "the same samples as one/r2"}
    account = joined.manifest["account"]
    assert (account["read"], account["kept"], account["left_out"]) == (6, 5, {"duplicate": [duplicate]})
    assert joined.manifest["made_by"]["parts"]["one"]["made_by"] == {"source": "one"}
    assert combined_set(parts, tmp_path / "cache").path == joined.path


def test_what_a_source_left_out_stays_in_the_account_and_can_be_seen(tmp_path, paper_format, write_wfdb, known_ecg):
    ecgs = known_ecg(4)
    parts = {}
    for name, some in (("one", ecgs[:2]), ("other", ecgs[2:])):
        write_wfdb(tmp_path / name, "flat", some[0] * 0)
        write_wfdb(tmp_path / name, "good", some[1])
        how = {"validation": 0.5, "test": 0.0, "patterns": ["*.hea"], "layout": Layout()}
        packing, anybody = packer(paper_format, tmp_path / "cache"), Selection(None, None, None, None)
        parts[name] = {"root": "given", "source": partial(folder_set, tmp_path / name, packing, anybody, **how)}
    joined = combined_set(parts, tmp_path / "cache")
    account = joined.manifest["account"]
    assert (account["read"], account["kept"]) == (4, 2)
    assert [entry["record"] for entry in account["left_out"]["flat"]] == ["one/flat", "other/flat"]
    assert [(shown.rule, shown.record) for shown in read_examples(joined.path)] == [
        ("flat", "one/flat"),
        ("flat", "other/flat"),
    ]


def test_other_parts_make_another_set(parts, tmp_path):
    both = combined_set(parts, tmp_path / "cache")
    alone = combined_set({"one": parts["one"]}, tmp_path / "cache")
    assert len(alone) == 3
    assert alone.path != both.path


def test_without_a_root_it_says_which_can_be_given(parts, tmp_path):
    nothing = {name: {**part, "root": None} for name, part in parts.items()}
    with pytest.raises(ValueError, match=r"at least one source: data.parts.one.root=FOLDER data.parts.other.root="):
        combined_set(nothing, tmp_path / "cache")


def test_sets_of_two_shapes_are_not_joined(parts, tmp_path):
    with create_ecg_set(tmp_path / "short", EIGHT_LEADS, 500, 100, "real", {}) as writer:
        writer.append(np.zeros((1, 8, 100), np.int16), [{"record": "a"}])
    parts["third"] = {"root": "given", "source": lambda: ECGSet.open(tmp_path / "short")}
    with pytest.raises(ValueError, match=r"third has .*, and one has"):
        combined_set(parts, tmp_path / "cache")
