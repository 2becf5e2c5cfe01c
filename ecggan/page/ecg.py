"""One ECG: its signals, and with measurements and findings; and the next normal one."""

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse

from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT
from ecggan.page import questions, tasks
from ecggan.page.encoding import signals
from ecggan.page.page import Page, page_of
from ecggan.page.sources import LARGEST_INDEX, Address

MOST_BLOCKS_SEARCHED = 8  # for a normal ECG


async def drawn(request: Request) -> JSONResponse:
    """``/api/drawn?source=NAME&seed=S&index=K``: what can be shown before it is measured."""
    page, address = page_of(request), questions.address(request)
    return JSONResponse(_shown(page, address, await page.microvolts(address) / MICROVOLTS_PER_MILLIVOLT))


async def ecg(request: Request) -> JSONResponse:
    """``/api/ecg?source=NAME&seed=S&index=K``: the same, measured."""
    page, address = page_of(request), questions.address(request)
    return JSONResponse(await page.ecgs.get(address, lambda: _described(page, address)))


def _shown(page: Page, address: Address, millivolts: np.ndarray) -> dict[str, Any]:
    source = page.source(address.source)
    return {
        "source": address.source,
        "seed": str(address.seed),  # more digits than JavaScript's numbers have
        "index": address.index,
        "kind": source["kind"],
        **signals(millivolts, source["leads"], source["sampling_rate"]),
    }


async def _described(page: Page, address: Address) -> dict[str, Any]:
    source = page.source(address.source)
    millivolts = await page.microvolts(address) / MICROVOLTS_PER_MILLIVOLT
    found = await page.work.do(tasks.describe_ecg, millivolts, source["leads"], source["sampling_rate"])
    return _shown(page, address, millivolts) | found


async def normal(request: Request) -> JSONResponse:
    """``/api/normal?source=NAME&seed=S&index=K&back=1``: the first normal ECG from K on, or back from it."""
    page, address, back = page_of(request), questions.address(request), questions.flag(request, "back")
    num_records = page.source(address.source)["num_records"]
    last = (LARGEST_INDEX if num_records is None else num_records - 1) // tasks.BLOCK
    block = address.index // tasks.BLOCK
    blocks = range(block, max(-1, block - MOST_BLOCKS_SEARCHED), -1) if back else range(
        block, min(last + 1, block + MOST_BLOCKS_SEARCHED)
    )  # fmt: skip
    for number in blocks:
        table = await page.table(address.source, address.seed, number)
        indices = [number * tasks.BLOCK + place for place, is_normal in enumerate(table["is_normal"]) if is_normal]
        found = [index for index in indices if (index <= address.index if back else index >= address.index)]
        if found:
            return JSONResponse({"index": max(found) if back else min(found)})
    raise ValueError(f"no normal ECG among the next {len(blocks) * tasks.BLOCK}")
