"""The application: which address is answered by what, and how errors are told."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ecggan._version import __version__
from ecggan.page import comparing, downloads, ecg, own_file, quiz
from ecggan.page.access import Access, Guard
from ecggan.page.forms import FORMS, MOST_RECORDS
from ecggan.page.page import Page, Processes, page_of
from ecggan.page.questions import TooLargeError
from ecggan.page.work import BusyError, LostError

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# The views, all of one page: its script shows what the address says.
_VIEWS = ("/", "/ecg/{seed}/{index}", "/compare", "/file", "/quiz")


def build_app(processes: Processes, reports: Mapping[str, Path], access: Access) -> Guard:
    """The application on running processes.

    Args:
        processes: of [start_processes][ecggan.page.page.start_processes].
        reports: the page of each report that is listed, by name.
        access: who may ask.
    """

    @asynccontextmanager
    async def with_page(app: Starlette) -> AsyncIterator[None]:
        app.state.page = Page(processes, reports)
        yield

    app = Starlette(
        routes=[
            *(Route(path, _static("index.html")) for path in _VIEWS),
            *(Route(f"/static/{name}", _static(name)) for name in _static_files()),
            Route("/api/about", about),
            Route("/api/drawn", ecg.drawn),
            Route("/api/ecg", ecg.ecg),
            Route("/api/normal", ecg.normal),
            Route("/api/distribution", comparing.distribution),
            Route("/api/comparison", comparing.comparison),
            Route("/report/{name}", comparing.report),
            Route("/api/file", own_file.own_file, methods=["POST"]),
            Route("/api/nearest", own_file.nearest, methods=["POST"]),
            Route("/api/quiz", quiz.kit),
            Route("/api/quiz/ecg", quiz.ecg),
            Route("/api/quiz/scores", quiz.scores, methods=["POST"]),
            Route("/api/command", downloads.command),
            Route("/download", downloads.download),
        ],
        exception_handlers={
            TooLargeError: _told(413),
            ValueError: _told(400),
            BusyError: _told(503),
            LostError: _told(504),
        },
        lifespan=with_page,
    )
    return Guard(app, access)


async def about(request: Request) -> JSONResponse:
    """What the page can show."""
    page = page_of(request)
    sources = [{key: value for key, value in facts.items() if key != "path"} for facts in page.facts.values()]
    forms = [{"form": form, "most": MOST_RECORDS[form]} for form in FORMS]
    return JSONResponse({"version": __version__, "sources": sources, "reports": list(page.reports), "forms": forms})


def _static_files() -> dict[str, bytes]:
    folder = resources.files(__package__).joinpath("static")
    return {file.name: file.read_bytes() for file in folder.iterdir() if Path(file.name).suffix in _TYPES}


def _static(name: str) -> Handler:
    content, kind = _static_files()[name], _TYPES[Path(name).suffix]

    async def answer(request: Request) -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return answer


def _told(status: int) -> Callable[[Request, Exception], Response]:
    def tell(request: Request, error: Exception) -> Response:
        log.info("%s %s: %s", request.method, request.url.path, error)
        headers = {"retry-after": "3"} if status == 503 else None
        return JSONResponse({"error": str(error)}, status, headers)

    return tell
