"""Parts of a long work that stand by themselves: one that fails is named, and the others go on."""

import logging
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class Parts:
    """Runs parts one by one and keeps the errors of those that fail.

    Attributes:
        failures: the error of each part that failed, by the part's name, in one line.
    """

    def __init__(self, failures: Mapping[str, str] | None = None) -> None:
        self.failures = dict(failures or {})

    def run(self, part: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
        """What the function returns; None where it fails, which is logged with its traceback."""
        try:
            return function(*args, **kwargs)
        except Exception as error:  # counted and named, never lost: see the module's docstring
            log.exception("%s failed; the rest goes on without it", part)
            self.failures[part] = f"{type(error).__name__}: {error}".splitlines()[0]
            return None
