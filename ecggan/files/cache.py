"""The cache: folders of what can be computed again, below ``cache=`` or ``$ECGGAN_CACHE``."""

import os
from pathlib import Path

_REMEDY = "set the environment's ECGGAN_CACHE, or cache=, to a folder that can be written to"


def in_cache(cache: str | Path, *names: str) -> Path:
    """A path in the cache, which may start with ``~``.

    Raises:
        OSError: there is no home folder, as for a user whom a container does not know, or no name.
    """
    if not str(cache):
        raise OSError(f"the cache has an empty name: {_REMEDY}")
    folder = Path(os.path.expanduser(cache))  # noqa: PTH111  Path's raises a RuntimeError without a home
    if folder.parts[:1] == ("~",):
        raise OSError(f"the cache, {cache}, cannot be found, for there is no home folder: {_REMEDY}")
    return folder.joinpath(*names)


def require_writable_cache(cache: str | Path) -> None:
    """Raise OSError, before the work whose result would be lost, where nothing can be written to the cache."""
    folder = in_cache(cache)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"the cache, {folder}, cannot be written to ({error.strerror}): {_REMEDY}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(f"the cache, {folder}, cannot be written to: {_REMEDY}")
