"""Files and folders that appear whole or not at all: written beside their place under another name, then renamed."""

import errno
import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _beside(path: Path) -> Path:
    """Where the unfinished thing lies: hidden, in the same folder (a rename must not cross disks), one a process."""
    return path.with_name(f".{path.name}.unfinished-{platform.node()}-{os.getpid()}")


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; on success it becomes `path`, replacing it; on an error nothing is left behind."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _beside(path)
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder to fill; on success it becomes `path`; on an error it is removed.

    Raises:
        FileExistsError: `path` is there already and is not an empty folder. Nothing is overwritten.
    """
    path = Path(path).resolve()  # a link's target is what is renamed
    require_new_folder(path)
    unfinished = _beside(path)
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
    """Check early, before hours of work, that a folder can be made and nothing would be overwritten.

    Raises:
        FileExistsError: `path` is there already and is not an empty folder.
        PermissionError: its parent cannot be written to.
    """
    path = Path(path).resolve()
    parent = next(folder for folder in path.parents if folder.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise PermissionError(f"{path} cannot be made: {parent} cannot be written to; give another folder")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"{path} exists and is not empty; give another folder or remove it first")
