"""The command line before Hydra composes a configuration: which job takes which parameter, said in one line.

Hydra advises to add an unknown key with ``+``, which is never right here.
"""

import difflib
import functools
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ecggan.quoting import print_any_name, quoted_for_hydra, remedy_of_interpolation

P = ParamSpec("P")
R = TypeVar("R")

# Hydra's errors for what stands on the command line, and that of a sweep of which a run's error has been logged; others
# are bugs, and keep their traceback.
_OF_THE_USER = ("ConfigCompositionException", "MissingConfigException", "OverrideParseException", "RunFailedError")

# What OmegaConf puts before the message of a resolver of ours that refuses a value.
_BY_A_RESOLVER = "ValueError raised while resolving interpolation: "

# How a job was asked for before there were jobs.
_BEFORE = {
    "self_test": "job=self_test",
    "account": "job=data_report",
    "reader_kit": "job=reader_kit num_each={value}",
    "convert": "job=convert out={value}",
}


def exit_on_unknown_parameter(
    main: Callable[P, R], configs: Path, script: str, jobs: Sequence[str] = ()
) -> Callable[P, R]:
    """End with one line on stderr where a parameter on the command line is none of the job, or Hydra refuses it.

    Args:
        main: of a script, decorated by Hydra.
        configs: the folder of the configuration.
        script: the name of the script and of its configuration.
        jobs: of the script, the default one first; each a file in ``configs/job``. Without jobs, Hydra alone refuses.
    """

    @functools.wraps(main)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        print_any_name()
        given = sys.argv[1:]
        try:
            sys.argv[1:] = quoted_for_hydra(given)
        except ValueError as error:
            raise SystemExit(f"error: {error}") from error
        if script != "generate" and "out=null" in given:
            raise SystemExit("error: out=null names no folder; give out=FOLDER, or out=./null for one of that name")
        if jobs and (problem := find_problem(given, configs, script, jobs)):
            raise SystemExit(f"error: {problem}")
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # else Hydra prints its errors itself, and exits
        try:
            return main(*args, **kwargs)
        except Exception as error:
            remedy = remedy_of_interpolation(error)
            is_of_the_user = type(error).__name__ in _OF_THE_USER or str(error).startswith(_BY_A_RESOLVER) or remedy
            if os.environ.get("ECGGAN_DEBUG") == "1" or not is_of_the_user:
                raise
            raise SystemExit(f"error: {_one_line(error, configs)}{remedy}") from error

    return guarded


def find_problem(arguments: Iterable[str], configs: Path, script: str, jobs: Sequence[str]) -> str | None:
    """What is wrong with the parameters of a command line; None if each is one of its job."""
    given = [argument.lstrip("+~").partition("=") for argument in arguments if not argument.startswith("-")]
    pairs = [(key, value) for key, equals, value in given if equals]
    job = dict(pairs).get("job", jobs[0])
    if job not in jobs:
        return f"job={job} is no job of {script}.py; its jobs are {', '.join(jobs)}"
    for key, value in pairs:
        name = re.split(r"[.@/]", key)[0]
        known = {"hydra", "job"} | _keys(configs / f"{script}.yaml") | _keys(configs / "job" / f"{job}.yaml")
        if name in known:
            continue
        form = _BEFORE.get(name, "").format(value=shlex.quote(value))
        if form and form.split()[0].removeprefix("job=") in jobs:
            return f"{name} is a job: give {form}"
        others = [other for other in jobs if name in _keys(configs / "job" / f"{other}.yaml")]
        if others:
            remedy = f": give job={others[0]} {shlex.quote(f'{key}={value}')}" if len(others) == 1 else ""
            return f"{name} is no parameter of job={job}; it belongs to: {', '.join(others)}{remedy}"
        return f"{name} is no parameter of job={job}; {_remedy(name, sorted(known))}"
    return None


@functools.cache
def _keys(path: Path) -> frozenset[str]:
    """The top-level keys of a configuration file and of those in its defaults list, but for the job's own."""
    import yaml

    contents: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    keys = set(contents) - {"defaults", "_target_", "hydra"}
    for entry in contents.get("defaults", []):
        if isinstance(entry, dict):
            (group,) = entry
            if not group.startswith("override ") and group != "job":
                keys.add(group.removeprefix("/"))
        elif entry != "_self_":
            keys |= _keys(path.parents[1] / f"{entry.removeprefix('/')}.yaml")
    return frozenset(keys)


def _one_line(error: Exception, configs: Path) -> str:
    """Hydra's error in one line; of an unknown key, what stands beside it."""
    if type(error).__name__ == "OverrideParseException":
        return (
            f"{_first_sentence(error)}; a text with commas, brackets or the like is quoted for the shell and for "
            "Hydra: \"KEY='VALUE'\""
        )
    if str(error).startswith(_BY_A_RESOLVER):
        return _first_sentence(error).removeprefix(_BY_A_RESOLVER)
    cause = error.__cause__
    node, key = getattr(cause, "parent_node", None), str(getattr(cause, "full_key", ""))
    if node is None or "is not in struct" not in str(cause):
        return _first_sentence(error)
    group = key.rpartition(".")[0]
    if not group and (configs / key).is_dir():
        return f"{key} is not chosen yet: give {key}=OPTION as well"
    names = [str(name) for name in node if name != "_target_"]
    if not group:
        return f"{key} is no parameter; {_remedy(key, names)}"
    return f"{key} is no parameter; {group} has {', '.join(names)}"


def _first_sentence(error: Exception) -> str:
    return re.split(r" (?:Config search path|See https|full_key:)", " ".join(str(error).split()))[0]


def _remedy(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else f"the parameters are {', '.join(known)}"
