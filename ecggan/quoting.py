r"""Arguments as users write them: values quoted for Hydra on their way in, and for the shell on their way out.

Hydra's grammar gives a meaning to commas, brackets, quotes, numbers and more. A parameter that names a file or folder
takes what the shell passes as it is, with these exceptions, which ``./`` before the name turns off:

- ``null``, and words that a parameter knows (``training=false``, ``init=published``, ``resume=auto``)
- ``~`` at its beginning: the home folder
- quotes around the whole of it: Hydra's
- ``[A,B]`` and ``{a:A,b:B}`` where several are taken, and ``A,B`` for the choices of a sweep (``-m``); not if a file or
  folder of that very name exists
- ``${…}``: an interpolation
"""

import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

_TOP_LEVEL = {  # parameters that name a file or folder
    *("out", "run", "run_folder", "generated", "real", "training", "checkpoint", "ecg_set", "multirun"),
    *("readers", "key", "init", "resume", "cache", "like", "condition", "utility"),
}
_LAST = {"root", "dataset", "storage", "folder", "save_dir", "log_directory", "submitit_folder", "default_root_dir"}
_WHOLE = {"hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.output_subdir"}
_SEVERAL = {"generated", "readers", "utility"}  # [A,B] or {a:A,b:B}
_OR_VALUES = {"condition"}  # a file, or [A,B] or {a:1,b:[2,3]}, whose numbers are numbers
_WORDS = {"training": ("false", "true")}  # no paths; true is refused
_NO_CHOICES = {"out", "cache", "hydra.run.dir", "hydra.sweep.dir"}  # one for all the runs of a sweep
_OVERRIDE = re.compile(r"(\+{0,2}([^=~+][^=]*)=)(.*)", re.DOTALL)
_PAIR = re.compile(r"\s*([^:]+?)\s*:(.*)", re.DOTALL)
_SWEEP_FUNCTION = re.compile(r"(choice|glob|interval|range|shuffle|sort|tag)\(.*\)", re.DOTALL)
_OF_INTERPOLATIONS = {  # OmegaConf's errors
    *("InterpolationKeyError", "InterpolationResolutionError", "InterpolationToMissingValueError"),
    *("GrammarParseError", "UnsupportedInterpolationType"),
}
_BRACKETS = {"[": "]", "{": "}", "(": ")"}


def is_path(key: str) -> bool:
    """Whether a parameter names a file or folder.

    >>> is_path("out"), is_path("data.parts.ptbxl.root"), is_path("seed"), is_path("logger.wandb.name")
    (True, True, False, False)
    """
    return key in _TOP_LEVEL | _WHOLE or ("." in key and key.rpartition(".")[2] in _LAST)


def quoted_for_hydra(arguments: Sequence[str]) -> list[str]:
    r"""A command line that Hydra understands as it was meant.

    Raises:
        ValueError: a path is empty.

    >>> quoted_for_hydra(["out=my run", "data.root=2026_11_28", "seed=3", "generated={ours:a=1,theirs:b}"])
    ['out=my run', "data.root='2026_11_28'", 'seed=3', "generated={ours:'a=1',theirs:b}"]
    """
    is_sweep = bool({"-m", "--multirun", "hydra.mode=MULTIRUN"} & set(arguments))
    return [_quoted(argument, is_sweep) for argument in arguments]


def as_argument(name: str, path: str | Path) -> str:
    r"""``name=path`` as it may be pasted into a shell.

    >>> print(as_argument("run", "/tmp/my run/epoch=1"), as_argument("run", "runs/1"), as_argument("run", "null"))
    'run=/tmp/my run/epoch=1' run=runs/1 run=./null
    """
    text = str(path)
    is_word = text in ("null", "published", "ptbxl", "auto", *_WORDS.get(name, ()))
    return shlex.quote(f"{name}=./{text}" if is_word or text[:1] in "~[{'\"" else f"{name}={text}")


