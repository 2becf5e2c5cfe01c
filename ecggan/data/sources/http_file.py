"""One file over HTTP, written under its name once its SHA-256 is right. The only door to requests and urllib3.

requests keeps connections between files, for a TLS handshake takes longer than a file of 120 kB; urllib3 repeats a
request where the connection fails or the server is busy, and waits as long as it asks for. The server is not trusted:
what it sends has a size limit, and gets the file's name only with the published checksum.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from ecggan.files.atomic import atomic_file
from ecggan.files.checksums import read_sums, sha256_of

log = logging.getLogger(__name__)

# bytes; PTB-XL's headers have 1 kB, its signals 120 kB, its tables 6 MB
SIZE_LIMITS = {".hea": 2**20, ".dat": 2**26, ".csv": 2**28, ".txt": 2**28}
_BUSY = (429, 500, 502, 503, 504)
_LONGEST_WAIT_S = 120  # whatever Retry-After says
_MOST_REDIRECTS = 5
_CHUNK = 2**16


class FailedError(Exception):
    """The file cannot be fetched, and another try would not help."""


class UnreachableError(FailedError):
    """The server does not answer, or breaks off; all retries are used up."""


class StoppedError(Exception):
    """The download was stopped."""


class _WrongContentError(Exception):
    """A whole file came, and it is not the published one."""


@dataclass(frozen=True)
class Server:
    """A folder on the web, asked over connections that several threads may share.

    Args:
        url: of the folder.
        session: of [session][].
        retries: of a file, after the first try.
        timeout_s: how long the server may be silent.
        stop: set it to end what is in progress.
    """

    url: str
    session: requests.Session
    retries: int
    timeout_s: float
    stop: Event

    def fetch(self, name: str, root: Path, sha256: str | None) -> None:
        """Have a file in a folder; a right one that is there is not fetched.

        Args:
            name: relative to the URL and to `root`.
            root: the folder.
            sha256: the published one; None for ``SHA256SUMS.txt`` itself, which must be readable.

        Raises:
            FailedError: it cannot be had.
            StoppedError: `stop` was set.
        """
        path = root / name
        if path.is_file():
            if not _problem(path, sha256):
                return
            log.warning("%s has not the published checksum and is fetched again", path)
        num_broken = num_wrong = 0
        while True:
            try:
                with atomic_file(path) as unfinished:
                    self._receive(name, unfinished)
                    problem = _problem(unfinished, sha256)
                    if problem:
                        raise _WrongContentError(problem)
                return
            except _WrongContentError as error:
                num_wrong += 1
                if num_wrong == 2:
                    raise FailedError(str(error)) from error
                log.warning("%s: %s; it is fetched once more", self.url + name, error)
            except (requests.RequestException, HTTPError) as error:
                num_broken += 1
                if num_broken > self.retries:
                    raise UnreachableError(f"{_innermost(error)} (tried {num_broken} times)") from error

    def _receive(self, name: str, path: Path) -> None:
        limit = SIZE_LIMITS.get(Path(name).suffix, 2**26)
        with self._answer(name) as response, open(path, "wb") as file:
            size = 0
            for chunk in response.iter_content(_CHUNK):
                if self.stop.is_set():
                    raise StoppedError
                size += len(chunk)
                if size > limit:
                    raise FailedError(f"it is larger than the {limit:,} bytes that a {Path(name).suffix} file may have")
                file.write(chunk)

    @contextmanager
    def _answer(self, name: str) -> Iterator[requests.Response]:
        try:
            response = self.session.get(self.url + quote(name), stream=True, timeout=self.timeout_s)
        except (requests.RequestException, HTTPError) as error:  # urllib3 has used up the retries
            kind = FailedError if isinstance(error, requests.TooManyRedirects) else UnreachableError
            raise kind(_innermost(error)) from error
        with response:
            if self.url.startswith("https:") and not response.url.startswith("https:"):
                raise FailedError(f"the server points to {response.url}, which is not encrypted")
            if response.status_code != 200:
                raise FailedError(f"the server answered {response.status_code} {response.reason}")
            yield response


@contextmanager
def session(connections: int, retries: int, pause_s: float) -> Iterator[requests.Session]:
    """Connections that are kept between files.

    Args:
        connections: how many.
        retries: of a request that gets no answer, or one of a busy server (429, 500, 502, 503, 504).
        pause_s: before the second retry, twice as long before each further one; a server's Retry-After goes first.
    """
    retry = Retry(
        retries,
        redirect=False,  # requests follows redirects itself
        status_forcelist=_BUSY,
        backoff_factor=pause_s,
        backoff_jitter=pause_s / 2,
        backoff_max=_LONGEST_WAIT_S,
        retry_after_max=_LONGEST_WAIT_S,
    )
    with requests.Session() as opened:
        for scheme in ("https://", "http://"):
            opened.mount(scheme, HTTPAdapter(pool_maxsize=connections, max_retries=retry))
        opened.max_redirects = _MOST_REDIRECTS
        opened.headers["Accept-Encoding"] = "identity"  # the checksum is of the bytes as they are stored
        yield opened


def _problem(path: Path, sha256: str | None) -> str:
    """What is wrong with a file; empty if nothing is."""
    if sha256 is None:
        try:
            read_sums(path)
        except ValueError as error:
            return str(error).removeprefix(f"{path}, ")
        return ""
    found = sha256_of(path)
    return "" if found == sha256 else f"what came has the SHA-256 {found[:12]}…, not {sha256[:12]}…"


def _innermost(error: Exception) -> str:
    """The cause at the end of the chain, without the pools and adapters above it."""
    while isinstance(error.__context__, Exception):
        error = error.__context__
    return f"{type(error).__name__}: {error}"[:200]
