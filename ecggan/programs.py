"""Other programs, asked for what they print."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

_LONGEST_S = 60


def ask(
    command: Sequence[str], given: str | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; its output is UTF-8 whatever the locale, and what is not is replaced.

    Args:
        command: the program and its arguments.
        given: its input.
        folder: to run it in; None for the current one.

    Raises:
        OSError: there is no such program.
        subprocess.TimeoutExpired: it takes longer than 60 s.
    """
    return subprocess.run(
        command,
        input=given,
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=_LONGEST_S,
        check=False,
    )
