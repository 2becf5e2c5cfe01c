"""Templates of HTML pages and Markdown texts, filled in."""

from typing import Any

import jinja2


def render(package: str, template: str, **values: Any) -> str:
    """Fill a template from the folder `templates` of a package.

    Values are escaped, except in Markdown (``….md.j2``).

    Args:
        package: dotted, e.g. ``ecggan.evaluation.report``.
        template: its file.
        values: by the names that the template uses; a missing one is an error.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=jinja2.select_autoescape(disabled_extensions=("md.j2",), default=True),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(values)
