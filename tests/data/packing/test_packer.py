import errno
import json
import logging
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from ecggan.data.packing.journal import PackingJournal
from ecggan.data.packing.outcomes import _excerpt
from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout, Record, RecordReference
from ecggan.data.sets.ecg_set import record_hash
from ecggan.data.sets.exclusions import read_examples
from ecggan.data.sets.splits import split_of
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, ECGFormat, select_leads
from tests.data.packers import SHAPING, packer
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
    def pack_folder(root, ecg=paper_format, cache="cache", made_by=None, facts=None, **changes):
        paths = sorted([*root.glob("*.hea"), *root.glob("*.csv")])
        references = [RecordReference(path.stem, path, facts or {"split": "train"}) for path in paths]
        return packer(ecg, tmp_path / cache, **changes).pack("test", references, read, root, made_by or {})

    return pack_folder


def test_packed_records_are_those_of_the_files_in_their_order(source, pack_folder, known_ecg):
    packed = pack_folder(source)
    assert np.array_equal(packed.microvolts(), np.rint(known_ecg(6) * 1000))
    assert list(packed.records["record"]) == [f"r{i:02d}" for i in range(6)]
    assert list(packed.records.columns) == ["record", "source", "split", "hash"]
    assert packed.records["source"][0] == "r00.hea"
    account = packed.manifest["account"]
    assert (account["read"], account["kept"], account["left_out"]) == (6, 6, {})


def test_set_does_not_depend_on_the_number_of_workers(many, pack_folder):
    one, two = pack_folder(many, cache="one", num_workers=0), pack_folder(many, cache="two", num_workers=2)
    assert (len(one), one.path.name) == (85, two.path.name)
    assert same_files(one, two)


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
    write_wfdb(source, "slow", ecg, sampling_rate=100)
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
    assert "excluded by unreadable: 3 (empty: " in caplog.text
    assert "garbage: " in caplog.text


def test_first_four_records_that_a_rule_leaves_out_can_be_seen(tmp_path, pack_folder, write_wfdb, known_ecg):
    ecgs = np.rint(known_ecg(8) * 1000) / 1000
    for i, ecg in enumerate(ecgs):
        write_wfdb(tmp_path / "s", f"r{i}", ecg if i == 0 else ecg * (np.arange(8) != i % 3)[:, None])
    write_wfdb(tmp_path / "s", "short", ecgs[1][:, :3000])
    write_wfdb(tmp_path / "s", "twice", ecgs[0])
    shown = read_examples(pack_folder(tmp_path / "s").path)
    assert [(each.rule, each.record) for each in shown] == [
        ("duplicate", "twice"),
        *(("flat", f"r{i}") for i in range(1, 5)),
        ("length", "short"),
    ]
    assert shown[1].detail.startswith("lead II moves by 0 mV")
    assert shown[1].excerpt.leads == EIGHT_LEADS
    np.testing.assert_allclose(shown[0].excerpt.millivolts, ecgs[0], atol=1e-6)
    np.testing.assert_allclose(shown[5].excerpt.millivolts, ecgs[1][:, :3000], atol=1e-6)


def test_what_can_be_seen_of_a_huge_record_is_its_beginning(paper_format):
    record = Record(np.zeros((30, 100_000)), tuple(map(str, range(30))), 1e6)
    assert _excerpt(record, paper_format).millivolts.shape == (16, 50_000)


def test_log_names_a_few_and_counts_the_rest(tmp_path, pack_folder, write_wfdb, known_ecg, caplog):
    for i in range(5):
        write_wfdb(tmp_path / "s", f"r{i}", known_ecg()[0] * (i == 0))
    pack_folder(tmp_path / "s")
    assert "excluded by flat: 4 (r1: lead I moves by 0 mV" in caplog.text
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
    assert [path for path in (tmp_path / "cache" / "sets").iterdir() if path.suffix != ".lock"] == []


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
    assert "excluded by flat: 1 (flat" in caplog.text


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
    with pytest.raises(ValueError, match=rf"the set in the cache is damaged .*; delete {path} to pack it again"):
        pack_folder(source)


def references_of(root):
    return [RecordReference(path.stem, path, {"split": "train"}) for path in sorted(root.glob("*.hea"))]


def same_files(one, other):
    names = ("signals.npy", "records.parquet", "manifest.json")
    return all((one.path / name).read_bytes() == (other.path / name).read_bytes() for name in names)


@pytest.fixture
def many(source, write_wfdb, known_ecg):
    """Eighty-seven, one of them without signals and one too short: three tasks."""
    for i, ecg in enumerate(known_ecg(86)[6:], start=6):
        write_wfdb(source, f"r{i:02d}", ecg)
    (source / "r20.dat").unlink()
    write_wfdb(source, "short", known_ecg()[0][:, :4000])
    return source


class Stop(BaseException):
    """Like Ctrl-C: no Exception."""


@pytest.mark.parametrize("damage", ["nothing", "half a line", "half a record", "another byte"])
def test_packing_that_was_stopped_goes_on_where_it_was(many, pack_folder, paper_format, tmp_path, damage, caplog):
    whole = pack_folder(many, cache="whole")
    seen = []

    def read_until(reference):
        seen.append(reference.record)
        if len(seen) == 70:
            raise Stop
        return read(reference)

    references = references_of(many)
    packing = packer(paper_format, tmp_path / "cache")
    with pytest.raises(Stop):
        packing.pack("test", references, read_until, many, {})
    (left,) = (tmp_path / "cache" / "sets").glob(".*.unfinished")
    expected = 64  # two tasks of 32 are noted
    if damage == "half a line":
        with open(left / "journal.jsonl", "ab") as file:
            file.write(b"[[{")
    elif damage == "half a record":
        os.truncate(left / "signals.npy", (left / "signals.npy").stat().st_size - 1000)
        expected = 32
    elif damage == "another byte":
        with open(left / "signals.npy", "r+b") as file:
            file.seek(500_000)
            file.write(b"!!")
        expected = 0
    seen = []
    with caplog.at_level(logging.INFO):
        resumed = packing.pack("test", references, lambda reference: seen.append(0) or read(reference), many, {})
    assert len(seen) == 87 - expected
    assert ("packing resumes after 64 of 87" in caplog.text) is (expected == 64)
    assert same_files(whole, resumed)
    assert (
        [each.record for each in read_examples(resumed.path)]
        == [each.record for each in read_examples(whole.path)]
        == ["short"]
    )
    assert not left.exists()


def test_packers_of_one_set_at_once_read_it_once(many, paper_format, tmp_path):
    packing = packer(paper_format, tmp_path / "cache")
    references, seen = references_of(many), []

    def read_slowly(reference):
        seen.append(reference.record)
        time.sleep(0.002)
        return read(reference)

    with ThreadPoolExecutor(3) as threads:
        sets = list(threads.map(lambda _: packing.pack("test", references, read_slowly, many, {}), range(3)))
    assert len(seen) == len(references)
    assert len({packed.path for packed in sets}) == 1


def test_on_a_disk_without_locks_the_first_packer_is_taken(source, paper_format, tmp_path, monkeypatch):
    monkeypatch.setattr("ecggan.data.packing.packer.file_lock", lambda path, blocking: nullcontext())
    theirs = packer(paper_format, tmp_path / "theirs").pack("test", references_of(source), read, source, {})
    ours = tmp_path / "ours" / "sets" / theirs.path.name

    def read_while_another_finishes(reference):
        if not ours.exists():
            shutil.copytree(theirs.path, ours)
        return read(reference)

    packing = packer(paper_format, tmp_path / "ours")
    packed = packing.pack("test", references_of(source), read_while_another_finishes, source, {})
    assert same_files(packed, theirs)
    assert [path.name for path in ours.parent.iterdir()] == [theirs.path.name]


def test_full_disk_says_that_nothing_is_lost(source, paper_format, tmp_path, monkeypatch):
    def full(self, outcomes):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PackingJournal, "add", full)
    with pytest.raises(OSError, match=r"no space left on the disk of .*what is packed is kept"):
        packer(paper_format, tmp_path / "cache").pack("test", references_of(source), read, source, {})


def read_the_worst(reference):
    """Reads what its name says: r01 crashes, r02 hangs, r03 fails, r04 takes all memory."""
    if reference.record == "r01":
        os.kill(os.getpid(), signal.SIGSEGV)
    if reference.record == "r02":
        time.sleep(600)
    if reference.record == "r03":
        raise KeyError("no such thing")
    if reference.record == "r04":
        np.ones(2**37, np.uint8)
    return read(reference)


