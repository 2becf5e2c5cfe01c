"""The files of a published data set, downloaded several at once, each checked by its published SHA-256.

A file gets its name once its SHA-256 is right, so every file under its name is whole; a download that was interrupted
fetches only the files that are missing. No file leaves the folder.
"""

import errno
import logging
import re
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

from filelock import FileLock, Timeout
from tqdm import tqdm

from ecggan import checks
from ecggan.data.sources.http_file import FailedError, Server, StoppedError, UnreachableError, session
from ecggan.files.checksums import VerifiedFiles, is_name_within, read_sums
from ecggan.files.path_safety import leads_out_of

log = logging.getLogger(__name__)

SUMS = "SHA256SUMS.txt"
_GIVE_UP_AFTER = 10  # files in a row that could not be fetched, all retries used up: the server is down
_UNTIL_THREADS_END_S = 1.0


@dataclass(frozen=True)
class Download:
    """Where to download a data set from.

    Args:
        url: a folder on the web that holds SHA256SUMS.txt and the files listed there; a mirror will do.
        connections: files that are fetched at once.
        retries: of a file, after the first try, if the connection breaks or the server is busy.
        timeout_s: how long the server may be silent.
        pause_s: before the second retry, twice as long before each further one, or as long as the server asks for.
    """

    url: str
    connections: int = 4
    retries: int = 5
    timeout_s: float = 30.0
    pause_s: float = 1.0

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/]", str(self.url)):
            raise ValueError(f"data.url must be a folder on the web, https://…; got {self.url!r}")
        checks.whole_number("data.connections", self.connections, at_least=1, at_most=32)
        checks.whole_number("retries", self.retries, at_least=0)
        checks.positive("timeout_s", self.timeout_s)
        checks.number("pause_s", self.pause_s, at_least=0)

    def fetch(self, names: Iterable[str], root: str | Path) -> None:
        """Download the files that are missing in a folder or have not their published SHA-256.

        Several processes may do this in one folder: one downloads, the others wait for it.

        Args:
            names: relative to `root` and to the URL, e.g. ``records500/00000/00001_hr.dat``.
            root: the folder; it is made if it is missing.

        Raises:
            ValueError: a name leads out of the folder or has no published sum, or the sums are damaged.
            ConnectionError: not all files could be fetched; the others are kept.
            OSError: the disk is full, or the folder cannot be written to; the files that came are kept.
        """
        root = Path(root).expanduser()
        try:
            root.mkdir(parents=True, exist_ok=True)
            with _alone_in(root):
                if not (root / SUMS).is_file():
                    self._fetch({SUMS: None}, root)
                self._fetch(_published(names, root), root)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise OSError(
                    f"no space left on the disk of {root}; what came is kept: free some and run the same command again"
                ) from error
            raise

    def _fetch(self, sums: Mapping[str, str | None], root: Path) -> None:
        verified = VerifiedFiles(root)
        wanted = {name: sha256 for name, sha256 in sums.items() if sha256 is None or not verified.has(name, sha256)}
        failed: dict[str, Exception] = {}
        in_a_row = 0
        with closing(self._outcomes(wanted, root)) as outcomes:  # its threads end with it
            for name, problem in outcomes:
                sha256 = wanted[name]
                if isinstance(problem, FailedError):
                    failed[name] = problem
                    in_a_row = in_a_row + 1 if isinstance(problem, UnreachableError) else 0
                elif problem is not None:
                    raise problem
                else:
                    in_a_row = 0
                    if sha256 is not None:
                        verified.add(name, sha256)
                if in_a_row == _GIVE_UP_AFTER:
                    break
        if failed:
            name, reason = next(iter(failed.items()))
            given_up = f", and it was given up after {in_a_row} in a row" if in_a_row == _GIVE_UP_AFTER else ""
            raise ConnectionError(
                f"{len(failed)} of {len(wanted)} files of {self.url} could not be fetched{given_up}; "
                f"the first, {name}: {reason}. What came is kept in {root}: run the same command again to resume"
            )

    def _outcomes(self, wanted: Mapping[str, str | None], root: Path) -> Generator[tuple[str, Exception | None]]:
        """Each file's name when it is there, with None or the reason why it is not; closing this stops the threads."""
        names: SimpleQueue[str] = SimpleQueue()
        for name in wanted:
            names.put(name)
        outcomes: SimpleQueue[tuple[str, Exception | None]] = SimpleQueue()
        stop = Event()

        def work(server: Server) -> None:
            while not stop.is_set():
                try:
                    name = names.get_nowait()
                except Empty:
                    return
                try:
                    server.fetch(name, root, wanted[name])
                    outcomes.put((name, None))
                except StoppedError:
                    return
                except Exception as error:  # the caller decides
                    outcomes.put((name, error))

        # daemons, so that a silent server does not keep the process from ending
        threads: list[Thread] = []
        try:
            with session(self.connections, self.retries, self.pause_s) as opened:
                server = Server(f"{self.url.rstrip('/')}/", opened, self.retries, self.timeout_s, stop)
                for _ in range(min(self.connections, len(wanted))):
                    threads.append(Thread(target=work, args=[server], daemon=True))
                    threads[-1].start()
                for _ in tqdm(wanted, desc="downloading", unit="file", disable=None):
                    yield outcomes.get()
        finally:
            stop.set()
            until = time.monotonic() + _UNTIL_THREADS_END_S
            for thread in threads:
                with suppress(RuntimeError):  # Ctrl-C may come before it is started
                    thread.join(max(0.0, until - time.monotonic()))


def download_if(wanted: bool, url: str, connections: int) -> Download | None:
    """A download, or None; for a configuration that switches it on and off."""
    return Download(url, connections) if wanted else None


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    lock = FileLock(root / ".ecggan-download.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.info("another process downloads into %s; waiting for it", root)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _published(names: Iterable[str], root: Path) -> dict[str, str | None]:
    """The published SHA-256 of each name, after the check that none leads out of the folder."""
    published = read_sums(root / SUMS)
    chosen: dict[str, str | None] = {}
    for name in names:
        if not is_name_within(name) or leads_out_of(root / name, root):
            raise ValueError(f"{name!r} leads out of {root}; nothing is fetched for it")
        if name not in published:
            raise ValueError(
                f"{name} has no checksum in {root / SUMS}, and so is not fetched; if that file is of another version, "
                "delete it"
            )
        chosen[name] = published[name]
    return chosen
