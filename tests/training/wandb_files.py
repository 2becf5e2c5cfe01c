"""What W&B has written to a run's folder."""

import json
import time
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

_BLOCK, _HEADER = 32768, 7  # of LevelDB's log format: CRC, length and kind (1 whole, 2 first, 3 middle, 4 last)


def records(path: Path) -> list[Record]:
    """All that a ``.wandb`` file holds, in order, when W&B's own process has written its end."""
    until = time.monotonic() + 20
    while not (found := _read(path)) or not found[-1].HasField("exit"):
        assert time.monotonic() < until, f"{path} has no end"
        time.sleep(0.05)
    return found


def _read(path: Path) -> list[Record]:
    content, found, part, at = path.read_bytes(), [], b"", _HEADER  # the file begins with a header as long as a chunk's
    while at + _HEADER <= len(content):
        left = _BLOCK - at % _BLOCK
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        if left < _HEADER or kind == 0:
            at += left
            continue
        part += content[at + _HEADER : at + _HEADER + length]
        at += _HEADER + length
        if kind in (1, 4):
            found.append(Record.FromString(part))
            part = b""
    return found


def runs(folder: Path) -> list[Path]:
    """The ``.wandb`` files of a run's folder, one for each start."""
    return sorted((folder / "wandb").glob("*run-*/run-*.wandb"))


def rows(path: Path) -> list[dict[str, Any]]:
    """The history: what was logged at each step."""
    logged = [record.history.item for record in records(path) if record.HasField("history")]
    return [{item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items} for items in logged]


def config(path: Path) -> dict[str, Any]:
    """What the run was configured with."""
    updates = [record.config.update for record in records(path) if record.HasField("config")]
    return {item.key: json.loads(item.value_json) for items in updates for item in items}


def summary(path: Path) -> dict[str, Any]:
    updates = [record.summary.update for record in records(path) if record.HasField("summary")]
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for items in updates for item in items}


def artifacts(path: Path) -> list[Any]:
    requests = [record.request.log_artifact.artifact for record in records(path) if record.HasField("request")]
    return [record.artifact for record in records(path) if record.HasField("artifact")] or requests


def one(path: Path, kind: str) -> Any:
    """The first record of a kind: run, metric …"""
    return next(getattr(record, kind) for record in records(path) if record.HasField(kind))
