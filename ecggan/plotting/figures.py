"""What every figure shares: the sets' colours and legend, the words of a measurement, and how a figure becomes a file.

The same figure is written as the same bytes: no dates, and no random names within an SVG.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecggan.files.atomic import atomic_file

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

# Okabe and Ito's colours, which colour-blind readers tell apart too; https://jfly.uni-koeln.de/color
REAL, GENERATED = "#0072b2", "#d55e00"
_COLOURS = (REAL, GENERATED, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")

DisplayNames = Mapping[str, tuple[str, str]]
"""Measurement -> (name, unit), as people read them."""

TITLE_SIZE, LABEL_SIZE, TICK_SIZE = 9, 8, 7
PANELS_A_ROW = 4
_LETTER_INCHES, _SWATCH_INCHES = 0.075, 0.6  # width of a letter of the legend, on average, and of what is before it
_WITHOUT_DATE = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


def set_colours(names: Iterable[str], has_reference: bool = True) -> dict[str, str]:
    """The colour of each set, the reference's first if it is among them; from the eighth colour on they come again."""
    return {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names, start=0 if has_reference else 1)}


def figure_png(figure: "matplotlib.figure.Figure", dpi: int | float) -> bytes:
    return _figure_bytes(figure, "png", dpi)


def save_figure(figure: "matplotlib.figure.Figure", path: str | Path, dpi: int | float) -> None:
    """Write the figure in the format of the path's suffix (png, pdf, svg), whole or not at all.

    Raises:
        ValueError: matplotlib does not know the suffix.
    """
    suffix = Path(path).suffix.removeprefix(".")
    if suffix not in figure.canvas.get_supported_filetypes():
        raise ValueError(f"{path}: figures are written as .png, .pdf or .svg, by the suffix; got {suffix!r}")
    written = _figure_bytes(figure, suffix, dpi)
    with atomic_file(path) as unfinished:
        unfinished.write_bytes(written)


def empty_panels(
    num_panels: int, panel_inches: tuple[float, float]
) -> "tuple[matplotlib.figure.Figure, list[matplotlib.axes.Axes]]":
    """A figure of that many panels, at least one, at most four in a row; places left over stay blank."""
    from matplotlib.figure import Figure

    num_columns = max(1, min(PANELS_A_ROW, num_panels))
    num_rows = max(1, -(-num_panels // num_columns))
    width, height = panel_inches
    figure = Figure(figsize=(width * num_columns, height * num_rows + 0.5), layout="constrained")
    panels = list(figure.subplots(num_rows, num_columns, squeeze=False).flat)
    for axes in panels[num_panels:]:
        axes.set_axis_off()
    return figure, panels[:num_panels]


def name_sets(figure: "matplotlib.figure.Figure", colours: Mapping[str, str]) -> None:
    """A legend of the sets above the panels."""
    from matplotlib.patches import Patch

    swatches = [Patch(color=colour, alpha=0.6) for colour in colours.values()]
    add_legend(figure, swatches, list(colours))


def add_legend(figure: "matplotlib.figure.Figure", handles: Sequence[Any], words: Sequence[str]) -> None:
    """A legend above the panels, in as many columns as the page is wide, its words taken letter by letter."""
    if not words:
        return
    widths = [len(word) * _LETTER_INCHES + _SWATCH_INCHES for word in words]
    room = figure.get_figwidth()
    num_columns = len(words) if sum(widths) <= room else max(1, int(room / max(widths)))
    legend = figure.legend(
        handles,
        [" "] * len(words),
        loc="outside upper right",
        ncols=num_columns,
        frameon=False,
        fontsize=TITLE_SIZE,
    )
    for text, word in zip(legend.get_texts(), words, strict=True):
        text.set_parse_math(False)  # a dollar is no formula, and a leading underscore does not hide the set
        text.set_text(word)


def annotate_empty(axes: "matplotlib.axes.Axes") -> None:
    axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", color="grey")
    axes.set_xticks([])
    axes.set_yticks([])


def words_and_unit(name: str, display_names: DisplayNames | None) -> tuple[str, str]:
    """A panel's title and unit; without a display name, the name itself and no unit.

    >>> words_and_unit("hr", {"hr": ("heart rate", "bpm")}), words_and_unit("hr", None)
    (('Heart rate', 'bpm'), ('hr', ''))
    """
    if display_names is None or name not in display_names:
        return name, ""
    shown, unit = display_names[name]
    return shown[:1].upper() + shown[1:], "degrees" if unit == "°" else unit  # alone below an axis, ° is a speck


def with_unit(words: str, unit: str) -> str:
    return f"{words} ({unit})" if unit else words


def finite(values: Iterable[float] | None) -> np.ndarray:
    array = np.asarray([] if values is None else values, dtype=float)
    return array[np.isfinite(array)]


def robust_range(values: np.ndarray) -> tuple[float, float]:
    """All values, unless a few wild ones would squeeze the rest: then the middle 96 % and a quarter of that beside."""
    low, high = np.percentile(values, [2, 98])
    beside = 0.25 * (high - low)
    return max(values.min(), low - beside), min(values.max(), high + beside)


def _figure_bytes(figure: "matplotlib.figure.Figure", suffix: str, dpi: int | float) -> bytes:
    from matplotlib import rc_context

    layout = figure.get_layout_engine()
    if layout is not None:  # once: each format would lay the panels out twice, and draw all an additional time
        layout.execute(figure)
        figure.set_layout_engine("none")
    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "ecggan"}):
        figure.savefig(buffer, format=suffix, dpi=dpi, metadata=_WITHOUT_DATE.get(suffix))
    return buffer.getvalue()
