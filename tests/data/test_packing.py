import json
import logging
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from ecggan.data.ecg_set import create_ecg_set
from ecggan.data.packing import RecordReference, pack, split_of
from ecggan.data.readers.files import read_record
from ecggan.data.record import Layout
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat, select_leads
from tests.data.quality_rules import RULES


def read(reference: RecordReference):
    return read_record(reference.path, Layout(EIGHT_LEADS, 500, "uV"))


@pytest.fixture
def source(tmp_path, write_wfdb, known_ecg):
    """Six good records."""
    for i, ecg in enumerate(known_ecg(6)):
        write_wfdb(tmp_path / "source", f"r{i:02d}", ecg)
    return tmp_path / "source"


@pytest.fixture
def pack_folder(tmp_path, paper_format):
    def pack_folder(root, ecg=paper_format, quality=RULES, cache="cache", num_workers=1, made_by=None, facts=None):
        paths = sorted([*root.glob("*.hea"), *root.glob("*.csv")])
        references = [RecordReference(path.stem, path, facts or {"split": "train"}) for path in paths]
        return pack("test", references, read, root, ecg, quality, tmp_path / cache, num_workers, made_by or {})

    return pack_folder


def test_packed_records_are_those_of_the_files_in_their_order(source, pack_folder, known_ecg):
    packed = pack_folder(source)
    assert np.array_equal(packed.microvolts(), np.rint(known_ecg(6) * 1000))
    assert list(packed.records["record"]) == [f"r{i:02d}" for i in range(6)]
    assert list(packed.records.columns) == ["record", "source", "split"]
    assert packed.records["source"][0] == "r00.hea"
    assert packed.manifest["account"] == {"read": 6, "kept": 6, "left_out": {}}


def test_set_does_not_depend_on_the_number_of_workers(source, pack_folder):
    for i in range(80):  # with the six: three tasks
        for suffix in (".hea", ".dat"):
            shutil.copy(source / f"r{i % 6:02d}{suffix}", source / f"copy{i}{suffix}")
        header = (source / f"copy{i}.hea").read_text()
        (source / f"copy{i}.hea").write_text(header.replace(f"r{i % 6:02d}", f"copy{i}"))
    (source / "copy7.dat").unlink()
    one, two = pack_folder(source, cache="one", num_workers=0), pack_folder(source, cache="two", num_workers=2)
    assert (len(one), one.path.name) == (85, two.path.name)
    for name in ("signals.npy", "records.parquet", "manifest.json"):
        assert (one.path / name).read_bytes() == (two.path / name).read_bytes()


def test_leads_are_put_in_the_order_wanted_and_derived(source, pack_folder, known_ecg):
    wanted = ("V6", "aVF", "I")
    packed = pack_folder(source, ecg=ECGFormat(wanted, 500, 5000, 6.0))
    stored = np.rint(known_ecg(1) * 1000) / 1000
    assert packed.leads == wanted
    np.testing.assert_allclose(packed.millivolts([0]), select_leads(stored, EIGHT_LEADS, wanted), atol=0.00051)


def test_bad_records_are_named_with_their_rule_and_the_run_goes_on(source, pack_folder, write_wfdb, known_ecg, caplog):
    ecg = known_ecg()[0]
    write_wfdb(source, "no_signals", ecg)
    (source / "no_signals.dat").unlink()
    write_wfdb(source, "truncated", ecg)
    (source / "truncated.dat").write_bytes((source / "truncated.dat").read_bytes()[:1001])
    (source / "garbage.hea").write_bytes(b"\x00\xff garbage")
    (source / "empty.csv").write_text("")
    flat, with_nan = ecg.copy(), ecg.copy()
    flat[2] = 0
    with_nan[3, :9] = np.nan
    write_wfdb(source, "flat", flat)
    write_wfdb(source, "nan", with_nan)
    write_wfdb(source, "short", ecg[:, :4000])
    write_wfdb(source, "slow", ecg, sampling_rate=250)
    write_wfdb(source, "limbs", ecg[:2], leads=("I", "II"))
    np.savetxt(source / "millivolts.csv", ecg.T, delimiter=",")  # though the layout says µV
    write_wfdb(source, "microvolts", ecg, gain=1.0)
    with caplog.at_level(logging.INFO):
        packed = pack_folder(source)
    account = packed.manifest["account"]
    found = {entry["record"]: rule for rule, entries in account["left_out"].items() for entry in entries}
    assert found == {
        "no_signals": "missing",
        "truncated": "unreadable",
        "garbage": "unreadable",
        "empty": "unreadable",
        "flat": "flat",
        "nan": "not_finite",
        "short": "length",
        "slow": "sampling_rate",
        "limbs": "leads",
        "millivolts": "flat",
        "microvolts": "amplitude",
    }
    assert (account["read"], account["kept"], len(packed)) == (17, 6, 6)
    assert json.loads((packed.path / "manifest.json").read_text())["account"] == account
    assert "6 of 17 records" in caplog.text
    assert "left out by unreadable: 3 (empty: " in caplog.text
    assert "garbage: " in caplog.text


def test_log_names_a_few_and_counts_the_rest(tmp_path, pack_folder, write_wfdb, known_ecg, caplog):
    for i in range(5):
        write_wfdb(tmp_path / "s", f"r{i}", known_ecg()[0] * (i == 0))
    pack_folder(tmp_path / "s")
    assert "left out by flat: 4 (r1: lead I moves by 0 mV" in caplog.text
    assert "r3: " in caplog.text
    assert "r4" not in caplog.text
    assert "; and 1 more)" in caplog.text


