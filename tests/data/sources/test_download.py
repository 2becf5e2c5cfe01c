import errno
import multiprocessing
import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ecggan.data.sources import transfer
from ecggan.data.sources.download import Download
from ecggan.files.checksums import read_sums
from tests.data.file_server import FileServer

NAMES = [f"records500/00000/{i:05d}_hr{suffix}" for i in range(1, 5) for suffix in (".hea", ".dat")]
SIGNALS = NAMES[1]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server():
    rng = random.Random(0)
    files = {name: rng.randbytes(120_000 if name.endswith(".dat") else 700) for name in NAMES}
    with FileServer(files).running() as running:
        running.publish_sums()
        yield running


@pytest.fixture
def fetch(server, tmp_path):
    def run(names=NAMES, root=tmp_path / "data", **changes):
        patience = {"retries": 3, "timeout_s": 5.0, "pause_s": 0.01, **changes}
        Download(server.url, **patience).fetch(names, root)
        return root

    return run


def assert_whole(root, server, names=NAMES):
    for name in names:
        assert (root / name).read_bytes() == server.files[name], name
    assert not list(root.rglob("*.part"))


def test_all_files_come_and_are_not_asked_for_again(fetch, server):
    root = fetch()
    assert_whole(root, server)
    assert sorted(server.names_asked()) == sorted(["SHA256SUMS.txt", *NAMES])
    fetch()
    assert len(server.asked) == len(NAMES) + 1


def test_files_that_were_there_are_checked_once_and_kept(fetch, server, tmp_path):
    path = tmp_path / "data" / SIGNALS
    path.parent.mkdir(parents=True)
    path.write_bytes(server.files[SIGNALS])
    assert_whole(fetch(), server)
    assert SIGNALS not in server.names_asked()


def test_a_file_that_was_damaged_since_is_fetched_again(fetch, server):
    root = fetch()
    time.sleep(0.01)
    (root / SIGNALS).write_bytes(b"something else")
    assert_whole(fetch(), server)
    assert server.names_asked().count(SIGNALS) == 2


