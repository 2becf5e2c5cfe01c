"""The command line of the page: ``key=value``, as of the other commands."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields

from ecggan import checks

HELP = """\
Draw, look at, measure and compare ECGs in a browser.

python -m ecggan.page                             the published generator
python -m ecggan.page run=RUN ecg_set=DIR         a generator of yours beside an ECG set, real or generated

checkpoint   published, or a file; several: [A,B]
run          the folder of a training run, or several
ecg_set      the folder of an ECG set, or several; with real ones there is a quiz
report       the folder of a report of evaluate.py, or several, to be opened from a list
port         8000 by default; 0 for any that is free
host         127.0.0.1 by default: this machine alone. Another address (0.0.0.0 for all) needs a token, which is printed
num_workers  processes that draw and measure, at least 2; one a core by default, at most 4
"""


@dataclass(frozen=True)
class Settings:
    """The parameters of the command; see `HELP`."""

    checkpoint: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    ecg_set: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    port: int = 8000
    host: str = "127.0.0.1"
    num_workers: int | None = None

    def __post_init__(self) -> None:
        checks.whole_number("port", self.port, at_least=0, at_most=65535)
        checks.whole_number("num_workers", self.num_workers, at_least=2, at_most=64, or_null=True)


def parse(arguments: Sequence[str]) -> Settings:
    """The settings of a command line; without a source, the published generator.

    >>> parse(["checkpoint=[published,gan.pt]", "port=0"]).checkpoint
    ('published', 'gan.pt')

    Raises:
        ValueError: a parameter is unknown, or a value cannot be.
    """
    names = [field.name for field in fields(Settings)]
    given: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or name not in names:
            near = difflib.get_close_matches(name, names, 1)
            remedy = f"did you mean {near[0]}=?" if near else f"the parameters are {', '.join(names)}"
            raise ValueError(f"{argument} is no parameter of the page; {remedy}")
        values = value[1:-1].split(",") if value.startswith("[") and value.endswith("]") else [value]
        values = [each.strip() for each in values]
        if not all(values):
            raise ValueError(f"{name} must have a value; got {argument}")
        given[name] = (*given.get(name, ()), *values)
    if not any(name in given for name in ("checkpoint", "run", "ecg_set")):
        given["checkpoint"] = ("published",)
    single: dict[str, str | int] = {}
    for name in ("port", "host", "num_workers"):
        if name in given:
            *others, value = given.pop(name)
            if others:
                raise ValueError(f"{name} is given {len(others) + 1} times")
            single[name] = value if name == "host" else _whole(name, value)
    return Settings(**given, **single)  # type: ignore[arg-type]


def _whole(name: str, value: str) -> int:
    checks.whole_number(name, int(value) if value.isdecimal() else value, at_least=0)
    return int(value)
