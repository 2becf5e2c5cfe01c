"""Files and folders that appear whole or not at all: written beside their place under another name, then renamed."""

import errno
import glob
import json
import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock


def _beside(path: Path) -> Path:
    """Where the unfinished thing lies: hidden, in the same folder (a rename must not cross disks), one a process."""
    return path.with_name(f".{path.name}.unfinished-{platform.node()}-{os.getpid()}")


def is_alive(process: int) -> bool:
    """Whether a process of this machine still runs; where that cannot be asked, yes."""
    if os.name != "posix":  # elsewhere to ask is to kill
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def file_lock(path: Path, blocking: bool) -> AbstractContextManager[object]:
    """A lock to hold, or None where the file system knows none: there, two that make the same must write the same.

    Raises:
        filelock.Timeout: another process holds it, and this one would not wait.
    """
    try:
        return FileLock(path).acquire(blocking=blocking)
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            return nullcontext()
        raise


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
    """Check early, before hours of work, that a folder can be made and nothing would be overwritten.

    Raises:
        FileExistsError: `path` is there already and is not an empty folder.
        PermissionError: its parent cannot be written to.
    """
    path = Path(path).resolve()
    if not path.name:
        raise FileExistsError(f"{path} is there already; give another folder")
    parent = next(folder for folder in path.parents if folder.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise PermissionError(f"{path} cannot be made: {parent} cannot be written to; give another folder")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"{path} exists and is not empty; give another folder or remove it first")


# What those who fill a folder may leave in its notes.
_OURS = re.compile(r"request\.json|content|journal-\d+\.(jsonl|lock)|\w+\.lock|candidates\.raw")


class ResumableFolder:
    """A folder that takes long to fill, appears whole or not at all, and survives being killed half-way.

    It is filled as ``content`` within ``NAME.unfinished``, beside its place. That stays where the work ends early; the
    same request finds it again, another is refused, so that two halves never mix. Several processes with one request
    may fill it together; any of them may finish it.

    Attributes:
        notes: for what the work remembers of itself; removed with the rest of ``NAME.unfinished`` at the end.
        content: what becomes the folder.

    Raises:
        FileExistsError: the folder is there already and is not empty, or another request left its unfinished one.
        PermissionError: its parent cannot be written to.
    """

    def __init__(self, path: str | Path, request: Mapping[str, Any]) -> None:
        self.path = Path(path).resolve()
        require_new_folder(self.path)
        self.notes = self.path.with_name(f"{self.path.name}.unfinished")
        self.content = self.notes / "content"
        found = self.notes / "request.json"
        if not found.is_file():
            with suppress(FileExistsError), atomic_folder(self.notes) as begun:  # another process may be first
                (begun / "content").mkdir()
                (begun / "request.json").write_text(json.dumps(request, indent=2, ensure_ascii=False) + "\n")
        if not found.is_file():
            raise FileExistsError(
                f"{self.notes} is in the way and holds other things; remove it or give another folder"
            )
        try:
            begun_with = dict(json.loads(found.read_text()))
        except (ValueError, TypeError) as error:
            raise FileExistsError(f"{found} is damaged; remove {self.notes} or give another folder") from error
        other = first_difference(begun_with, request)
        if other:
            raise FileExistsError(
                f"{self.notes} was begun with {other}: go on with that, give another folder, or remove {self.notes}"
            )

    def finish(self) -> None:
        """Put the content in its place. Where another process was first, theirs stays."""
        try:
            os.replace(self.content, self.path)  # an empty folder there is replaced
        except FileNotFoundError:
            if not self.path.is_dir():
                raise
        shutil.rmtree(self.notes, ignore_errors=True)

    def discard(self) -> None:
        """Give up, and leave nothing."""
        shutil.rmtree(self.notes, ignore_errors=True)

    def is_begun(self) -> bool:
        """Whether it is still to be finished."""
        return (self.notes / "request.json").is_file()

    @staticmethod
    def clear_away(path: str | Path) -> None:
        """Remove what processes have left that were killed, or began, while the folder was put in its place."""
        path = Path(path).resolve()
        notes = path.with_name(f"{path.name}.unfinished")
        names = {file.name for file in notes.iterdir()} if notes.is_dir() else set()
        is_whole = {"request.json", "content"} <= names
        if names and not is_whole and all(_OURS.fullmatch(name) for name in names):
            shutil.rmtree(notes, ignore_errors=True)


def first_difference(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """In words, the first key by which two requests differ, as JSON sees them; empty where none does.

    >>> first_difference({"seed": 1, "leads": ["I"]}, {"leads": ("I",), "seed": 2})
    'seed=1, not 2'
    """
    there, wanted = json.loads(json.dumps(there)), json.loads(json.dumps(wanted))
    keys = [key for key in {**there, **wanted} if there.get(key) != wanted.get(key)]
    return f"{keys[0]}={there.get(keys[0])}, not {wanted.get(keys[0])}" if keys else ""
