"""What the three commands share: bad input ends in one clear line, and everything else in a traceback."""

import functools
import logging
import os
import signal
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ecggan.quoting import remedy_of_interpolation

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class RunFailedError(Exception):
    """One run of several failed, and has said why."""


def exit_on_user_error(main: Callable[P, R], run_name: Callable[[], str | None] = lambda: None) -> Callable[P, R]:
    """Turn what a user can put right (a ValueError or an OSError) into one line on stderr and a non-zero exit.

    Set ``ECGGAN_DEBUG=1`` for the whole traceback. Hydra wraps what a constructor raises; the cause is what counts.
    Ctrl-C and SIGTERM unwind as an error does, so that nothing unfinished is left.

    Args:
        main: of a script.
        run_name: what this run is called where others may follow it in this process, of a sweep: then the line is
            said, and they do.
    """

    @functools.wraps(main)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        signal.signal(signal.SIGTERM, _stop)
        try:
            return main(*args, **kwargs)
        except KeyboardInterrupt:
            raise SystemExit("interrupted") from None
        except Exception as error:
            cause = error
            while not isinstance(cause, ValueError | OSError) and isinstance(cause.__cause__, Exception):
                cause = cause.__cause__
            if os.environ.get("ECGGAN_DEBUG") == "1" or not isinstance(cause, ValueError | OSError):
                raise
            run = run_name()
            if run is not None:
                log.error("%s: %s", run, cause)
                raise RunFailedError(f"{run}: {cause}") from None
            raise SystemExit(f"error: {cause}{remedy_of_interpolation(error)}") from error

    return guarded


def _stop(number: int, frame: object) -> None:
    raise SystemExit("stopped by SIGTERM")