def test_only_what_is_missing_is_asked_for_after_a_cut(fetch, server):
    rng = random.Random(1)
    for name in NAMES:
        server.faults[name] = [{"cut": rng.randrange(1, len(server.files[name]) // 3)} for _ in range(3)]
    assert_whole(fetch(), server)
    assert len(server.asked) == 4 * len(NAMES) + 1
    for name in NAMES:
        # a byte that was sent may be lost with the connection, but nothing is fetched from the beginning again
        assert server.sent[name] < 1.5 * len(server.files[name])


def test_a_server_without_ranges_sends_all_again(fetch, server):
    server.ranges = False
    server.faults[SIGNALS] = [{"cut": 50_000}]
    assert_whole(fetch(), server)


def test_a_server_that_sends_another_range_is_not_believed(fetch, server):
    wrong = {"status": 206, "Content-Range": "bytes 7-70/71"}
    server.faults[SIGNALS] = [{"cut": 50_000}, wrong]
    assert_whole(fetch(), server)


def test_a_wrong_checksum_once_is_mended(fetch, server, caplog):
    server.faults[SIGNALS] = [{"body": b"x" * 1000}]
    assert_whole(fetch(), server)
    assert "fetched once more" in caplog.text


def test_a_file_that_stays_wrong_is_refused_and_the_others_are_kept(fetch, server, tmp_path):
    server.faults[SIGNALS] = [{"body": b"x" * 1000}, {"body": b"y" * 1000}]
    with pytest.raises(ConnectionError, match=rf"1 of 8 files .* {SIGNALS}: what came has the SHA-256"):
        fetch()
    root = tmp_path / "data"
    assert not (root / SIGNALS).exists()
    assert_whole(root, server, [name for name in NAMES if name != SIGNALS])
    fetch()
    assert_whole(root, server)


def test_404_is_not_tried_again(fetch, server):
    del server.files[SIGNALS]
    with pytest.raises(ConnectionError, match=rf"{SIGNALS}: the server answered 404 .*run the same command again"):
        fetch()
    assert server.names_asked().count(SIGNALS) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_busy_server_is_given_the_time_it_asks_for(fetch, server, form):
    when = "1" if form == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.faults[SIGNALS] = [{"status": 503, "Retry-After": when}]
    began = time.monotonic()
    assert_whole(fetch(), server)
    assert time.monotonic() - began > 0.9


def test_a_server_that_is_down_is_given_up_soon(fetch, server):
    server.publish_sums()
    more = {f"records500/01000/{i:05d}_hr.hea": b"h" for i in range(40)}
    server.files |= more
    server.publish_sums()
    fetch(NAMES)
    server.faults["*"] = [{"status": 503}]
    with pytest.raises(ConnectionError, match="given up after 10 in a row"):
        fetch(list(more), retries=1)
    assert len(server.asked) < len(NAMES) + 1 + 2 * 20


def test_a_silent_server_is_asked_again_for_the_rest(fetch, server):
    server.faults[SIGNALS] = [{"stall": 3.0}]
    began = time.monotonic()
    assert_whole(fetch(timeout_s=0.5), server)
    assert time.monotonic() - began < 3
    assert server.asked[-1] == (SIGNALS, "bytes=60000-")


def test_a_server_that_trickles_counts_as_silent(fetch, server):
    server.faults[SIGNALS] = [{"trickle": 40}] * 2
    with pytest.raises(ConnectionError, match=r"the server sent \d+ bytes in 0.5 s"):
        fetch(timeout_s=0.5, retries=1)


@pytest.mark.parametrize("where", ["header", "stream"])
def test_an_endless_file_is_refused(fetch, server, where, monkeypatch):
    monkeypatch.setitem(transfer.LIMITS, ".hea", 1000)
    server.faults[NAMES[0]] = [{"body": b"x" * 5000}]
    if where == "stream":  # no length is declared, and the connection stays open
        server.faults[NAMES[0]] = [{"body": b"x" * 5000, "stall": 0.0}]
    with pytest.raises(ConnectionError, match=r"larger than the 1,000 bytes that a \.hea file may have"):
        fetch()


def test_a_redirect_to_itself_is_refused(fetch, server):
    server.faults[SIGNALS] = [{"status": 302, "Location": SIGNALS.rpartition("/")[2]}] * 20
    with pytest.raises(ConnectionError, match="redirects"):
        fetch()


def test_a_full_disk_ends_the_run_and_what_came_is_kept(fetch, server, tmp_path, monkeypatch):
    real_write = transfer.Transfer._write

    def full(self, stream, have):
        if self.path.name == "00004_hr.dat":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(self, stream, have)

    monkeypatch.setattr(transfer.Transfer, "_write", full)
    with pytest.raises(OSError, match=r"no space left on the disk of .*run the same command again"):
        fetch(connections=1)
    monkeypatch.undo()
    assert_whole(fetch(), server)
    assert server.names_asked().count(SIGNALS) == 1


def _download(url, root):
    Download(url).fetch(NAMES, root)


def test_a_killed_download_goes_on_where_it_was(fetch, server, tmp_path):
    server.faults[SIGNALS] = [{"stall": 60.0}]
    process = multiprocessing.get_context("spawn").Process(target=_download, args=(server.url, tmp_path / "data"))
    process.start()
    part = tmp_path / "data" / f"{SIGNALS}.part"
    until = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size >= 60_000 and len(server.asked) > len(NAMES)):
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert_whole(fetch(), server)
    assert server.asked[-1] == (SIGNALS, "bytes=60000-") or ("bytes=60000-" in [range_ for _, range_ in server.asked])


def test_two_processes_fetch_each_file_once(server, tmp_path):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_download, args=(server.url, tmp_path / "data")) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert_whole(tmp_path / "data", server)
    assert sorted(server.names_asked()) == sorted(["SHA256SUMS.txt", *NAMES])


def test_a_sum_of_a_file_outside_is_refused(fetch, server, tmp_path):
    server.files["SHA256SUMS.txt"] += f"{'0' * 64} ../../evil.txt\n".encode()
    with pytest.raises(ConnectionError, match="lies outside the folder"):
        fetch()
    assert not (tmp_path / "evil.txt").exists()


@pytest.mark.parametrize("name", ["../evil.dat", "/etc/passwd", "a/./b.dat", "a\\b.dat", "https://x/y.dat", ""])
def test_a_name_that_leads_out_is_not_fetched(fetch, server, name):
    with pytest.raises(ValueError, match="leads out of"):
        fetch([name])
    assert server.names_asked() == ["SHA256SUMS.txt"]


def test_a_link_out_of_the_folder_is_not_followed(fetch, server, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/records500").symlink_to(elsewhere)
    with pytest.raises(ValueError, match="leads out of"):
        fetch()
    assert not list(elsewhere.iterdir())


def test_a_name_without_a_sum_is_not_fetched(fetch):
    with pytest.raises(ValueError, match=r"other\.dat has no checksum .* of another version, delete it"):
        fetch(["other.dat"])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("no sum", "line 1: 'no sum' is no SHA-256 with a name"),
        (f"{'0' * 64} a\n{'1' * 64} ./a\n", "'a' is there twice"),
        ("", "is empty"),
    ],
)
def test_damaged_sums_are_refused(tmp_path, text, match):
    path = tmp_path / "SHA256SUMS.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        read_sums(path)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"url": "ftp://x/y"}, "data.url"),
        ({"connections": 0}, "data.connections"),
        ({"connections": 99}, "data.connections"),
        ({"retries": -1}, "retries"),
    ],
)
def test_wrong_settings_are_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        Download(**{"url": "https://physionet.org/files/ptb-xl/1.0.3/", **changes})
