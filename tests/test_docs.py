"""The examples of the documentation: command lines compose to their jobs, Python blocks run."""

import re
import shlex
import sys
from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

import ecggan
import evaluate
import generate
import train  # noqa: F401  registers the resolver
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.manifest import new_manifest
from ecggan.ecg import EIGHT_LEADS
from ecggan.overrides import find_problem
from ecggan.quoting import quoted_for_hydra

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
JOBS = {"train": (), "generate": generate.JOBS, "evaluate": evaluate.JOBS}
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("tutorials/*.md")),
    *sorted((ROOT / "docs").glob("how-to/*.md")),
]
COMMAND = re.compile(r"(?:^|\s)(?P<script>train|generate|evaluate)\.py(?= ) (?P<arguments>[^#`]*)")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"(?m)^```{language}\n(.*?)^```", text, re.DOTALL)


def commands_of(text: str) -> list[str]:
    """Command lines in fences, one a line, and those in backticks, which may be broken; no part of one ("…")."""
    lines = [line for block in fenced(text, "") for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"(?m)^```.*?^```", "", text, flags=re.DOTALL)
    lines += [" ".join(found.split()) for found in re.findall(r"`((?:srun |torchrun |python )[^`]*)`", prose)]
    found = [match for line in lines if (match := COMMAND.search(line))]
    return [f"{match['script']} {match['arguments'].strip()}" for match in found if "…" not in match["arguments"]]


COMMANDS = sorted({(name_of(page), line) for page in PAGES for line in commands_of(page.read_text(encoding="utf-8"))})
PYTHON = [(name_of(page), block) for page in PAGES for block in fenced(page.read_text(encoding="utf-8"), "python")]


def test_the_pages_hold_examples():
    assert len(COMMANDS) > 40
    assert {script.split()[0] for _, script in COMMANDS} == set(JOBS)
    assert {"README.md", "docs/how-to/python.md", "docs/how-to/exports.md"} <= {page for page, _ in PYTHON}


def first_choice(override: str) -> str:
    """An override of a sweep as its first run has it."""
    parsed = OverridesParser.create().parse_override(override)
    return (
        f"{parsed.get_key_element()}={next(parsed.sweep_string_iterator())}" if parsed.is_sweep_override() else override
    )


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_every_command_line_composes_and_its_job_can_be_built(page, command, tmp_path, monkeypatch):
    monkeypatch.setenv("STORAGE", "sqlite://")
    monkeypatch.chdir(tmp_path)
    script, *arguments = shlex.split(command)
    for argument in arguments:
        if argument.startswith("run="):
            (tmp_path / argument.removeprefix("run=")).mkdir(parents=True)
    if "--help" in arguments:
        arguments.remove("--help")
    is_sweep = "-m" in arguments
    arguments = quoted_for_hydra([argument for argument in arguments if argument != "-m"])
    if JOBS[script]:
        assert find_problem(arguments, CONFIGS, script, JOBS[script]) is None
    if is_sweep:
        arguments = [first_choice(argument) for argument in arguments]
    run = [f"hydra.runtime.output_dir={tmp_path}", f"hydra.sweep.dir={tmp_path}", "hydra.job.num=0"]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose(script, [*arguments, *run], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    plain = OmegaConf.masked_copy(config, [key for key in config if key != "hydra"])
    OmegaConf.resolve(plain)
    if JOBS[script]:
        job = get_class(plain._target_)
        names = [field.name for field in fields(job)]
        assert isinstance(instantiate(OmegaConf.masked_copy(plain, ["_target_", *names]), _convert_="all"), job)


def test_the_site_has_a_page_of_every_job_group_and_module(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = spec_from_file_location("make_site", ROOT / "docs" / "make_site.py")
    make_site = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "make_site", make_site)  # where its dataclasses look for their types
    spec.loader.exec_module(make_site)
    pages = make_site.pages()
    scripts = {job: script for script, jobs in JOBS.items() for job in jobs}
    for job in (CONFIGS / "job").glob("*.yaml"):
        name = f"{scripts[job.stem]}_{job.stem}.md"
        assert f"job={job.stem}" in pages[f"reference/commands/{name}"]
        assert f"({name})" in pages["reference/commands/index.md"]
    groups = {path.name for path in CONFIGS.iterdir() if path.is_dir()} - {"job", "hydra"}
    assert {f"reference/commands/group_{group}.md" for group in groups} <= set(pages)
    modules = {path.stem for path in (ROOT / "ecggan").iterdir() if not path.stem.startswith("_")}
    assert {f"reference/api/{module}.md" for module in modules} <= set(pages)


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), PYTHON)
def test_every_python_block_runs(page, block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    manifest = new_manifest(EIGHT_LEADS, 500, 10, "generated", {"seed": 0})
    signals = np.zeros((100, 8, 10), np.int16)
    ECGSet.in_memory(signals, [{"record": str(i)} for i in range(100)], manifest).save("ECGS")
    names = {"ecggan": ecggan}
    exec(compile(block, page, "exec"), names)
    assert set(names) - {"ecggan", "__builtins__"}
