"""Two sources: how each measurement is distributed in either, and the differences; and the reports that are listed."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from ecggan.page import tasks
from ecggan.page.page import Page, page_of

NUM_MEASURED = 256  # of each source: the first of seed 0, or evenly spaced blocks of a set
SEED = 0
REPORT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; sandbox allow-scripts"
)


async def distribution(request: Request) -> JSONResponse:
    """``/api/distribution?source=NAME``: the measurements of 256 of its ECGs, by column."""
    page = page_of(request)
    return JSONResponse(await _measured(page, page.source(request.query_params.get("source"))["name"]))


async def _measured(page: Page, source: str) -> dict[str, list[Any]]:
    return await page.tables.get(source, lambda: _measure(page, source))


async def _measure(page: Page, source: str) -> dict[str, list[Any]]:
    blocks = _blocks(page.source(source)["num_records"])
    parts = []
    for some in (blocks[i : i + 2] for i in range(0, len(blocks), 2)):  # other requests come between
        parts += await asyncio.gather(*(page.table(source, SEED, block) for block in some))
    if not parts:
        raise ValueError(f"{source} has no ECG")
    return {column: [value for part in parts for value in part[column]] for column in parts[0]}


def _blocks(num_records: int | None) -> list[int]:
    most = NUM_MEASURED // tasks.BLOCK
    if num_records is None:
        return list(range(most))
    num_blocks = -(-num_records // tasks.BLOCK)
    return sorted({round(i * (num_blocks - 1) / max(most - 1, 1)) for i in range(most)}) if num_blocks else []


async def comparison(request: Request) -> JSONResponse:
    """``/api/comparison?reference=NAME&source=NAME``: a row a measurement."""
    page = page_of(request)
    names = [page.source(request.query_params.get(key))["name"] for key in ("reference", "source")]

    async def compare() -> list[dict[str, Any]]:
        tables = [await _measured(page, name) for name in names]
        return await page.work.do_long(tasks.comparison, *tables)

    return JSONResponse({"rows": await page.tables.get(("comparison", *names), compare)})


async def report(request: Request) -> Response:
    """``/report/NAME``: a finished report, in a sandbox of its own."""
    name = request.path_params["name"]
    path = page_of(request).reports.get(name)
    if path is None:
        raise ValueError(f"there is no report {name[:60]!r}")
    return FileResponse(path, headers={"content-security-policy": REPORT_POLICY}, media_type="text/html; charset=utf-8")