def test_file_that_crashes_hangs_or_swallows_its_reader_costs_that_file_alone(source, paper_format, tmp_path):
    packing = packer(paper_format, tmp_path / "cache", num_workers=2, seconds_a_record=1)
    begun = time.monotonic()
    packed = packing.pack("test", references_of(source), read_the_worst, source, {})
    assert time.monotonic() - begun < 120  # however busy the machine is
    assert list(packed.records["record"]) == ["r00", "r05"]
    details = {entry["record"]: entry["detail"] for entry in packed.manifest["account"]["left_out"]["unreadable"]}
    assert "r01.hea: it crashes the process that reads it (exit code -11)" in details["r01"]
    assert "r02.hea: it takes longer than 4 s to read" in details["r02"]
    assert "r03.hea: KeyError: 'no such thing'" in details["r03"]
    assert "r04.hea: it takes too much memory to read" in details["r04"]


def test_longer_records_give_their_first_window_or_all(tmp_path, pack_folder, write_wfdb, known_ecg):
    root = tmp_path / "s"
    three = np.concatenate([*known_ecg(3), known_ecg(1)[0][:, :4999]], axis=1)
    write_wfdb(root, "long", three)
    first = pack_folder(root)
    assert list(first.records["record"]) == ["long"]
    every = pack_folder(root, shaping=replace(SHAPING, windows="all"))
    assert list(every.records["record"]) == ["long@0s", "long@10s", "long@20s"]
    assert list(every.records["start_s"]) == [0, 10, 20]
    assert every.manifest["account"]["read"] == 3
    assert every.manifest["made_by"]["shaping"]["windows"] == "all"
    stored = np.rint(known_ecg(3) * 1000)
    assert np.array_equal(every.microvolts(), stored)
    assert np.array_equal(first.microvolts(), stored[:1])


def test_other_rates_are_resampled_and_the_row_says_so(tmp_path, pack_folder, write_wfdb, known_ecg):
    write_wfdb(tmp_path / "s", "a", known_ecg()[0])
    write_wfdb(tmp_path / "s", "b", known_ecg()[0][:, ::2], sampling_rate=250)
    packed = pack_folder(tmp_path / "s")
    assert packed.records["resampled_from"].fillna(0).tolist() == [0, 250]
    difference = packed.millivolts([1])[0] - packed.millivolts([0])[0]
    assert np.sqrt(np.mean(difference**2)) < 0.01


def test_record_that_is_there_twice_is_packed_once(many, pack_folder, paper_format, tmp_path, write_wfdb, known_ecg):
    ecg = known_ecg()[0]
    write_wfdb(many, "z_copy", ecg)  # of r00, two tasks away
    other_chest_leads = ecg.copy()
    other_chest_leads[2:] = ecg[:1:-1]
    write_wfdb(many, "z_reordered", other_chest_leads)
    packed = pack_folder(many)
    account = packed.manifest["account"]
    assert account["left_out"]["duplicate"] == [
        {"record": name, "detail": "the same samples as r00"} for name in ("z_copy", "z_reordered")
    ]
    assert (account["read"], account["kept"], len(packed)) == (89, 85, 85)
    assert packed.hashes() == [record_hash(packed.microvolts([i])[0], packed.leads) for i in range(85)]

    def read_until(reference):
        if reference.record == "r70":
            raise Stop
        return read(reference)

    packing = packer(paper_format, tmp_path / "resumed")
    with pytest.raises(Stop):
        packing.pack("test", references_of(many), read_until, many, {})
    assert same_files(packing.pack("test", references_of(many), read, many, {}), packed)


class KeepOdd:
    """Keeps every second record that it sees."""

    def __init__(self):
        self.description = {"what": "odd"}
        self.learned_from = ()
        self.records_at_once = 4
        self.seen = []

    def __call__(self, ecgs):
        self.seen.append(len(ecgs))
        return [None if i % 2 else ("even", f"record {i}") for i in range(len(ecgs))]


def test_screen_leaves_out_records_that_passed_the_rules(many, pack_folder):
    everything = pack_folder(many)
    keep = KeepOdd()
    packed = pack_folder(many, keep=keep)
    assert keep.seen == [31, 32, 22]
    kept = [*range(1, 31, 2), *range(32, 63, 2), *range(64, 85, 2)]
    assert list(packed.records["record"]) == list(everything.records["record"].iloc[kept])
    assert np.array_equal(packed.microvolts(), everything.microvolts(kept))
    account = packed.manifest["account"]
    assert (account["read"], account["kept"]) == (87, len(kept))
    assert account["left_out"]["even"][0] == {"record": everything.records["record"][0], "detail": "record 0"}
    assert packed.manifest["made_by"]["keep"] == {"what": "odd"}


def test_home_is_understood_in_the_cache(source, paper_format, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    references = [RecordReference("r00", source / "r00.hea", {})]
    packed = packer(paper_format, "~/cache").pack("test", references, read, source, {})
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
