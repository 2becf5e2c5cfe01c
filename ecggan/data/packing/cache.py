"""The cache of packed sets: filled once, resumed after an interruption, opened quickly."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ecggan.data.packing.outcomes import NothingUsableError
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.files.atomic import atomic_folder


@contextmanager
def being_filled(folder: Path, is_locked: bool) -> Iterator[Path]:
    """A folder to fill, which becomes `folder` at the end; what was begun before is in it."""
    if not is_locked:  # on a disk that knows no locks each process packs for itself, and the first is taken
        with suppress(FileExistsError), atomic_folder(folder) as content:
            yield content
        return
    content = folder.with_name(f".{folder.name}.unfinished")
    content.mkdir(exist_ok=True)
    try:
        yield content
    except NothingUsableError:
        shutil.rmtree(content)
        raise
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OSError(
                f"no space left on the disk of {folder}; make room and run again: what is packed is kept"
            ) from error
        raise
    os.replace(content, folder)


def file_stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:  # a missing file is left out when it is read
        return None
    return status.st_size, status.st_mtime_ns


def open_cached(folder: Path) -> ECGSet:
    """Open a set that we wrote to the cache: quickly, its shapes are checked but not its hashes.

    Raises:
        ValueError: it was damaged since.
    """
    try:
        return ECGSet.open(folder, check_hashes=False)
    except (ValueError, OSError) as error:
        raise ValueError(f"the set in the cache is damaged ({error}); delete {folder} to make it anew") from error
