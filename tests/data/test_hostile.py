"""Files that are damaged or made to do harm cost themselves alone: their fuzzer, with a fixed seed."""

import ctypes
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from ecggan.data.readers.registry import is_collection
from ecggan.data.record import Layout
from ecggan.data.sources.challenge import challenge_set
from ecggan.data.sources.code15 import code15_set
from ecggan.data.sources.folder import find_files, folder_set
from ecggan.data.sources.ptbxl import ptbxl_set
from ecggan.data.sources.selection import Selection, Statements
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads
from tests.data.hostile import (
    ATTACKS,
    SINUS,
    array_file,
    bombs,
    challenge_record,
    hdf5,
    mutants,
    npy,
    overlapping,
    parquet,
    seeds,
    text,
    zipped,
)
from tests.data.packers import packer
from tests.sizes import sized

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, and watches folders by inotify"),
]

PATTERNS = list(OmegaConf.load(Path(__file__).parents[2] / "configs/data/folder.yaml").source.patterns)
ANYONE = Selection(None, None, None, None)
SEED = 20211105
ROUNDS, EACH = sized((1, 20), (2, 140))  # of 22 formats: 440 files, or 6,160
MOST_SECONDS_A_FILE = 5
SECONDS_TO_BEGIN = 30  # that two pools of processes may take on a busy machine
MOST_MEMORY_MB = 500
LONGEST_REASON = 2000
WITH_CHECKSUMS = ("wfdb_16", "wfdb_212", "wfdb_mat", "wfdb_61", "scp", "zip", "npz", "npz_compressed")
CANARY = "canary:x:0:0"


@pytest.fixture
def ecgs(known_ecg):
    """Forty of them, integer µV, low enough that five times as much is still an ECG."""
    return np.rint(known_ecg(40) * 700).astype(np.int64)


@pytest.fixture
def outside(tmp_path, ecgs):
    """What is nobody's business: a folder of ECGs in many forms, and a list of users."""
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = ecgs[39]
    files = {**challenge_record(secret), "secret.asc": text(secret), "passwd": CANARY.encode()}
    files |= {"secret.h5": hdf5(lambda file: file.update({"ecg": secret.astype(np.int16)}))}
    files |= {"secret.raw": secret.astype("<i2").tobytes(), "exam_id.raw": np.array([11, 12], "<i8").tobytes()}
    files |= {"exams.h5": hdf5(lambda file: file.update({"exam_id": [11, 12], "tracings": np.ones((2, 4096, 12))}))}
    for name, content in files.items():
        (outside / name).write_bytes(content)
    return outside


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(root, **how):
        packing = packer(paper_format, tmp_path / "cache", **how)
        return folder_set(root, packing, ANYONE, PATTERNS, Layout(EIGHT_LEADS, 500, "uV"), 0.1, 0.1)

    return make


@pytest.fixture(autouse=True)
def clean(tmp_path):
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def looked_at(outside):
    """Gives the names of what was opened or changed outside since it was last asked, by whichever library."""
    libc, opened_or_changed = ctypes.CDLL(None), 0x20 | 0x2 | 0x4 | 0xC0 | 0x100 | 0x200
    events = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(events, os.fsencode(outside), opened_or_changed) > 0

    def names():
        found = set()
        with suppress(BlockingIOError):
            while content := os.read(events, 2**16):
                while content:
                    end = 16 + int.from_bytes(content[12:16], sys.byteorder)
                    found.add(os.fsdecode(content[16:end].rstrip(b"\0")))
                    content = content[end:]
        return found - {""}

    yield names
    os.close(events)


class TooLong(BaseException):
    """A file took longer than a reader may take."""


@contextmanager
def as_a_reader():
    """In this process with the time and the memory that a process of readers has."""

    def end(number, frame):
        raise TooLong(f"it takes longer than {MOST_SECONDS_A_FILE} s")

    limits, before = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGALRM, end)
    resource.setrlimit(resource.RLIMIT_AS, (int(_memory_mb("VmSize") * 2**20) + 2**32, limits[1]))
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS_A_FILE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limits)


