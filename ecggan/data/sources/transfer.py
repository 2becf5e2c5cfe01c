"""One file over HTTP: as many requests as it takes, each for what is still missing. The only door to requests.

The server is not trusted: what it sends has a limit, and gets the file's name only with the published checksum.
"""

import logging
import math
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import HTTPError

from ecggan.files.checksums import read_sums, sha256_of

log = logging.getLogger(__name__)

# The largest that is believed, in bytes: PTB-XL's headers have 1 kB, its signals 120 kB, its tables 6 MB.
LIMITS = {".hea": 2**20, ".dat": 2**26, ".csv": 2**28, ".txt": 2**28}
_WORTH_ANOTHER_TRY = {429, 500, 502, 503, 504}
_LONGEST_WAIT_S = 120.0  # whatever Retry-After says
_SLOWEST = 100  # bytes/s; less counts as stalled
_CHUNK = 2**16


class FailedError(Exception):
    """The file cannot be had, and trying again now will not help."""


class UnreachableError(FailedError):
    """… for the server does not answer."""


class _InterruptedError(Exception):
    """The file cannot be had now, perhaps in a while."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class StoppedError(Exception):
    """The run ends, and so does this thread."""


@dataclass(frozen=True)
class Server:
    """Who is asked, and how patiently; see [Download][ecggan.data.sources.download.Download]."""

    url: str
    retries: int
    timeout_s: float
    pause_s: float


def open_session() -> requests.Session:
    """Connections that are kept between files; for one thread."""
    session = requests.Session()
    session.max_redirects = 5
    return session


def part_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


class Transfer:
    """One file on its way: as many requests as it takes, each for what is still missing."""

    def __init__(
        self, server: Server, session: requests.Session, root: Path, name: str, sha256: str | None, stop: Event
    ) -> None:
        self.server, self.session, self.sha256, self.stop = server, session, sha256, stop
        self.url = f"{server.url.rstrip('/')}/{quote(name)}"
        self.path, self.part = root / name, part_of(root / name)
        self.limit = LIMITS.get(self.path.suffix, 2**26)
        # of the server's file; not needed over runs, for the sum tells whether the parts belong together
        self.validator: str | None = None

    def run(self) -> None:
        if self.path.is_file():
            if not self._fault(self.path):
                return
            log.warning("%s has not the published checksum and is fetched again", self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        num_breaks, was_wrong = 0, False
        while True:
            try:
                self._receive()
            except _InterruptedError as error:
                num_breaks += 1
                if num_breaks > self.server.retries:
                    raise UnreachableError(f"{error} (tried {num_breaks} times)") from error
                pause_s = self.server.pause_s * 2 ** (num_breaks - 1) * random.uniform(0.5, 1)
                if self.stop.wait(min(max(pause_s, error.wait_s), _LONGEST_WAIT_S)):
                    raise StoppedError from error
                continue
            fault = self._fault(self.part)
            if not fault:
                self.part.replace(self.path)
                return
            self.part.unlink()
            if was_wrong:
                raise FailedError(fault)
            log.warning("%s: %s; it is fetched once more", self.url, fault)
            was_wrong = True

    def _fault(self, path: Path) -> str:
        """What is wrong with a file, in words; empty where nothing is."""
        if self.sha256 is None:  # the sums themselves
            try:
                read_sums(path)
            except ValueError as error:
                return str(error)
            return ""
        found = sha256_of(path)
        return "" if found == self.sha256 else f"what came has the SHA-256 {found[:12]}…, not {self.sha256[:12]}…"

    def _receive(self) -> None:
        """Ask for what the part lacks, and write what comes."""
        have = self.part.stat().st_size if self.part.is_file() else 0
        headers = {"Accept-Encoding": "identity"}  # the sum is of the bytes as they lie there
        if have:
            headers["Range"] = f"bytes={have}-"
            if self.validator:
                headers["If-Range"] = self.validator
        try:
            with self.session.get(self.url, headers=headers, stream=True, timeout=self.server.timeout_s) as response:
                if response.status_code == 416 and have:
                    return  # all was there already, or too much: the sum tells
                have = self._accept(response, have)
                self._write(response.raw, have)
        except requests.TooManyRedirects as error:
            raise FailedError(str(error)) from error
        except (requests.RequestException, HTTPError) as error:
            raise _InterruptedError(_in_short(error)) from error

    def _accept(self, response: requests.Response, have: int) -> int:
        """How many bytes of the part this answer goes on from."""
        status = response.status_code
        if status in _WORTH_ANOTHER_TRY:
            raise _InterruptedError(f"the server answered {status} {response.reason}", _retry_after_s(response))
        if self.url.startswith("https:") and not response.url.startswith("https:"):
            raise FailedError(f"the server points to {response.url}, which is not encrypted")
        if status == 206 and have:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                self.part.unlink()
                raise _InterruptedError(f"the server sent another range than from byte {have} on")
        elif status == 200:
            have = 0
        else:
            raise FailedError(f"the server answered {status} {response.reason}")
        declared = response.headers.get("Content-Length", "0")
        if have + (int(declared) if declared.isdecimal() else 0) > self.limit:
            raise FailedError(f"it is larger than the {self.limit:,} bytes that a {self.path.suffix} file may have")
        etag = response.headers.get("ETag", "W/")
        self.validator = response.headers.get("Last-Modified") if etag.startswith("W/") else etag
        return have

    def _write(self, stream: Any, have: int) -> None:
        since, lately = time.monotonic(), 0
        with open(self.part, "ab" if have else "wb") as file:
            while data := stream.read1(_CHUNK):
                if self.stop.is_set():
                    raise StoppedError
                have += len(data)
                if have > self.limit:
                    break
                file.write(data)
                lately += len(data)
                if time.monotonic() - since > self.server.timeout_s:
                    if lately < _SLOWEST * self.server.timeout_s:
                        raise _InterruptedError(f"the server sent {lately} bytes in {self.server.timeout_s:g} s")
                    since, lately = time.monotonic(), 0
        if have > self.limit:
            self.part.unlink()
            raise FailedError(f"it is larger than the {self.limit:,} bytes that a {self.path.suffix} file may have")


def _retry_after_s(response: requests.Response) -> float:
    """The wait that a busy server asks for, in seconds or as a date; 0 where it says nothing that we understand."""
    said = response.headers.get("Retry-After", "")
    try:
        wait_s = float(said) if said[:1].isdecimal() else _until_s(said)
    except (ValueError, TypeError):
        return 0.0
    return wait_s if math.isfinite(wait_s) else 0.0


def _until_s(date: str) -> float:
    when = parsedate_to_datetime(date)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()


def _in_short(error: Exception) -> str:
    """The end of the chain, which says what happened, without the pools and adapters above it."""
    while isinstance(error.__context__, Exception):
        error = error.__context__
    return f"{type(error).__name__}: {error}"[:200]
