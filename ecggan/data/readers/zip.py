"""A ``.zip`` of text files, a record each, as the DeepFake ECGs are published. Nothing is unpacked to the disk."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ecggan.data.readers.collection import MOST_RECORDS
from ecggan.data.readers.text import TEXT_SUFFIXES, check_text_size, parse_text
from ecggan.data.record import Layout, Record

_MOST_COMPRESSION = 100  # largest compression ratio; that of numbers is about 5


@dataclass(frozen=True)
class _Zip:
    path: Path
    archive: zipfile.ZipFile
    layout: Layout
    members: list[zipfile.ZipInfo]
    names: list[str]

    def read(self, position: int, leads: Sequence[str]) -> Record:
        member = self.members[position]
        where = self.path / member.filename
        check_text_size(where, member.file_size)  # before it is inflated
        return parse_text(self.archive.read(member), self.layout, where, leads)


def open_zip(path: Path, layout: Layout) -> _Zip:
    """Open an archive and list its text files; other files are ignored.

    Raises:
        ValueError: it is damaged or holds no text file.
    """
    archive = zipfile.ZipFile(path)
    members = [info for info in archive.infolist() if _is_text(PurePosixPath(info.filename))]
    if not members:
        raise ValueError(f"{path} holds no file that ends in {', '.join(TEXT_SUFFIXES)}")
    if len(members) > MOST_RECORDS:
        raise ValueError(f"{path} holds {len(members):,} text files; one archive may hold {MOST_RECORDS:,}")
    if sum(info.compress_size for info in archive.infolist()) > path.stat().st_size:
        raise ValueError(f"{path} lists more bytes than it has: its files overlap")
    folded = next((info for info in members if info.file_size > _MOST_COMPRESSION * max(info.compress_size, 1)), None)
    if folded is not None:
        raise ValueError(
            f"{path} holds {folded.filename[:60]!r}, which grows from {folded.compress_size:,} to {folded.file_size:,} "
            "bytes; no text of an ECG does"
        )
    names = [str(PurePosixPath(info.filename).with_suffix("")) for info in members]
    return _Zip(path, archive, layout, members, names)


def _is_text(member: PurePosixPath) -> bool:
    # not hidden files such as __MACOSX/._00001.asc
    return member.suffix.lower() in TEXT_SUFFIXES and not member.name.startswith(".")