def test_source_without_a_usable_record_says_why_in_one_line(tmp_path, pack_folder, write_wfdb):
    for i in range(3):
        write_wfdb(tmp_path / "s", f"r{i}", np.zeros((8, 5000)))
    message = r"none of the 3 records in \S+ is usable \(flat 3\); the first, r0: lead I moves by 0 mV"
    with pytest.raises(ValueError, match=message) as caught:
        pack_folder(tmp_path / "s")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache" / "sets").iterdir()) == []


def test_no_reference_at_all_is_an_error(tmp_path, pack_folder):
    with pytest.raises(ValueError, match="no record to pack"):
        pack_folder(tmp_path)


def test_second_packing_opens_the_set_and_repeats_its_account(source, pack_folder, write_wfdb, caplog):
    write_wfdb(source, "flat", np.zeros((8, 5000)))
    first = pack_folder(source)
    written = (first.path / "signals.npy").stat().st_mtime_ns
    caplog.clear()
    assert pack_folder(source).path == first.path
    assert (first.path / "signals.npy").stat().st_mtime_ns == written
    assert "left out by flat: 1 (flat" in caplog.text


def test_key_follows_everything_that_decides_the_set(source, pack_folder):
    other_leads = ECGFormat(TWELVE_LEADS, 500, 5000, 6.0)
    paths = [
        pack_folder(source),
        pack_folder(source, quality=replace(RULES, min_peak_to_peak_mv=0.05)),
        pack_folder(source, ecg=other_leads),
        pack_folder(source, made_by={"label": "NORM"}),
        pack_folder(source, facts={"split": "test"}),
    ]
    assert len({packed.path for packed in paths}) == 5


def test_key_does_not_follow_the_range_of_the_network(source, pack_folder):
    packed = pack_folder(source)
    assert pack_folder(source, ecg=ECGFormat(EIGHT_LEADS, 500, 5000, 10.0)).path == packed.path


def test_repaired_signal_file_is_packed_anew(source, pack_folder, write_wfdb, known_ecg):
    whole = (source / "r05.dat").read_bytes()
    (source / "r05.dat").write_bytes(whole[:1001])
    before = pack_folder(source)
    (source / "r05.dat").write_bytes(whole)
    after = pack_folder(source)
    assert (len(before), len(after)) == (5, 6)
    os.utime(source / "r05.dat", ns=(0, 0))  # same size, another time
    assert pack_folder(source).path not in (before.path, after.path)


@pytest.mark.parametrize("name", ["signals.npy", "manifest.json"])
def test_damaged_set_in_the_cache_is_named_with_the_remedy(source, pack_folder, name):
    path = pack_folder(source).path
    (path / name).write_bytes((path / name).read_bytes()[:100])
    with pytest.raises(ValueError, match=rf"the set in the cache is damaged .*; delete {path} to make it anew"):
        pack_folder(source)


def test_packers_of_one_set_at_once_both_get_it(source, pack_folder, paper_format):
    """Another process finishes the same set while this one is still writing."""
    theirs = pack_folder(source, cache="theirs")

    def read_while_another_finishes(reference):
        ours = theirs.path.parents[2] / "ours" / "sets" / theirs.path.name
        if not ours.exists():
            with create_ecg_set(ours.with_name("other"), EIGHT_LEADS, 500, 5000, "real", {}) as writer:
                writer.append(theirs.microvolts(), theirs.records.to_dict("records"))
                writer.account = theirs.manifest["account"]
            ours.with_name("other").rename(ours)
        return read(reference)

    references = [RecordReference(p.stem, p, {"split": "train"}) for p in sorted(source.glob("*.hea"))]
    cache = theirs.path.parents[2] / "ours"
    ours = pack("test", references, read_while_another_finishes, source, paper_format, RULES, cache, 1, {})
    assert np.array_equal(ours.microvolts(), theirs.microvolts())
    assert [path.name for path in ours.path.parent.iterdir()] == [theirs.path.name]


def test_interrupted_packing_leaves_nothing(source, paper_format, tmp_path):
    def interrupt(reference):
        raise KeyboardInterrupt("by hand")

    references = [RecordReference("r00", source / "r00.hea", {})]
    with pytest.raises(KeyboardInterrupt, match="by hand"):
        pack("test", references, interrupt, source, paper_format, RULES, tmp_path / "cache", 1, {})
    assert list((tmp_path / "cache" / "sets").iterdir()) == []


def test_home_is_understood_in_the_cache(source, paper_format, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    references = [RecordReference("r00", source / "r00.hea", {})]
    packed = pack("test", references, read, source, paper_format, RULES, "~/cache", 1, {})
    assert packed.path.parent == tmp_path / "cache" / "sets"


def test_split_is_a_fixed_function_of_the_name():
    splits = [split_of(f"patient {i}", validation=0.2, test=0.2) for i in range(8)]
    assert splits == ["train", "train", "train", "train", "validation", "train", "train", "validation"]


def test_splits_have_about_the_shares_asked_for():
    splits = [split_of(str(i), validation=0.1, test=0.2) for i in range(5000)]
    assert splits.count("test") / 5000 == pytest.approx(0.2, abs=0.02)
    assert splits.count("validation") / 5000 == pytest.approx(0.1, abs=0.02)
    assert {split_of(str(i), 0, 0) for i in range(100)} == {"train"}
    assert {split_of(str(i), 0, 1) for i in range(100)} == {"test"}


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.1, -0.1), (0.6, 0.5)])
def test_shares_that_cannot_be_are_refused(shares):
    with pytest.raises(ValueError, match="the shares validation and test must be within 0 and 1 together"):
        split_of("a", *shares)
