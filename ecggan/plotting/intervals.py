"""How far from the reference, and how surely: the differences of many measurements with their intervals, in margins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecggan.plotting import figures
from ecggan.plotting.figures import LABEL_SIZE
from ecggan.stats.number_text import plain

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

ROW_INCHES, SET_INCHES = 0.12, 0.17  # height of a row's gap, and of each set within it
NARROWEST_VIEW, WIDEST_VIEW = 1.5, 6.0  # margins; what lies beyond is an arrow at the edge with its number
MARGIN_COLOUR, NULL_COLOUR = "#eaf3ea", "#c9c9c9"


@dataclass(frozen=True)
class Interval:
    """One measurement's difference, generated − real, with its intervals, all divided by its equivalence margin.

    Args:
        label: what is measured.
        difference: NaN where it could not be had.
        low95: the ends of the 95 % interval.
        high95: likewise.
        low90: the ends of the 90 % interval: within ±1, the sets are equivalent at the 5 % level (two one-sided tests).
        high90: likewise.
        null_low: between which bounds the difference of two real sets lies; None where it is not known.
        null_high: likewise.
    """

    label: str
    difference: int | float
    low95: int | float
    high95: int | float
    low90: int | float
    high90: int | float
    null_low: int | float | None = None
    null_high: int | float | None = None


def plot_intervals(sets: Mapping[str, Sequence[Interval]]) -> "matplotlib.figure.Figure":
    """A forest plot: a row a measurement, and in it a difference a generated set, in units of the margin.

    A thick line is the 90 % interval, a thin one the 95 % interval; the margin is shaded. What lies beyond the view is
    an arrow at its edge, with the difference in figures.

    Args:
        sets: of the generated sets alone, by name, for the reference is the line at 0; their colours are those that
            they have beside a reference elsewhere. A measurement need not be in every set.
    """
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    labels = list(dict.fromkeys(interval.label for intervals in sets.values() for interval in intervals))
    colours = figures.set_colours(sets, has_reference=False)
    height = (ROW_INCHES + SET_INCHES * max(1, len(sets))) * max(1, len(labels))
    figure = Figure(figsize=(9.0, height + 1.3), layout="constrained")
    axes = figure.subplots()
    limit = _view([interval for intervals in sets.values() for interval in intervals])
    axes.set(xlim=(-limit, limit), ylim=(max(1, len(labels)) - 0.5, -0.5))
    axes.axvspan(-1, 1, color=MARGIN_COLOUR, zorder=0)
    axes.axvline(0, color="black", linewidth=0.8, zorder=2)
    if not labels:
        figures.annotate_empty(axes)
        return figure
    dodge = SET_INCHES / (ROW_INCHES + SET_INCHES * len(sets))
    for i, (name, intervals) in enumerate(sets.items()):
        for interval in intervals:
            y = labels.index(interval.label) + (i - (len(sets) - 1) / 2) * dodge
            _plot_interval(axes, interval, y, dodge, limit, colours[name])
    axes.set_yticks(range(len(labels)), labels, fontsize=LABEL_SIZE, parse_math=False)
    axes.hlines(np.arange(len(labels) - 1) + 0.5, -limit, limit, color="#eeeeee", linewidth=0.6, zorder=1)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=LABEL_SIZE)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.set_xlabel("difference from the reference, in equivalence margins", fontsize=LABEL_SIZE)
    handles: list[Artist] = [Line2D([], [], color=colour, marker="o", linewidth=3) for colour in colours.values()]
    words = list(sets)
    handles += [Line2D([], [], color="black", linewidth=width) for width in (3, 1)] + [Patch(color=MARGIN_COLOUR)]
    words += ["90 % interval", "95 % interval", "within the margin"]
    if any(interval.null_low is not None for intervals in sets.values() for interval in intervals):
        handles, words = [*handles, Patch(color=NULL_COLOUR)], [*words, "real against real"]
    figures.add_legend(figure, handles, words)
    return figure


def _view(intervals: Sequence[Interval]) -> float:
    """How many margins to either side are shown."""
    ends = [[i.difference, i.low95, i.high95, i.null_low or 0.0, i.null_high or 0.0] for i in intervals]
    sizes = np.abs(figures.finite(np.ravel(ends)))
    return max(NARROWEST_VIEW, 1.08 * float(sizes[sizes <= WIDEST_VIEW].max(initial=0.0)))


def _plot_interval(
    axes: "matplotlib.axes.Axes", interval: Interval, y: float, height: float, limit: float, colour: str
) -> None:
    if interval.null_low is not None and interval.null_high is not None:
        width = interval.null_high - interval.null_low
        axes.barh(y, width, 0.9 * height, interval.null_low, color=NULL_COLOUR, linewidth=0, zorder=1)
    if not np.isfinite(interval.difference):
        axes.text(-0.97 * limit, y, "no values", ha="left", va="center", fontsize=LABEL_SIZE, color="grey")
        return
    axes.plot([interval.low95, interval.high95], [y, y], color=colour, linewidth=1, zorder=3)
    axes.plot([interval.low90, interval.high90], [y, y], color=colour, linewidth=3, zorder=3, solid_capstyle="butt")
    if abs(interval.difference) <= limit:
        axes.plot([interval.difference], [y], color=colour, marker="o", markersize=5, zorder=4)
        for end, way in ((interval.low95, -1), (interval.high95, 1)):
            if way * end > limit:  # the interval exceeds the view
                arrow = "<" if way < 0 else ">"
                axes.plot([way * limit], [y], color=colour, marker=arrow, markersize=4, zorder=4, clip_on=False)
        return
    side = np.sign(interval.difference)
    axes.plot([side * limit], [y], color=colour, marker=">" if side > 0 else "<", markersize=7, zorder=4, clip_on=False)
    text = plain(interval.difference, 1)
    anchor = "right" if side > 0 else "left"
    axes.text(side * limit * 0.97, y, text, ha=anchor, va="center", fontsize=LABEL_SIZE, color=colour, zorder=4)
