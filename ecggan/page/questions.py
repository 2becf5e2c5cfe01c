"""What a request asks, checked: numbers and names out of its query, and a body of limited size."""

import asyncio
import json
import math
from typing import Any

from starlette.requests import Request

from ecggan import checks
from ecggan.page.page import page_of
from ecggan.page.sources import LARGEST_SEED, Address

BODY_SECONDS = 30


def whole(request: Request, name: str, default: int | None, at_least: int = 0, at_most: int = LARGEST_SEED) -> int:
    """A whole number out of the query.

    Raises:
        ValueError: it is missing and has no default, or is none, or out of range.
    """
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    number = int(text) if text is not None and text.isdecimal() and text.isascii() and len(text) < 20 else text
    checks.whole_number(name, number, at_least, at_most)
    assert isinstance(number, int)
    return number


def seconds(request: Request, name: str) -> float:
    """A number of seconds out of the query, 0 by default."""
    text = request.query_params.get(name, "0")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    checks.number(name, number, at_least=0, at_most=1e6)
    return number


def address(request: Request) -> Address:
    """The ECG that a request asks for."""
    source = page_of(request).source(request.query_params.get("source"))["name"]
    return Address(source, whole(request, "seed", 0), whole(request, "index", 0))


def flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "") in ("1", "true")


class TooLargeError(ValueError):
    """A body is larger than what is taken."""


async def body(request: Request, most: int) -> bytes:
    """The body of a request.

    Raises:
        TooLargeError: it is larger than `most` bytes.
        ValueError: it does not come.
    """
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise TooLargeError(f"this is larger than {most / 2**20:g} MB, the most that is taken")
                parts.append(part)
    except TimeoutError:
        raise ValueError(f"it does not arrive within {BODY_SECONDS} s") from None
    return b"".join(parts)


async def json_body(request: Request, most: int) -> dict[str, Any]:
    """The body of a request as a JSON object.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(await body(request, most))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the request is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise ValueError("the request is no JSON object")
    return found
