"""Steps that may fail one by one: the log names each failed step, and the other steps still run."""

import logging
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class FailureLog:
    """Runs steps one by one and keeps the errors of those that fail.

    Attributes:
        failures: step -> its error, in one line.
    """

    def __init__(self, failures: Mapping[str, str] | None = None) -> None:
        self.failures = dict(failures or {})

    def run(self, step: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | None:
        """The function's result; None if it fails, which is logged with its traceback."""
        try:
            return function(*args, **kwargs)
        except Exception as error:  # named in the report, never lost: see the module's docstring
            log.exception("%s failed; the other steps still run", step)
            self.failures[step] = f"{type(error).__name__}: {error}".splitlines()[0]
            return None
