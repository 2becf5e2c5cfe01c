"""The server: one port, one application, until it is stopped."""

import ipaddress
import socket
from collections.abc import Callable

import uvicorn

from ecggan.page.access import access_for
from ecggan.page.app import build_app
from ecggan.page.command_line import Settings
from ecggan.page.page import start_processes
from ecggan.page.sources import name_reports, name_sources

MOST_CONNECTIONS = 512  # more are refused with status 503


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections.

    Raises:
        OSError: the port is taken, or the address is none of this machine.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise OSError(
            f"host={host} port={port} cannot be used ({error.strerror}); port=0 takes any that is free"
        ) from error


def serve(settings: Settings, listening: socket.socket, say: Callable[[str], None]) -> None:
    """Answer requests until the process is interrupted.

    Args:
        settings: of the command line.
        listening: of [listen][].
        say: prints the address, or addresses, once requests are answered.

    Raises:
        ValueError: a source cannot be used.
        OSError: a source or a report is missing.
    """
    sources, reports = name_sources(settings.checkpoint, settings.run, settings.ecg_set), name_reports(settings.report)
    processes = start_processes(sources, settings.num_workers)
    access = access_for(settings.host)
    try:
        told = addresses(settings.host, listening, access.token)
        _Server(config(build_app(processes, reports, access)), lambda: say(told)).run(sockets=[listening])
    finally:
        processes.stop()


def addresses(host: str, listening: socket.socket, token: str | None) -> str:
    """What a browser opens: the host given; where that stands for all of a machine's, its name, and what it is here."""
    bound, port, *_ = listening.getsockname()
    after = f":{port}/" + ("" if token is None else f"?token={token}")
    if not ipaddress.ip_address(bound.partition("%")[0]).is_unspecified:
        return f"http://{f'[{host}]' if ':' in host else host}{after}"
    here = "[::1]" if ":" in bound else "127.0.0.1"
    return f"http://{_name_of_machine()}{after}\non this machine: http://{here}{after}"


def _name_of_machine() -> str:
    name = socket.getfqdn()
    # where names are not set up, the address of the machine read backwards, or what each machine calls itself
    return socket.gethostname() if name.endswith(".arpa") or name.partition(".")[0] == "localhost" else name


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, say: Callable[[], None]) -> None:
        super().__init__(config)
        self._say = say

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._say()


def config(app: object) -> uvicorn.Config:
    """How the server runs: quiet, and with limits."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
        proxy_headers=False,
        ws="none",
        lifespan="on",
    )
