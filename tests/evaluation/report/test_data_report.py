"""What a source came to: its page, its tables, and ECGs in two splits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ecggan.data.record import Layout
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.memorization.split_leakage import find_leaks
from ecggan.evaluation.report.data_report import in_words, write_data_report
from tests.data.packers import packer


@pytest.fixture
def parted(known_ecg):
    """Thirty ECGs of as many patients in two splits, at rates that tell them apart."""
    ecgs = np.concatenate([known_ecg(1, heart_rate_bpm=50 + 2 * i, seed=i) for i in range(30)])
    made = ECGSet.from_arrays(ecgs, EIGHT_LEADS, 500)
    facts = {"split": ["train"] * 20 + ["test"] * 10, "patient": [str(i) for i in range(30)]}
    return replace(made, records=made.records.assign(**facts))


def with_copy(parted: ECGSet, of: int, at: int) -> ECGSet:
    """A record in the place of another: shifted by 0.12 s, larger by a tenth, with noise and a wandering baseline."""
    millivolts = parted.millivolts()
    noise = np.random.default_rng(0).normal(0, 0.01, millivolts[0].shape)
    wander = 0.2 * np.sin(np.arange(5000) / 400)
    millivolts[at] = np.roll(1.1 * millivolts[of], 60, axis=1) + noise + wander
    return replace(parted, signals=ECGSet.from_arrays(millivolts, EIGHT_LEADS, 500).signals)


def test_ecgs_of_different_people_are_no_leak(parted):
    leaks = find_leaks(parted, num_workers=1, progress=False)
    assert (leaks.num_copies, leaks.patients) == (0, [])
    assert len(leaks.pairs) > 0  # the nearest are there in any case


def test_ecg_that_is_in_two_splits_is_found_however_it_was_changed(parted):
    leaks = find_leaks(with_copy(parted, of=3, at=25), num_workers=1, progress=False)
    assert leaks.num_copies == 1
    first = leaks.pairs.iloc[0]
    assert {(first["record"], first["split"]), (first["of_record"], first["of_split"])} == {
        ("3", "train"),
        ("25", "test"),
    }
    assert not first["is_same_patient"]
    assert len(leaks.pairs[["position", "of_position"]].apply(frozenset, axis=1).unique()) == len(leaks.pairs)


def test_ecg_that_is_twice_in_one_split_is_no_leak(parted):
    assert find_leaks(with_copy(parted, of=3, at=5), num_workers=1, progress=False).num_copies == 0


def test_patients_in_two_splits_are_named(parted):
    records = parted.records.assign(patient=["7", None, *parted.records["patient"][2:]])
    records.loc[29, "patient"] = "7"
    assert find_leaks(replace(parted, records=records), num_workers=1, progress=False).patients == ["7"]


def test_set_without_splits_has_no_leak_to_look_for(parted):
    assert find_leaks(replace(parted, records=parted.records[["record"]]), progress=False) is None


@pytest.fixture
def packed(tmp_path, known_ecg, write_wfdb, paper_format):
    """Thirty good records, two flat ones, one of hostile amplitude, one short and one unreadable."""
    root = tmp_path / "ecgs"
    for i in range(30):
        write_wfdb(root, f"good{i:02d}", known_ecg(1, heart_rate_bpm=50 + 2 * i, seed=i)[0])
    for i in range(2):
        write_wfdb(root, f"flat{i}", known_ecg(1)[0] * 0)
    write_wfdb(root, "loud", known_ecg(1, noise_mv=0.0)[0] * 20)
    write_wfdb(root, "short", known_ecg(1)[0][:, :2000])
    (root / "broken<b>.hea").write_text("nonsense")
    packing = packer(paper_format, tmp_path / "cache")
    return folder_set(root, packing, Selection(None, None, None, None), ["*.hea"], Layout(), 0.2, 0.2)


def test_page_and_tables_account_for_every_record(packed, tmp_path):
    page = write_data_report(tmp_path / "out", packed, num_workers=1)
    html = page.read_text()
    assert "30 of 35 records" in " ".join(html.split())
    assert "lead I moves by 0 mV" in html
    assert "broken&lt;b&gt;" in html
    assert "broken<b>" not in html
    left_out = pd.read_csv(tmp_path / "out" / "left_out.csv")
    assert dict(left_out["rule"].value_counts()) == {"flat": 2, "amplitude": 1, "length": 1, "unreadable": 1}
    pictures = sorted(path.name for path in (tmp_path / "out" / "pictures").glob("*.png"))
    assert [name for name in pictures if not name.startswith("pair")] == [
        "amplitude-0-loud.png",
        "flat-0-flat0.png",
        "flat-1-flat1.png",
        "length-0-short.png",
    ]
    assert html.count("<img") == len(pictures)
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert in_words(packed, tmp_path / "out") == (
        "30 of 35 records are kept; 0 pairs of records in different splits are one ECG"
    )


def test_nothing_is_overwritten(packed, tmp_path):
    (tmp_path / "out" / "inside").mkdir(parents=True)
    with pytest.raises(FileExistsError):
        write_data_report(tmp_path / "out", packed)
