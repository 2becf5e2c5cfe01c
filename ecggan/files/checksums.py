"""The checksums that a data set publishes, and which files of a folder are known to have theirs."""

import hashlib
import json
import re
from pathlib import Path

_LINE = re.compile(r"([0-9a-fA-F]{64})\s+\*?(.+)")
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\\:]")


def is_name_within(name: str) -> bool:
    """Whether a relative path stays in its folder on every system.

    >>> is_name_within("records500/00000/00001_hr.dat"), is_name_within("a/../../b"), is_name_within("/etc/passwd")
    (True, False, False)
    """
    return not _NOT_IN_A_NAME.search(name) and not {"", ".", ".."} & set(name.split("/"))


def read_sums(path: str | Path) -> dict[str, str]:
    """A file as sha256sum writes it (``SHA256SUMS.txt``), as the SHA-256 of each name.

    Raises:
        ValueError: a line is no checksum with a name, names a file outside the folder, or contradicts another.
    """
    sums: dict[str, str] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        found = _LINE.fullmatch(line.strip())
        if not found:
            raise ValueError(f"{path}, line {number}: {line[:80]!r} is no SHA-256 with a name; delete the file")
        sha256, name = found[1].lower(), found[2].removeprefix("./")
        if not is_name_within(name):
            raise ValueError(f"{path}, line {number}: {name[:80]!r} lies outside the folder; do not trust this source")
        if sums.setdefault(name, sha256) != sha256:
            raise ValueError(f"{path}, line {number}: {name!r} is there twice with different sums; delete the file")
    if not sums:
        raise ValueError(f"{path} is empty; delete it")
    return sums


def sha256_of(path: str | Path) -> str:
    """The hash of a file, read once."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class VerifiedFiles:
    """Remembers whose checksum was found right, so that a folder of 10,000 files is not read again at each run.

    A line a file is appended to ``.ecggan-verified.jsonl``; a file of another size or time than noted is unknown, as is
    one whose line was cut by a kill.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".ecggan-verified.jsonl"
        self._stamps: dict[str, list[object]] = {}
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.is_file() else ""
        self._is_cut = not text.endswith("\n") and bool(text)
        for line in text.splitlines():
            try:
                noted = json.loads(line)
                self._stamps[noted["name"]] = [noted["sha256"], noted["size"], noted["mtime_ns"]]
            except (ValueError, TypeError, KeyError):
                continue

    def has(self, name: str, sha256: str) -> bool:
        """Whether the file is there as it was when it had this checksum."""
        return name in self._stamps and self._stamps[name] == self.file_stamp(name, sha256)

    def add(self, name: str, sha256: str) -> None:
        stamp = self.file_stamp(name, sha256)
        if stamp is None:
            raise FileNotFoundError(f"{self.root / name} was removed by someone else; run the same command again")
        self._stamps[name] = stamp
        line = json.dumps({"name": name, **dict(zip(("sha256", "size", "mtime_ns"), stamp, strict=True))})
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(("\n" if self._is_cut else "") + line + "\n")
        self._is_cut = False

    def file_stamp(self, name: str, sha256: str) -> list[object] | None:
        try:
            status = (self.root / name).stat()
        except OSError:
            return None
        return [sha256, status.st_size, status.st_mtime_ns]
