"""Files and folders that appear whole or not at all: written under another name in the same folder, then renamed."""

import errno
import glob
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecggan.files.locks import is_alive


def _unfinished_path(path: Path) -> Path:
    """A hidden path in the same folder (a rename must not cross disks), different for each process."""
    return path.with_name(f".{path.name}.unfinished-{platform.node()}-{os.getpid()}")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; on success it becomes `path`, replacing it; on an error it is removed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished_path(path)
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder to fill; on success it becomes `path`; on an error it is removed.

    Raises:
        FileExistsError: `path` exists and is not an empty folder; nothing is overwritten.
    """
    path = Path(path).resolve()  # of a link, the target is replaced
    require_new_folder(path)
    unfinished = _unfinished_path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.unfinished-{platform.node()}-*"):
        if not is_alive(int(left.name.rpartition("-")[2])):
            shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        os.replace(unfinished, path)  # an empty folder at `path` is replaced
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OSError(f"no space left on the disk of {path}; nothing was kept") from error
        if error.errno == errno.ENOTEMPTY:  # another process filled it meanwhile
            raise FileExistsError(f"{path} was written by another process meanwhile") from error
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def require_new_folder(path: str | Path) -> None:
    """Check, before hours of work, that a folder can be made and nothing would be overwritten.

    Raises:
        FileExistsError: `path` exists and is not an empty folder.
        PermissionError: its parent cannot be written to.
    """
    path = Path(path).resolve()
    if not path.name:
        raise FileExistsError(f"{path} exists; give another folder")
    parent = next(folder for folder in path.parents if folder.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise PermissionError(f"{path} cannot be made: {parent} cannot be written to; give another folder")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"{path} exists and is not empty; give another folder or remove it first")
