"""Somebody's own ECG file: read in a process of its own, measured, and forgotten."""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from ecggan.page import questions, tasks
from ecggan.page.encoding import decode, signals
from ecggan.page.page import page_of

MOST_BYTES = 32 * 2**20
MOST_FILES = 4  # a WFDB header, its signals, and what states their layout
MOST_SIGNAL_BYTES = 4 * 2**20
_NAME = re.compile(r"[\w][\w .()+-]{0,99}", re.ASCII)
_IN_MEMORY = Path("/dev/shm")


async def own_file(request: Request) -> JSONResponse:
    """``POST /api/file?position=0&start=0&leads=I,II&sampling_rate=500&unit=mV``; the body as of [unpack][]."""
    page = page_of(request)
    files = unpack(await questions.body(request, MOST_BYTES))
    position, start_s = questions.whole(request, "position", 0, at_most=10**9), questions.seconds(request, "start")
    folder = await asyncio.to_thread(_written, files)
    try:
        found = await page.reading.do(tasks.read_file, folder, main_file(files), _layout(request), position, start_s)
    except (ValueError, OSError) as error:
        raise ValueError(str(error).replace(f"{folder}/", "").replace(str(folder), "")) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)
    millivolts, leads, rate = found.pop("millivolts"), found.pop("leads"), found.pop("sampling_rate")
    try:
        measured = await page.work.do(tasks.describe_ecg, millivolts, leads, rate)
    except ValueError as error:  # it can be looked at
        measured = {"is_measurable": False, "not_measured": str(error)}
    return JSONResponse(found | {"kind": "own", **signals(millivolts, leads, rate), **measured})


async def nearest(request: Request) -> JSONResponse:
    """``POST /api/nearest?source=NAME`` with the leads, rate and signals that [own_file][] answered."""
    page = page_of(request)
    source = page.source(request.query_params.get("source"))["name"]
    given = await questions.json_body(request, MOST_SIGNAL_BYTES)
    leads, rate, signal = given.get("leads"), given.get("sampling_rate"), given.get("signal")
    has_rate = isinstance(rate, int | float) and not isinstance(rate, bool) and 1 <= rate <= 5000
    if not isinstance(leads, list) or not all(isinstance(lead, str) for lead in leads):
        raise ValueError("give the names of the leads")
    if not has_rate or not isinstance(signal, str):
        raise ValueError("give sampling_rate, from 1 to 5000 Hz, and signal")
    millivolts = decode(signal, len(leads))
    return JSONResponse(await page.work.do_long(tasks.nearest, source, millivolts, leads, rate))


def unpack(content: bytes) -> dict[str, bytes]:
    """The files of a body: a line of JSON, [[name, size], …], and their bytes one after the other.

    Raises:
        ValueError: it is none, or a name is one that could lead elsewhere.
    """
    head, newline, rest = content.partition(b"\n")
    try:
        listed = [(str(name), int(size)) for name, size in json.loads(head)] if newline else []
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError("the request holds no files") from error
    if not 1 <= len(listed) <= MOST_FILES:
        raise ValueError(f"one ECG is of 1 to {MOST_FILES} files; got {len(listed)}")
    if sum(size for _, size in listed) != len(rest) or any(size < 0 for _, size in listed):
        raise ValueError("the request's files are not of the size that it states")
    files: dict[str, bytes] = {}
    start = 0
    for name, size in listed:
        if not _NAME.fullmatch(name) or name.casefold() in {other.casefold() for other in files}:
            raise ValueError(f"files are named by letters, digits and . _ - ( ) +, each once; got {name[:60]!r}")
        files[name] = rest[start : start + size]
        start += size
    return files


def main_file(files: Mapping[str, bytes]) -> str:
    """The file to be read: a WFDB header, or the one that is no sidecar and no signal file.

    Raises:
        ValueError: there is none, or there are several.
    """
    headers = [name for name in files if name.lower().endswith(".hea")]
    others = [name for name in files if not name.lower().endswith((".json", ".dat", ".mat"))]
    found = headers or (others if len(files) > 1 else list(files))
    if len(found) != 1:
        raise ValueError(
            f"which one is the ECG? Give one at a time, with the files that it needs; got {', '.join(files)}"
        )
    return found[0]


def _layout(request: Request) -> dict[str, Any]:
    """What the file does not state; an empty field is not stated."""
    stated: dict[str, Any] = {}
    query = request.query_params
    if leads := query.get("leads", "").strip():
        stated["leads"] = [lead.strip() for lead in leads.split(",")][:100]
    if rate := query.get("sampling_rate", "").strip():
        try:
            stated["sampling_rate"] = float(rate)
        except ValueError:
            raise ValueError(f"the sampling rate must be a number of Hz; got {rate[:30]!r}") from None
    if unit := query.get("unit", "").strip():
        stated["unit"] = unit[:30]
    return stated


def _written(files: Mapping[str, bytes]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ecggan-page-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder
