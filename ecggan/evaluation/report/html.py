"""One HTML file that opens anywhere, without network: its style, its script and its pictures are in it."""

import base64
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup


def render(template: str, **values: Any) -> str:
    """Fill a template of `templates`, which also gets the style and the script that sorts tables."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecggan.evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = resources.files("ecggan.evaluation").joinpath("templates")
    # ours, and so no text to escape
    style, script = (Markup(folder.joinpath(name).read_text(encoding="utf-8")) for name in ("style.css", "sort.js"))
    return environment.get_template(template).render(style=style, script=script, **values)


def embedded(png: bytes) -> str:
    """A picture as it stands in the page."""
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
