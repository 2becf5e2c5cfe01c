"""Start the page and print its address: ``python -m ecggan.page checkpoint=published``, or ``--help``."""

import logging
import sys
from collections.abc import Sequence

from ecggan.cli import exit_on_user_error


@exit_on_user_error
def main(arguments: Sequence[str]) -> None:
    """Serve until Ctrl-C.

    Raises:
        ValueError: a parameter cannot be.
        OSError: a source is missing, or the port is taken.
    """
    from ecggan.page.command_line import HELP, parse

    if {"--help", "-h"} & set(arguments):
        print(HELP, end="")
        return
    settings = parse(arguments)
    try:
        from ecggan.page.serve import listen, serve
    except ModuleNotFoundError as error:
        raise ValueError(f"the page needs {error.name}: pip install 'ecggan[page]'") from error
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    with listen(settings.host, settings.port) as socket:
        serve(settings, socket, print)


if __name__ == "__main__":
    main(sys.argv[1:])
