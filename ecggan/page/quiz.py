"""Real or generated? The ECGs of a reader kit on the screen, and the score."""

import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from ecggan import checks
from ecggan.page import questions, tasks
from ecggan.page.page import page_of

MOST_EACH = 50
MOST_BYTES = 2**16
_ANSWERS = ("real", "generated")


async def kit(request: Request) -> JSONResponse:
    """``/api/quiz?real=NAME&generated=NAME&num_each=N&seed=S``."""
    return JSONResponse(await page_of(request).work.do_long(tasks.kit_facts, *_kit(request)))


async def ecg(request: Request) -> JSONResponse:
    """``/api/quiz/ecg?…&number=I``: an ECG, and nothing that tells its origin."""
    number = questions.whole(request, "number", None, at_least=1)
    return JSONResponse(await page_of(request).work.do_long(tasks.kit_ecg, *_kit(request), number))


async def scores(request: Request) -> JSONResponse:
    """``POST /api/quiz/scores?…`` with ``{"answers": [{"ecg": 1, "answer": "real", "confidence": 4}, …]}``."""
    given = (await questions.json_body(request, MOST_BYTES)).get("answers")
    if not isinstance(given, list) or len(given) > 2 * MOST_EACH:
        raise ValueError("answers must be a list, one for each ECG")
    answers = [_answer(each) for each in given]
    return JSONResponse(await page_of(request).work.do_long(tasks.kit_scores, *_kit(request), answers))


def _kit(request: Request) -> tuple[str, str, int, int]:
    page, query = page_of(request), request.query_params
    real, generated = (page.source(query.get(kind, "")) for kind in _ANSWERS)
    if real["draws"] or real["kind"] != "real":
        raise ValueError(f"{real['name']} holds no real ECGs")
    if generated["kind"] != "generated":
        raise ValueError(f"{generated['name']} holds no generated ECGs")
    num_each = questions.whole(request, "num_each", 10, at_least=1, at_most=MOST_EACH)
    return real["name"], generated["name"], num_each, questions.whole(request, "seed", 0)


def _answer(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"an answer must have ecg and answer; got {str(given)[:60]!r}")
    ecg, answer, confidence = given.get("ecg"), given.get("answer"), given.get("confidence")
    checks.whole_number("ecg", ecg, at_least=1, at_most=2 * MOST_EACH)
    checks.one_of("answer", answer, _ANSWERS)
    checks.whole_number("confidence", confidence, at_least=1, at_most=5, or_null=True)
    return {"ecg": ecg, "answer": answer, "confidence": None if confidence is None else math.trunc(confidence)}
