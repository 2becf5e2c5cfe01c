"""A stand-in for W&B's server, on loopback: it keeps what runs send to it, or fails as a server may."""

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SILENT = "silent"  # accepts connections and never answers


class WandbService:
    """Answers as W&B does where a run needs it, until it is told to fail.

    Attributes:
        fails: None, a status to answer each request with, or SILENT.
        runs: what was told of each run when it began or went on, by its id.
        history: the rows of each run, as they lie on the server.
    """

    def __init__(self, fails: int | str | None = None):
        self.fails = fails
        self.runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.history: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.ended = threading.Event()
        self.server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": self}))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "WandbService":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def environment(self) -> dict[str, str]:
        """Of a user who is logged in to it."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": "0123456789" * 4, "WANDB_MODE": "online"}

    def keep(self, run: str, files: dict[str, Any]) -> None:
        rows = files.get("wandb-history.jsonl", {"offset": 0, "content": []})
        for number, row in enumerate(rows["content"], rows["offset"]):  # a line that is sent again replaces the first
            self.history[run][number:] = [json.loads(row), *self.history[run][number + 1 :]]

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "mutation UpsertBucket" in query:
            name = variables["name"]
            self.runs[name].append(variables)
            place = {"name": variables["project"], "entity": {"name": "me"}}
            return {"upsertBucket": {"bucket": {"id": name, "name": name, "project": place}, "inserted": True}}
        if "query Viewer" in query:
            return {"viewer": {"id": "me", "username": "me", "entity": "me", "flags": "{}", "teams": {"edges": []}}}
        if "query RunResumeStatus" in query:
            name = variables["name"]
            rows = self.history[name]
            bucket = {
                "id": name,
                "name": name,
                "summaryMetrics": json.dumps(rows[-1] if rows else {}),
                "logLineCount": 0,
                "historyLineCount": len(rows),
                "eventsLineCount": 0,
                "historyTail": json.dumps([json.dumps(row) for row in rows[-1:]]),
                "eventsTail": "[]",
                "config": "{}",
                "wandbConfig": '{"t": 1}',
                "tags": [],
            }
            model = {"id": "p", "name": variables["project"], "entity": {"id": "me", "name": "me"}}
            return {"model": model | {"bucket": bucket if name in self.runs else None}}
        if "mutation CreateRunFiles" in query:
            files = [{"name": name, "uploadUrl": f"{self.url}/storage/{name}"} for name in variables["files"]]
            return {"createRunFiles": {"runID": variables["run"], "uploadHeaders": [], "files": files}}
        return {}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A run that ends resets its connections."""


class _Handler(BaseHTTPRequestHandler):
    service: WandbService
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:  # the base class's names
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fails = self.service.fails
        if fails == SILENT:
            self.service.ended.wait()
            return
        said: dict[str, Any] = {}
        if fails is None and self.path == "/graphql":
            asked = json.loads(content)
            said = {"data": self.service.answer(asked["query"], asked.get("variables") or {})}
        elif fails is None and self.path.endswith("/file_stream"):
            self.service.keep(self.path.split("/")[-2], json.loads(content).get("files") or {})
        body = json.dumps(said).encode()
        self.send_response(200 if fails is None else int(fails))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST  # noqa: N815