@contextmanager
def little_memory():
    """This process may take no more than it should, not even for a moment."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # begins the peak anew
    before = _memory_mb("VmRSS")
    yield
    assert _memory_mb("VmHWM") - before < MOST_MEMORY_MB


def _memory_mb(which):
    return int(re.search(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))[1]) / 1024


def outcomes(packed):
    """Each record with the rule that it broke and how, or with neither where it is kept."""
    account = packed.manifest["account"]
    left_out = [(each["record"], rule, each["detail"]) for rule, all_ in account["left_out"].items() for each in all_]
    assert account["read"] == len(packed) + len(left_out)
    assert account["kept"] == len(packed)
    return [(record, None, None) for record in packed.records["record"]] + left_out


def problems_of(packed, root):
    """What is wrong with a set of such files, and with its account."""
    found = outcomes(packed)
    times = Counter(record for record, *_ in found)
    problems = [f"{record!r} is there {count} times" for record, count in times.items() if count > 1]
    ends = {record: (rule, reason) for record, rule, reason in found}
    for path in find_files(root, PATTERNS):
        name = path.relative_to(root).as_posix()
        stem = name.removesuffix(path.suffix)
        of_it = [record for record in ends if record in (name, stem) or record.startswith((f"{name}/", f"{stem}/"))]
        if not of_it or (len(of_it) > 1 and not is_collection(path)):
            problems.append(f"{name!r} is there {len(of_it)} times")
        for rule, reason in map(ends.pop, of_it):
            if rule and (_is_unclear(reason) or (rule in ("unreadable", "missing") and stem not in reason)):
                problems.append(f"{name!r} has an unclear reason: {reason[:300]!r}")
    return problems + [f"{record!r} comes from no file" for record in ends] + _problems_of_facts(packed)


def _is_unclear(reason):
    is_another_each_time = re.search(r"0x[0-9a-f]{9}", reason)
    return len(reason) > LONGEST_REASON or not reason.isprintable() or bool(is_another_each_time)


def _problems_of_facts(packed):
    facts = packed.records
    ages = facts["age"].dropna().tolist() if "age" in facts else []
    sexes = set(facts["sex"].dropna()) if "sex" in facts else set()
    problems = [f"an age of {age!r}" for age in ages if isinstance(age, bool) or not 0 <= age <= 130]
    problems += [f"a sex of {sex!r}" for sex in sexes - {"male", "female"}]
    if CANARY in json.dumps(packed.manifest) + facts.to_json():
        problems.append("a secret is told")
    return problems


def as_one_of(microvolts, ecgs):
    return any(np.abs(microvolts - ecg).max() <= 1 for ecg in ecgs)


def snapshot(folder, *but):
    """What lies below a folder, with sizes and times."""
    paths = (path for path in folder.rglob("*") if path.relative_to(folder).parts[0] not in ("cache", *but))
    return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths}


@pytest.mark.parametrize("number", range(ROUNDS))
def test_files_damaged_at_random_cost_themselves_alone(make_set, ecgs, looked_at, shared_data, tmp_path, number):
    """What a checksum tells is told, beside."""
    valid = seeds(iter(ecgs), tmp_path, shared_data)
    made = list(mutants(valid, np.random.default_rng([SEED, number]), EACH))
    root = tmp_path / "root"
    for kind, files in valid.items():
        write(root / "0" / kind / "x", files)
    for i, mutant in enumerate(made):
        write(root / mutant.format / f"{i:04d}", mutant.files)
    before, begun = snapshot(tmp_path), time.monotonic()
    with little_memory():
        packed = make_set(root, num_workers=2)
    assert time.monotonic() - begun < SECONDS_TO_BEGIN + 0.1 * len(made)
    assert looked_at() == set()
    assert snapshot(tmp_path) == before
    whole = packed.records["record"].str.startswith("0/").to_numpy()
    assert whole.sum() == 29
    problems, known = problems_of(packed, root), packed.microvolts(whole)
    for record, microvolts in zip(packed.records["record"], packed.microvolts(), strict=True):
        kind, mutant = record.split("/")[0], made[int(record.split("/")[1])] if record[0] != "0" else None
        is_told = kind in WITH_CHECKSUMS and not mutant.changed.endswith(".hea")
        if np.abs(microvolts).max() > 6000 or as_one_of(microvolts, [ecgs[39]]):
            problems.append(f"{record} is out of range or comes from outside")
        elif is_told and not as_one_of(microvolts, known):
            problems.append(f"{record} is damaged and kept ({mutant.how})")
    assert problems == [], json.dumps(problems, indent=1)


@pytest.mark.parametrize("attack", ATTACKS)
def test_files_made_to_do_harm_cost_themselves_alone(make_set, ecgs, outside, looked_at, tmp_path, attack):
    """Each beside a good one; what is kept of it must be the ECG that is in it."""
    problems, others = {}, snapshot(tmp_path)
    for i, (name, files) in enumerate(ATTACKS[attack](ecgs[0], outside)):
        root = tmp_path / "root" / str(i)
        write(root / "a" / f"b{i}", files)
        write(root, {"good.asc": text(ecgs[1])})
        try:
            with as_a_reader():
                packed = make_set(root)
        except (Exception, TooLong) as error:
            problems[name] = f"{type(error).__name__}: {str(error)[:200]}"
            continue
        found = problems_of(packed, root)
        if packed.records["record"].iloc[-1] != "good":
            found.append("the good record beside it is lost")
        expected = [ecgs[0], ecgs[0] + 1, ecgs[1]]
        found += [f"{row['record']!r} is not what its file holds" for row in wrong(packed, expected)]
        found += [f"{other} was opened or changed" for other in looked_at()]
        if found:
            problems[name] = found
    assert snapshot(tmp_path, "root") == others
    assert problems == {}, json.dumps(problems, indent=1)


def wrong(packed, expected):
    rows = packed.records.to_dict("records")
    return [
        row for row, microvolts in zip(rows, packed.microvolts(), strict=True) if not as_one_of(microvolts, expected)
    ]


@pytest.mark.full
def test_bombs_cost_little_time_and_memory(make_set, ecgs, tmp_path):
    root = tmp_path / "root"
    write(root, {"good.asc": text(ecgs[1])})
    fuses = bombs()
    for name, files in fuses.items():
        write(root / name, files)
    sparse = ("a.hea", "a.xml", "a.asc", "a.npy", "a.npz", "a.h5", "a.parquet", "a.zip", "a.scp", "a.dcm")
    for name in sparse:
        write(root / "sparse" / name.replace(".", "_"), {name: b""})
        os.truncate(root / "sparse" / name.replace(".", "_") / name, 2**30)
    for name in sparse:
        os.mkfifo(root / name.replace("a.", "pipe."))
    begun = time.monotonic()
    with little_memory():
        packed = make_set(root, num_workers=2, seconds_a_record=sized(1, 2))
    seconds = time.monotonic() - begun
    assert problems_of(packed, root) == []
    assert list(packed.records["record"]) == ["good"]
    assert seconds < SECONDS_TO_BEGIN + 2 * 2 * len(fuses)  # with others, and then alone


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe.asc", b"a\nb.asc", b"a\",'b;.asc", b"a" * 251 + b".asc", b"a" * 252 + b".h5", b"-rf $(x) \x1b[31m.asc"],
)
def test_file_of_any_name_is_accounted_for(make_set, ecgs, tmp_path, name):
    root = tmp_path / "root"
    write(root, {"good.asc": text(ecgs[0])})
    (root / os.fsdecode(name)).write_bytes(text(ecgs[1]))
    assert len(outcomes(make_set(root))) == 2


@pytest.mark.parametrize(
    "files",
    [
        ("a.asc", "a.csv", "a.asc.csv"),
        ("a.npy", "a/0.asc", "good.asc"),
        ("a.zip", "a/0.asc", "good.asc"),
        ("a.asc", "A.asc", "a.ASC"),
    ],
)
def test_files_whose_names_are_alike_are_all_records(make_set, ecgs, tmp_path, files):
    root, ecgs = tmp_path / "root", iter(ecgs)
    for name in files:
        one = next(ecgs)
        content = {".npy": npy(np.stack([one, one + 1])), ".zip": zipped({"0.asc": text(one), "1.asc": text(one + 1)})}
        path = root / name
        write(path.parent, {path.name: content.get(path.suffix, text(one, "," if path.suffix == ".csv" else " "))})
    packed = make_set(root)
    assert len(packed) == len(files) + sum(is_collection(root / name) for name in files)
    assert packed.records["record"].is_unique


def test_header_in_capitals_is_read(make_set, ecgs, tmp_path):
    root = tmp_path / "root"
    write(root, {name.replace(".hea", ".HEA"): content for name, content in challenge_record(ecgs[1]).items()})
    packed = make_set(root)
    assert outcomes(packed) == [("a", None, None)]
    np.testing.assert_array_equal(packed.microvolts([0])[0], ecgs[1])


def test_signals_in_capitals_are_missing_by_the_name_that_the_header_has(make_set, ecgs, tmp_path):
    root = tmp_path / "root"
    write(root, {"good.asc": text(ecgs[0])})
    write(root, {name.upper(): content for name, content in challenge_record(ecgs[1]).items()})
    if (root / "a.mat").exists():
        pytest.skip("names of files that differ in case alone are one here")
    ((rule, reason),) = [found for record, *found in outcomes(make_set(root)) if record == "A"]
    assert rule == "missing"
    assert "A.HEA names the signal file" in reason
    assert "a.mat, which is missing" in reason


def test_links_and_folders_lead_nowhere(make_set, ecgs, outside, looked_at, tmp_path):
    root = tmp_path / "root"
    write(root, {"good.asc": text(ecgs[0]), "hidden.asc": text(ecgs[1]), "RECORDS": b"../outside/a\n/etc/passwd\n"})
    write(root / "deep", {"a.hea": challenge_record(ecgs[2])["a.hea"]})
    (root / "hidden.asc").chmod(0)
    targets = {"a": outside / "secret.asc", "b": "b.asc", "c": "d.asc", "d": "c.asc", "e": "out/secret.asc"}
    targets |= {"f": "/dev/zero", "g": "/proc/self/mem", "h": outside / "passwd"}
    for name, target in targets.items():
        (root / f"{name}.asc").symlink_to(target)
    (root / "deep/a.mat").symlink_to(outside / "a.mat")
    (root / "x.hea").symlink_to(outside / "a.hea")
    (root / "good.json").symlink_to(outside / "passwd")
    (root / "out").symlink_to(outside)
    (root / "up").symlink_to(".")
    for name in ("y.hea", "y.asc", "y.h5", "hidden.json", "ecg.json"):
        (root / name).mkdir()
    with as_a_reader():
        packed = make_set(root)
    assert set(packed.records["record"]) - {"hidden"} == {"good"}  # whoever may not read it, leaves it out
    assert problems_of(packed, root) == []
    assert looked_at() == set()


def test_what_leads_elsewhere_is_looked_at_by_nobody(ecgs, outside, tmp_path):
    """Whatever Python opens, runs or asks for, while all that leads elsewhere is read in one process."""
    root = tmp_path / "root"
    for attack in ("headers", "xml", "arrays", "hdf5", "zips"):
        for i, (_, files) in enumerate(ATTACKS[attack](ecgs[0], outside)):
            write(root / f"{attack}_{i}", files)
    write(root / "links", {"good.asc": text(ecgs[1])})
    (root / "links/a.asc").symlink_to(outside / "secret.asc")
    (root / "links/good.json").symlink_to(outside / "passwd")
    repository = Path(__file__).parents[2]
    command = [sys.executable, "-c", LISTENING, str(root), str(tmp_path / "cache")]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    heard = json.loads(done.stdout.splitlines()[-1])
    of_python = (sys.prefix, sys.base_prefix, repository, "/usr", "/lib", "/proc", "/sys", "/dev/null")
    allowed = tuple(map(str, (root, tmp_path / "cache", f"{tempfile.gettempdir()}/tmp", *of_python)))
    assert str(root / "links/good.asc") in heard["opened"]
    assert [path for path in heard["opened"] if not path.startswith(allowed)] == []
    assert heard["done"] == []


LISTENING = """
import json, os, resource, sys, tempfile
from contextlib import suppress
from ecggan.ecg import ECGFormat
from tests.data.test_hostile import ANYONE, EIGHT_LEADS, PATTERNS, Layout, Path, folder_set, packer

