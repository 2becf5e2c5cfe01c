"""How the site shows docstrings: a doctest outside of an `Examples` section is Python, no quotation."""

import re
from typing import Any

from griffe import Extension, Object

_DOCTEST = re.compile(r"(?m)^(?P<indent> *)>>> .*(?:\n(?P=indent)(?=\S).*)*")


class Doctests(Extension):
    """Put doctests into fences."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _DOCTEST.sub(_fenced, obj.docstring.value)


def _fenced(found: re.Match[str]) -> str:
    indent = found["indent"]
    return f"{indent}```pycon\n{found[0]}\n{indent}```"
