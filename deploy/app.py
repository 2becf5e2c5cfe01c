"""The page as a Hugging Face Space (Docker), or behind any proxy: public, and by the names that it is given.

A Space needs a copy of this repository and a Dockerfile:

    FROM python:3.11-slim
    COPY . ecggan
    RUN pip install --extra-index-url https://download.pytorch.org/whl/cpu -c ecggan/constraints.txt "./ecggan[page]"
    EXPOSE 7860
    CMD ["python", "ecggan/deploy/app.py"]

`SPACE_HOST` is set by the Space; elsewhere give the name by which the page is asked for. `ECG_SETS` names folders of
ECG sets, separated by colons; with real ones there is a quiz.
"""

import os

import uvicorn

from ecggan.page.access import LOOPBACK, Access
from ecggan.page.app import build_app
from ecggan.page.page import start_processes
from ecggan.page.serve import config, listen
from ecggan.page.sources import name_sources

if __name__ == "__main__":
    host = os.environ.get("SPACE_HOST", "")
    sets = [folder for folder in os.environ.get("ECG_SETS", "").split(":") if folder]
    processes = start_processes(name_sources(["published"], [], sets))
    access = Access(hosts=(*LOOPBACK, host), framed_by=("https://huggingface.co",) if host else ())
    with listen("0.0.0.0", int(os.environ.get("PORT", "7860"))) as socket:
        try:
            uvicorn.Server(config(build_app(processes, {}, access))).run(sockets=[socket])
        finally:
            processes.stop()