opened, done = set(), set()

def listen(event, args):
    if event == "open" and isinstance(args[0], (str, bytes, os.PathLike)):
        opened.add(os.path.realpath(os.fsdecode(args[0])))
    elif event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "pickle.", "urllib.")):
        done.add(event)

root, cache = map(Path, sys.argv[1:])
packing, layout = packer(ECGFormat(EIGHT_LEADS, 500, 5000, 6.0), cache), Layout(EIGHT_LEADS, 500, "uV")
resource.setrlimit(resource.RLIMIT_AS, (2**33, resource.RLIM_INFINITY))
tempfile.gettempdir()  # which tries the folder with a file of its own, once
sys.addaudithook(listen)
for folder in root.iterdir():
    with suppress(Exception):
        folder_set(folder, packing, ANYONE, PATTERNS, layout, 0.1, 0.1)
print(json.dumps({"opened": sorted(opened), "done": sorted(done)}))
"""
ENDLESS = {
    "a.npz": lambda: zipped({"ecgs.npy": array_file("(20000, 8, 0)")}),
    "a.npy": lambda: array_file("(20000, 8, 0)"),
    "a.h5": lambda: hdf5(lambda file: file.create_dataset("ecg", (20_000, 8, 0), np.int16)),
    "a.parquet": lambda: parquet(record=[f"{i}{'x' * 4000}" for i in range(20_000)], ecg=[[[]]] * 20_000),
    "a.zip": lambda: overlapping(b" " * 2**27, 12),
    "texts.zip": lambda: overlapping(text(np.arange(40_000).reshape(8, 5000)), 1000),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_small_file_that_lists_records_without_end_is_refused_as_one(make_set, ecgs, tmp_path, name):
    root = tmp_path / "root"
    write(root, {"good.asc": text(ecgs[0]), name: ENDLESS[name]()})
    begun = time.monotonic()
    with little_memory():
        packed = make_set(root, num_workers=2)
    assert time.monotonic() - begun < SECONDS_TO_BEGIN
    assert list(packed.records["record"]) == ["good"]
    assert len(outcomes(packed)) < 10


def test_no_copy_is_made_of_a_huge_signal_file(make_set, ecgs, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    root, files = tmp_path / "root", challenge_record(ecgs[0])
    write(root, {**files, "a.hea": files["a.hea"].replace(b"a 8", b"a.mat 8")})  # as some of Georgia's call themselves
    os.truncate(root / "a.mat", 2**29)
    largest, done = [0], threading.Event()

    def look():
        while not done.wait(0.01):
            with suppress(FileNotFoundError):
                sizes = [path.stat().st_blocks * 512 for path in (tmp_path / "tmp").rglob("*") if not path.is_symlink()]
                largest[0] = max(largest[0], *sizes, 0)

    watching = threading.Thread(target=look)
    watching.start()
    packed = make_set(root)
    done.set()
    watching.join()
    assert wrong(packed, [ecgs[0]]) == []
    assert largest[0] < 2**24


NORMAL = {"scp_codes": "{'NORM': 100.0}", "strat_fold": 1, "patient_id": 1.0, "age": 50, "sex": 0}


@pytest.fixture
def problems_of_ptbxl(tmp_path, paper_format, ecgs, looked_at):
    """Makes a set of a good row and another, and says what is wrong with it."""

    def pack(row, files=lambda root: None):
        root = tmp_path / "root"
        shutil.rmtree(root, ignore_errors=True)
        write(root / "records500", {**challenge_record(ecgs[0], "good"), **challenge_record(ecgs[1], "other")})
        files(root)
        rows = [{**NORMAL, "filename_hr": "records500/good"}, {**NORMAL, "filename_hr": "records500/other", **row}]
        pd.DataFrame(rows).to_csv(root / "ptbxl_database.csv", index=False)
        chosen = Selection(None, Statements(["NORM"], 0, None), None, None)
        try:
            with as_a_reader(), little_memory():
                packed = ptbxl_set(root, packer(paper_format, tmp_path / "cache"), chosen)
        except (Exception, TooLong) as error:
            return [f"{type(error).__name__}: {str(error)[:200]}"]
        problems = _problems_of_facts(packed) + [f"{name} was opened" for name in looked_at()]
        problems += [f"{row['record']!r} is not what its file holds" for row in wrong(packed, ecgs[:3])]
        return problems + ["the good record is lost"] * ("records500/good.hea" not in set(packed.records["source"]))

    return pack


def test_ptbxl_database_that_leads_elsewhere_or_says_what_cannot_be_costs_its_rows(problems_of_ptbxl, outside):
    elsewhere = ("../outside/a", f"{outside}/a", "records500/../../outside/a", "file:///etc/passwd")
    rows = [{"filename_hr": name} for name in (*elsewhere, "..", "", "x" * 300, "a\0b")]
    endless = ("[" * 10**4, "-" * 10**5 + "1", "1" + "+1" * 10**4, f"{{'NORM': {'9' * 400}}}")
    rows += [{"scp_codes": code} for code in (*endless, "{'NORM': [1]}", "{1: {}}", "")]
    numbers = ("age", "sex", "patient_id", "strat_fold")
    rows += [{column: number} for column in numbers for number in (-5, 1e308, "inf", "x", 0.5)]
    found = {f"{key}={str(value)[:40]}": problems_of_ptbxl(row) for row in rows for key, value in row.items()}
    assert {row: problems for row, problems in found.items() if problems} == {}


def test_links_of_ptbxl_lead_nowhere(problems_of_ptbxl, outside):
    assert problems_of_ptbxl({"filename_hr": "out/a"}, lambda root: (root / "out").symlink_to(outside)) == []
    assert problems_of_ptbxl({"filename_hr": "a"}, lambda root: (root / "a.hea").symlink_to(outside / "a.hea")) == []


def test_two_files_of_one_name_in_ptbxl_are_two_records(problems_of_ptbxl, ecgs):
    again = challenge_record(ecgs[2], "good")
    assert problems_of_ptbxl({"filename_hr": "again/good"}, lambda root: write(root / "again", again)) == []


def test_hostile_headers_of_a_challenge_cost_themselves_alone(ecgs, outside, looked_at, tmp_path, paper_format):
    root = tmp_path / "root"
    for i, age in enumerate((b"61", b"1e308", b"-5", b"nan", b"9" * 400, b"\xed\xa0\x80")):
        files = challenge_record(ecgs[i], f"r{i}")
        write(root, {**files, f"r{i}.hea": files[f"r{i}.hea"].replace(b"#Age: 61", b"#Age: " + age)})
    write(root, {"giga.hea": f"#Dx: {SINUS}\n".encode(), "RECORDS": b"../outside/a\n"})
    os.truncate(root / "giga.hea", 2**30)
    (root / "link.hea").symlink_to(outside / "a.hea")
    (root / "loop.hea").symlink_to("loop.hea")
    (root / "out").symlink_to(outside)
    write(root / "signals", {"a.hea": challenge_record(ecgs[9])["a.hea"]})
    (root / "signals/a.mat").symlink_to(outside / "a.mat")
    chosen = Selection(None, Statements([SINUS], 0, None), None, None)
    with as_a_reader(), little_memory():
        packed = challenge_set(root, packer(paper_format, tmp_path / "cache"), chosen, 0.1, 0.1)
    assert list(packed.records["record"]) == [f"r{i}" for i in range(6)]
    assert {(record, rule) for record, rule, _ in outcomes(packed) if rule} == {
        ("giga", "unreadable"),
        ("signals/a", "unreadable"),
    }
    assert wrong(packed, ecgs[:6]) + _problems_of_facts(packed) == []
    assert looked_at() == set()


@pytest.mark.parametrize("name", ["pipe.hea", b"\xff.hea"])
def test_challenge_does_not_wait_for_a_pipe_and_knows_any_name(ecgs, tmp_path, paper_format, name):
    root = tmp_path / "root"
    write(root, challenge_record(ecgs[0]))
    if isinstance(name, str):
        os.mkfifo(root / name)
    else:
        (root / os.fsdecode(name)).write_bytes(challenge_record(ecgs[1])["a.hea"])
    chosen = Selection(None, Statements([SINUS], 0, None), None, None)
    with as_a_reader():
        packed = challenge_set(root, packer(paper_format, tmp_path / "cache"), chosen, 0.1, 0.1)
    assert "a" in set(packed.records["record"])


EXAMS = "exam_id,age,is_male,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,normal_ecg,trace_file"


@pytest.fixture
def make_code15(tmp_path, paper_format, known_ecg):
    """Makes a set of one good exam and others of a table, after something was done to its folder."""
    ecgs = select_leads(known_ecg(2, sampling_rate=400, num_samples=4096), EIGHT_LEADS, TWELVE_LEADS).swapaxes(1, 2)

    def pack(change, num_workers=0):
        root = tmp_path / "root"
        root.mkdir()
        rows = [f"{exam},{age},True,,,,,,,{exam},True,{trace}" for exam, age, trace in EXAMS_OF_ALL_KINDS]
        (root / "exams.csv").write_text("\n".join([EXAMS, *rows]))
        content = hdf5(lambda file: file.update({"tracings": ecgs, "exam_id": [10, -3]}), unit="mV")
        (root / "exams_part0.hdf5").write_bytes(content)
        change(root)
        packing = packer(paper_format, tmp_path / "cache", num_workers=num_workers)
        chosen = Selection(None, Statements(["normal_ecg"], 0, None), None, None)
        return code15_set(root, packing, chosen, "mV", 0.1, 0.1)

    return pack


EXAMS_OF_ALL_KINDS = ((10, 40, ""), (11, 40, "../outside/exams.h5"), (12, "1e308", "/etc/passwd"), (-3, -5, "x"))


def _part(path, **numbers):
    with h5py.File(path, "w") as file:
        file["tracings"] = np.ones((2, 4096, 12), np.float32)
        file.create_dataset("exam_id", (2,), np.int64, **numbers)


def _virtual_part(path, source):
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((2,), np.int64)
        layout[:] = h5py.VirtualSource(str(source), "exam_id", (2,))
        file.create_virtual_dataset("exam_id", layout)


@pytest.mark.parametrize(
    "change",
    [
        lambda part, outside: None,
        lambda part, outside: part.symlink_to(outside / "exams.h5"),
        lambda part, outside: _part(part, external=[(str(outside / "exam_id.raw"), 0, 16)]),
        lambda part, outside: _virtual_part(part, outside / "exams.h5"),
        lambda part, outside: part.touch() or os.truncate(part, 2**30),
    ],
    ids=["nothing", "link", "external storage", "virtual dataset", "gigabyte"],
)
def test_parts_of_code15_lead_nowhere(make_code15, outside, looked_at, change):
    with as_a_reader(), little_memory():
        packed = make_code15(lambda root: change(root / "exams_part1.hdf5", outside))
    assert list(packed.records["record"]) == ["10", "-3"]
    assert _problems_of_facts(packed) == []
    assert looked_at() == set()


def test_code15_does_not_wait_for_a_pipe(make_code15):
    begun = time.monotonic()
    packed = make_code15(lambda root: os.mkfifo(root / "exams_part1.hdf5"), num_workers=2)
    assert time.monotonic() - begun < SECONDS_TO_BEGIN + 2 * MOST_SECONDS_A_FILE
    assert ("exams_part1", "missing") in {(record, rule) for record, rule, _ in outcomes(packed)}


def test_table_of_code15_that_is_no_text_is_named(make_code15):
    with pytest.raises(ValueError, match=r"exams\.csv"):
        make_code15(lambda root: (root / "exams.csv").write_bytes(b"\xff\xfe\0"))