def print_any_name() -> None:
    """Let what the locale cannot encode be printed escaped, where it would end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def remedy_of_interpolation(error: BaseException | None) -> str:
    """What to do about an error that OmegaConf has with the ``${`` in an argument; empty for any other error."""
    arguments = [argument for argument in sys.argv[1:] if "${" in argument]
    while error is not None and arguments:
        if type(error).__name__ in _OF_INTERPOLATIONS:
            return (
                f", in {' '.join(map(shlex.quote, arguments))}: ${{…}} is an interpolation; rename a file or folder "
                "with ${ in its name, or give a link to it"
            )
        error = error.__cause__
    return ""


def _quoted(argument: str, is_sweep: bool) -> str:
    found = None if argument.startswith("-") else _OVERRIDE.fullmatch(argument)
    if not found:
        return argument
    start, key, value = found.groups()
    if not is_path(key) or (key in _OR_VALUES and value[:1] in ("[", "{") and not _is_there(value)):
        if _parsed(argument) is not None:
            return argument
        text = _all_quoted(value, _quoted_where_needed)
        is_cut = value[:1] in ("[", "{", "'", '"') and text[:1] == "'"  # a bracket that is not closed: Hydra says so
        return argument if is_cut else start + text
    if not value.strip(" '\""):
        raise ValueError(f"{key} names no file or folder: its value is empty; {key}=null leaves it out")
    if value == "null" or value in _WORDS.get(key, ()):
        return argument
    if key == "hydra.run.dir" and len(value) > 1 and value[0] == value[-1] == '"':
        return start + _quoted_text(value[1:-1])  # Lightning's, which escapes nothing, for a run's further processes
    if _is_there(value):
        return start + _quoted_path(value)
    quoted = partial(_all_quoted, quoted=_quoted_path) if key in _SEVERAL else _quoted_path
    if not is_sweep or key in _NO_CHOICES:
        return start + quoted(value)
    return argument if _SWEEP_FUNCTION.fullmatch(value) else start + ",".join(map(quoted, _parts(value)))


def _all_quoted(value: str, quoted: Callable[[str], str]) -> str:
    """A value with its texts quoted: those in a list or mapping, or the whole."""
    inner = value[1:-1]
    if value.startswith("[") and value.endswith("]"):
        return f"[{','.join(_all_quoted(part, quoted) for part in _parts(inner))}]"
    if value.startswith("{") and value.endswith("}"):
        pairs = [_PAIR.fullmatch(part) for part in _parts(inner)]
        if all(pairs):
            return _mapping({pair[1]: _all_quoted(pair[2].strip(), quoted) for pair in pairs if pair})
    return quoted(value)


def _mapping(quoted: Mapping[str, str]) -> str:
    """A mapping; where Hydra's grammar cannot write its keys, a list of pairs."""
    text = f"{{{','.join(f'{name}:{value}' for name, value in quoted.items())}}}"
    parsed = _parsed(f"x={text}")
    keys = parsed.value() if parsed is not None else None
    if isinstance(keys, dict) and [str(key) for key in keys] == list(quoted):
        return text
    return f"[{','.join(f'[{_quoted_text(name)},{value}]' for name, value in quoted.items())}]"


def _parts(text: str) -> Iterator[str]:
    """What stands between commas, but for those in quotes, in brackets, or in the name of a file that is there."""
    parts = list(_between_commas(text))
    while parts:
        count = next((n for n in range(1, len(parts) + 1) if _is_there(",".join(parts[:n]).strip())), 1)
        yield ",".join(parts[:count]).strip()
        del parts[:count]


def _between_commas(text: str) -> Iterator[str]:
    part, closing, quote = "", list[str](), ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote and not part.endswith("\\") else quote
        elif char in "'\"" and part.strip()[-1:] in ("", ":") and char in text[at + 1 :]:
            quote = char
        elif char in _BRACKETS and _BRACKETS[char] in text[at:]:
            closing.append(_BRACKETS[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif char == "," and not closing:
            yield part
            part = ""
            continue
        part += char
    if part.strip():
        yield part


def _quoted_path(value: str) -> str:
    """As given, ``~`` expanded; of what is in quotes, what they hold."""
    parsed = _parsed(f"x={value}") if value[:1] in ("'", '"') else None
    text = value if parsed is None or not isinstance(parsed.value(), str) else parsed.value()
    if text == "???":  # which is what OmegaConf calls a missing value
        return "'./???'"
    return _quoted_text(os.path.expanduser(text))  # noqa: PTH111  ~somebody may be a folder's name


def _quoted_where_needed(text: str) -> str:
    return _quoted_text(text) if _parsed(f"x={text}") is None else text


def _quoted_text(text: str) -> str:
    """Such that Hydra reads this very text; bare, if that will do."""
    from hydra.core.override_parser.types import Quote, QuotedString

    parsed = _parsed(f"x={text}")
    if parsed is not None and isinstance(parsed.value(), str) and parsed.value() == text:
        return text
    return QuotedString(text, Quote.single).with_quotes()


def _parsed(argument: str) -> Any:
    """The override as Hydra understands it; None where its grammar does not take it."""
    from hydra.errors import HydraException

    try:
        return _parser().parse_override(argument)
    except HydraException:
        return None


@cache
def _parser() -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create()


def _is_there(path: str) -> bool:
    return os.path.lexists(os.path.expanduser(path))  # noqa: PTH111
