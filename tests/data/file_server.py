"""A server of files on this machine that fails as it is told to."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FileServer:
    """Files by name, what goes wrong with each of the next requests for one, and what was asked.

    Faults: ``{"cut": n}`` ends the connection after n bytes, ``{"stall": seconds}`` says nothing so long after half,
    ``{"status": 503, "Retry-After": "1"}`` answers that with these headers, ``{"body": b"…"}`` sends something else,
    A fault under ``"*"`` holds for every request.
    """

    files: dict[str, bytes]
    faults: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    num_connections: int = 0
    url: str = ""

    def publish_sums(self) -> None:
        lines = [f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in sorted(self.files.items())]
        self.files["SHA256SUMS.txt"] = "".join(lines).encode()

    @contextmanager
    def running(self) -> Iterator["FileServer"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}/data/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler_of(files: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            files.num_connections += 1
            super().setup()

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            name = self.path.removeprefix("/data/")
            files.asked.append(name)
            faults = files.faults.get("*") or files.faults.get(name) or []
            fault = dict((faults if files.faults.get("*") else [faults.pop(0)])[0]) if faults else {}
            if "status" in fault:
                self.send_response(fault.pop("status"))
                for key, value in {"Content-Length": "0", **fault}.items():
                    self.send_header(key, value)
                self.end_headers()
                return
            content = fault.get("body", files.files.get(name))
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self._send(content, fault)

        def _send(self, content: bytes, fault: dict[str, Any]) -> None:
            try:
                if "stall" in fault:
                    self._write(content[: len(content) // 2])
                    time.sleep(fault["stall"])
                else:
                    self._write(content[: fault.get("cut", len(content))])
            except OSError:  # the other side hung up
                pass
            self.close_connection = bool(fault) or self.close_connection

        def _write(self, content: bytes) -> None:
            self.wfile.write(content)
            self.wfile.flush()

    return Handler
