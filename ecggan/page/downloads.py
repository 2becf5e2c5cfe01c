"""ECGs to take along as a file, and the command line and the Python that make the same."""

import shlex
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ecggan import checks
from ecggan.page import questions, tasks
from ecggan.page.forms import EXPORTS, FORMS, MOST_RECORDS
from ecggan.page.page import page_of
from ecggan.page.sources import Address

_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "zip": "application/zip",
    "csv": "text/csv",
    "asc": "text/plain",
}


async def download(request: Request) -> Response:
    """``/download?source=NAME&seed=S&index=K&form=csv``, or ``num_records=N`` for the first N; ``leads=12``."""
    page, address = page_of(request), questions.address(request)
    form, num_records, leads, normal = _wanted(request)
    work = page.work.do if num_records is None else page.work.do_long
    name, content = await work(tasks.download, address, form, num_records, leads, normal)
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


async def command(request: Request) -> JSONResponse:
    """``/api/command?…``, as of [download][]. An ECG set has no command line, nor has one ECG but a seed's first."""
    page, address = page_of(request), questions.address(request)
    source, wanted = page.source(address.source), _wanted(request)
    python = _python(source, address, *wanted)
    return JSONResponse({"command": _command(source, address, *wanted) if source["draws"] else "", "python": python})


def _wanted(request: Request) -> tuple[str, int | None, int | None, bool]:
    """The form, how many (None for the one ECG), the leads, and whether normal ones alone are counted."""
    query = request.query_params
    form = query.get("form", EXPORTS[0])
    checks.one_of("form", form, FORMS)
    num_records = leads = None
    if "num_records" in query:
        num_records = questions.whole(request, "num_records", None, at_least=1, at_most=MOST_RECORDS[form])
    if "leads" in query:
        checks.one_of("leads", query["leads"], ("8", "12"))
        leads = int(query["leads"])
    draws = page_of(request).source(query.get("source"))["draws"]
    return form, num_records, leads, draws and num_records is not None and questions.flag(request, "normal")


def _command(
    source: dict[str, Any], address: Address, form: str, num_records: int | None, leads: int | None, normal: bool
) -> str:
    if num_records is None and address.index > 0:
        return ""  # generate.py would draw all those before it as well
    words = [f"{source['parameter']}={shlex.quote(source['path'])}", f"seed={address.seed}"]
    words += [f"num_records={num_records or 1}"]
    words += [f"leads={leads}"] if leads else []
    words += ["keep=normal"] if normal else []
    words += ["device=cpu", "out=ECGS"]
    words += [f"export={form}"] if form in EXPORTS else []
    return " ".join(["python generate.py", *words])


def _python(
    source: dict[str, Any], address: Address, form: str, num_records: int | None, leads: int | None, normal: bool
) -> str:
    path = source["path"]
    if source["draws"]:
        which = f"indices=[{address.index}]" if num_records is None else f"num_records={num_records}"
        words = [repr(path), which, f"seed={address.seed}"]
        words += [f"leads={leads}"] if leads else []
        words += ['keep=ecggan.NormalityFilter("normal")'] if normal else []
        ecgs = f"ecggan.generate({', '.join(words)}, device='cpu')"
    else:
        which = f"[{address.index}]" if num_records is None else f"slice({num_records})"
        ecgs = f"ecggan.ECGSet.open({path!r}).subset({which})"
    return f'ecggan.export({ecgs}, "{form}", "ECGS")' if form in EXPORTS else ecgs
