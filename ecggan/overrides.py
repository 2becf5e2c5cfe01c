"""Which job takes which parameter, said in one line before Hydra composes a configuration.

Hydra advises to add an unknown key with ``+``, which is never right here.
"""

import difflib
import functools
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Hydra's errors for what stands on the command line, and that of a sweep of which a run's error has been logged; others
# are bugs, and keep their traceback.
_OF_THE_USER = ("ConfigCompositionException", "MissingConfigException", "OverrideParseException", "RunFailedError")

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
        if jobs and (problem := find_problem(sys.argv[1:], configs, script, jobs)):
            raise SystemExit(f"error: {problem}")
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # else Hydra prints its errors itself, and exits
        try:
            return main(*args, **kwargs)
        except Exception as error:
            if os.environ.get("ECGGAN_DEBUG") == "1" or type(error).__name__ not in _OF_THE_USER:
                raise
            raise SystemExit(f"error: {_one_line(error, configs)}") from error

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
        form = _BEFORE.get(name, "").format(value=value)
        if form and form.split()[0].removeprefix("job=") in jobs:
            return f"{name} is a job: give {form}"
        others = [other for other in jobs if name in _keys(configs / "job" / f"{other}.yaml")]
        if others:
            remedy = f": give job={others[0]} {key}={value}" if len(others) == 1 else ""
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
    cause = error.__cause__
    node, key = getattr(cause, "parent_node", None), str(getattr(cause, "full_key", ""))
    if node is None or "is not in struct" not in str(cause):
        return re.split(r" (?:Config search path|See https)", " ".join(str(error).split()))[0]
    group = key.rpartition(".")[0]
    if not group and (configs / key).is_dir():
        return f"{key} is not chosen yet: give {key}=OPTION as well"
    names = [str(name) for name in node if name != "_target_"]
    if not group:
        return f"{key} is no parameter; {_remedy(key, names)}"
    return f"{key} is no parameter; {group} has {', '.join(names)}"


def _remedy(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else f"the parameters are {', '.join(known)}"
