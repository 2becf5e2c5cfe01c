"""Which process may write: file locks, and whether the process that left something behind is still alive."""

import errno
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from filelock import FileLock


def is_alive(process: int) -> bool:
    """Whether a process of this machine still runs; True where the system cannot tell."""
    if os.name != "posix":  # os.kill(process, 0) kills on Windows
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def file_lock(path: Path, blocking: bool) -> AbstractContextManager[object]:
    """A lock as a context manager; it yields None on file systems without locks.

    Callers must stay correct without one: two processes that do the same work write the same files.

    Raises:
        filelock.Timeout: another process holds it, and `blocking` is False.
    """
    try:
        return FileLock(path).acquire(blocking=blocking)
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            return nullcontext()
        raise
