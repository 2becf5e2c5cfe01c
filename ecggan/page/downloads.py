"""ECGs to take along as a file, and the command line that makes the same set."""

import shlex
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ecggan import checks
from ecggan.page import questions, tasks
from ecggan.page.forms import EXPORTS, FORMS, MOST_RECORDS
from ecggan.page.page import page_of

_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "zip": "application/zip",
    "csv": "text/csv",
    "asc": "text/plain",
}


async def download(request: Request) -> Response:
    """``/download?source=NAME&seed=S&index=K&form=csv``, or ``num_records=N`` for the first N; ``leads=12``."""
    page, address, query = page_of(request), questions.address(request), request.query_params
    form = query.get("form")
    checks.one_of("form", form, FORMS)
    assert form is not None
    num_records, leads = _numbers(request, form)
    normal = questions.flag(request, "normal") and page.source(address.source)["draws"]
    work = page.work.do if num_records is None else page.work.do_long
    name, content = await work(tasks.download, address, form, num_records, leads, normal)
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def _numbers(request: Request, form: str) -> tuple[int | None, int | None]:
    query = request.query_params
    num_records = leads = None
    if "num_records" in query:
        num_records = questions.whole(request, "num_records", None, at_least=1, at_most=MOST_RECORDS[form])
    if "leads" in query:
        leads = questions.whole(request, "leads", None)
        if leads not in (8, 12):
            raise ValueError(f"leads must be 8 or 12; got {leads}")
    return num_records, leads


async def command(request: Request) -> JSONResponse:
    """``/api/command?…``, as of [download][]: the command line and the Python that make the same."""
    page, address = page_of(request), questions.address(request)
    form = request.query_params.get("form", EXPORTS[0])
    checks.one_of("form", form, FORMS)
    num_records, leads = _numbers(request, form)
    normal = questions.flag(request, "normal") and num_records is not None
    source = page.source(address.source)
    export = f" export={form}" if form in EXPORTS else ""
    if not source["draws"]:
        path = shlex.quote(source["path"])
        text = f"python generate.py job=export ecg_set={path}{export}" if export else ""
        return JSONResponse(
            {"command": text, "python": f'ecggan.ECGSet.open("{source["path"]}").subset([{address.index}])'}
        )
    words = [f"{source['parameter']}={shlex.quote(source['path'])}", f"seed={address.seed}"]
    words += [f"num_records={address.index + 1 if num_records is None else num_records}"]
    words += [f"leads={leads}"] if leads else []
    words += ["keep=normal"] if normal else []
    command = f"python generate.py {' '.join(words)} device=cpu out=ECGS{export}"
    return JSONResponse({"command": command, "python": _python(source, address.seed, address.index, leads)})


def _python(source: dict[str, Any], seed: int, index: int, leads: int | None) -> str:
    more = f", leads={leads}" if leads else ""
    return f'ecggan.generate({source["path"]!r}, seed={seed}, indices=[{index}]{more}, device="cpu")'
