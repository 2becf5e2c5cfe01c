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
    ``{"trickle": n}`` sends n bytes a second. A fault under ``"*"`` holds for every request.
    """

    files: dict[str, bytes]
    faults: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ranges: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    url: str = ""

    def publish_sums(self) -> None:
        lines = [f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in sorted(self.files.items())]
        self.files["SHA256SUMS.txt"] = "".join(lines).encode()

    def names_asked(self) -> list[str]:
        return [name for name, _ in self.asked]

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

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            name = self.path.removeprefix("/data/")
            wanted = self.headers.get("Range")
            files.asked.append((name, wanted))
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
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and files.ranges else 0
            if start and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self._send(name, content[start:], fault)

        def _send(self, name: str, content: bytes, fault: dict[str, Any]) -> None:
            try:
                if "trickle" in fault:
                    for i in range(len(content)):
                        self._write(name, content[i : i + 1])
                        time.sleep(1 / fault["trickle"])
                elif "stall" in fault:
                    self._write(name, content[: len(content) // 2])
                    time.sleep(fault["stall"])
                else:
                    self._write(name, content[: fault.get("cut", len(content))])
            except OSError:  # the other side hung up
                pass
            self.close_connection = bool(fault) or self.close_connection

        def _write(self, name: str, content: bytes) -> None:
            self.wfile.write(content)
            self.wfile.flush()
            files.sent[name] = files.sent.get(name, 0) + len(content)

    return Handler
