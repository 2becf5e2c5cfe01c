"""Self-contained HTML pages: style, script and pictures are in the file."""

import base64
from collections.abc import Mapping
from importlib import resources
from typing import Any

from markupsafe import Markup

from ecggan.evaluation.rendering import render


def render_page(template: str, **values: Any) -> str:
    """Fill an HTML template of this room, with the style and the script that sorts tables."""
    folder = resources.files(__package__).joinpath("templates")
    # ours, so there is no text to escape
    style, script = (Markup(folder.joinpath(name).read_text(encoding="utf-8")) for name in ("style.css", "sort.js"))
    return render(__package__, template, style=style, script=script, **values)


def embedded(png: bytes) -> str:
    """A picture as base64, to embed in a page."""
    return base64.b64encode(png).decode()


def lines(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested facts as (name, value) lines.

    >>> lines({"left_out": {"flat": 2}, "leads": ["I", "II"]})
    [('left_out: flat', '2'), ('leads', 'I, II')]
    """
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in lines(item, f"{name}: {key}" if name else str(key))]
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    return [] if value is None and not name else [(name or "value", "–" if value is None else str(value))]
