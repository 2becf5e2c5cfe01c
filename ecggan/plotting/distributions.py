"""How the values of a measurement are spread, set against set: densities, quantiles, and one measurement by another."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecggan.plotting import figures
from ecggan.plotting.figures import LABEL_SIZE, PANELS_A_ROW, TICK_SIZE, TITLE_SIZE, DisplayNames, finite, robust_range
from ecggan.stats.resampling import evenly_spaced

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

Sets = Mapping[str, Mapping[str, np.ndarray]]
"""Name of the set -> measurement -> values, NaN where there is none; the first set is the reference."""

SAMPLE_MS = 2.0  # at 500 Hz: the step of an interval
MOST_FILLED = 2  # more densities than that, laid over each other, are mud
QUANTILES = np.arange(1, 100) / 100
QUARTILES = [24, 49, 74]  # where they stand in QUANTILES
MOST_POINTS = 2000  # of a cloud


def plot_distributions(sets: Sets, display_names: DisplayNames | None = None) -> "matplotlib.figure.Figure":
    """One panel a measurement: the densities of the sets on common bins; the few values far outside are not in view.

    Args:
        sets: the panels are the measurements of all sets, in the order in which they come.
        display_names: words and unit of a measurement, where its name does not say them (``qrs_duration_ms`` does).
    """
    names, colours = _measurements(sets), figures.set_colours(sets)
    figure, panels = figures.empty_panels(len(names), (3.2, 2.4))
    for axes, name in zip(panels, names, strict=True):
        words, unit = figures.words_and_unit(name, display_names)
        axes.set_title(words, fontsize=TITLE_SIZE, parse_math=False)
        axes.set_xlabel(unit, fontsize=LABEL_SIZE)
        _draw_densities(axes, {k: finite(values.get(name)) for k, values in sets.items()}, colours, unit)
    figures.name_sets(figure, colours)
    return figure


def plot_qq(
    sets: Sets, names: Sequence[str] | None = None, display_names: DisplayNames | None = None
) -> "matplotlib.figure.Figure":
    """One panel a measurement: each set's quantiles, 1 to 99 %, against those of the reference; large dots: quartiles.

    On the diagonal the sets are spread alike; a line beside it is a shift, a flatter one too narrow a spread.

    Args:
        sets: as for [plot_distributions][].
        names: the measurements to draw; None for all.
        display_names: as there.
    """
    names = _measurements(sets) if names is None else list(names)
    colours, reference = figures.set_colours(sets), next(iter(sets), "")
    figure, panels = figures.empty_panels(len(names), (3.2, 3.0))
    for axes, name in zip(panels, names, strict=True):
        words, unit = figures.words_and_unit(name, display_names)
        axes.set_title(words, fontsize=TITLE_SIZE, parse_math=False)
        axes.set_xlabel(figures.with_unit(reference, unit), fontsize=LABEL_SIZE, parse_math=False)
        others = [k for k in sets if k != reference]
        axes.set_ylabel(figures.with_unit(others[0] if len(others) == 1 else "each set", unit), parse_math=False)
        axes.yaxis.label.set_fontsize(LABEL_SIZE)
        values = {k: finite(sets[k].get(name)) for k in sets}
        _draw_quantiles(axes, {k: np.quantile(v, QUANTILES) for k, v in values.items() if len(v)}, reference, colours)
    figures.name_sets(figure, {k: colour for k, colour in colours.items() if k != reference})
    return figure


def plot_relation(
    sets: Sets,
    x: str,
    y: str,
    slopes: Mapping[str, float] | None = None,
    display_names: DisplayNames | None = None,
) -> "matplotlib.figure.Figure":
    """One measurement by another (QT by RR), a panel a set on common axes, with the line and its slope.

    At most 2,000 points of a set are drawn, spread evenly over it; the line and the figures are of all. Values far
    outside are not in view.

    Args:
        sets: as for [plot_distributions][]; `x` and `y` of one set belong together, record by record.
        x: the measurement across.
        y: the measurement up.
        slopes: of the line in each set, where it was found elsewhere; else it is that of least squares.
        display_names: as for [plot_distributions][].
    """
    (x_words, x_unit), (y_words, y_unit) = (figures.words_and_unit(name, display_names) for name in (x, y))
    pairs, colours = {name: _pairs(values, x, y) for name, values in sets.items()}, figures.set_colours(sets)
    figure, panels = figures.empty_panels(len(sets), (3.2, 3.1))
    per_unit = f" {y_unit}/{x_unit}" if x_unit and y_unit and x_unit != y_unit else ""
    every = np.concatenate([np.empty((2, 0)), *pairs.values()], axis=1)
    for i, (axes, (name, pair)) in enumerate(zip(panels, pairs.items(), strict=True)):
        axes.set_xlabel(figures.with_unit(x_words, x_unit), fontsize=LABEL_SIZE, parse_math=False)
        if i % PANELS_A_ROW == 0:
            axes.set_ylabel(figures.with_unit(y_words, y_unit), fontsize=LABEL_SIZE, parse_math=False)
        axes.tick_params(labelsize=TICK_SIZE)
        if not pair.shape[1]:
            axes.set_title(f"{name}\nn = 0", fontsize=TITLE_SIZE, parse_math=False)
            figures.annotate_empty(axes)
            continue
        axes.set(xlim=_view(every[0]), ylim=_view(every[1]))
        r, slope = _correlation_and_slope(pair)
        slope = slope if slopes is None else slopes.get(name, slope)
        facts = f"r = {_or_dash(r)}, slope {_or_dash(slope, 3)}{per_unit}, n = {pair.shape[1]:,}"
        axes.set_title(f"{name}\n{facts}", fontsize=TITLE_SIZE, parse_math=False)
        shown = pair[:, evenly_spaced(pair.shape[1], MOST_POINTS)]
        axes.scatter(shown[0], shown[1], s=8, color=colours[name], alpha=0.5, linewidths=0, rasterized=True)
        if np.isfinite(slope):
            axes.axline(tuple(pair.mean(axis=1)), slope=slope, color="black", linewidth=1.2)
    return figure


def _measurements(sets: Sets) -> list[str]:
    return list(dict.fromkeys(name for values in sets.values() for name in values))


def _draw_densities(
    axes: "matplotlib.axes.Axes", sets: Mapping[str, np.ndarray], colours: Mapping[str, str], unit: str
) -> None:
    axes.set_yticks([])
    axes.tick_params(labelsize=TICK_SIZE)
    axes.spines[["top", "left", "right"]].set_visible(False)
    known = {name: values for name, values in sets.items() if len(values)}
    if not known:
        figures.annotate_empty(axes)
        return
    limits = np.array([robust_range(values) for values in known.values()])
    low, high = limits[:, 0].min(), limits[:, 1].max()
    edges = _bin_edges(list(known.values()), low, high, SAMPLE_MS if unit == "ms" else 0.0)
    for i, (name, values) in enumerate(known.items()):
        density = np.histogram(values, edges)[0] / (len(values) * (edges[1] - edges[0]))
        if len(sets) <= MOST_FILLED or i == 0:
            axes.stairs(density, edges, color=colours[name], fill=True, alpha=0.3)
        axes.stairs(density, edges, color=colours[name], linewidth=1.2)
    axes.set_ylim(bottom=0)


def _draw_quantiles(
    axes: "matplotlib.axes.Axes", quantiles: Mapping[str, np.ndarray], reference: str, colours: Mapping[str, str]
) -> None:
    axes.tick_params(labelsize=TICK_SIZE)
    if reference not in quantiles or len(quantiles) < 2:
        figures.annotate_empty(axes)
        return
    limits = _with_room(min(map(np.min, quantiles.values())), max(map(np.max, quantiles.values())))
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.locator_params(nbins=5)
    axes.plot(limits, limits, color="grey", linewidth=0.8)
    for name in (k for k in quantiles if k != reference):
        across, up = quantiles[reference], quantiles[name]
        axes.plot(across, up, color=colours[name], linewidth=0.8, marker=".", markersize=3)
        axes.plot(across[QUARTILES], up[QUARTILES], color=colours[name], linestyle="", marker="o", markersize=5.5)


def _bin_edges(sets: Sequence[np.ndarray], low: float, high: float, step: float) -> np.ndarray:
    """Common bins, 10 to 40 of them, as wide as the smaller set needs.

    Values that come in steps get bins of whole steps, their edges between two: others would comb the distribution.

    Source: Freedman and Diaconis 1981, On the histogram as a density estimator.
    """
    if not high > low:
        low, high = low - 0.5, high + 0.5
    smallest = min(sets, key=len)
    wanted = 2 * float(np.subtract(*np.percentile(smallest, [75, 25]))) / len(smallest) ** (1 / 3)
    width = float(np.clip(wanted, (high - low) / 40, (high - low) / 10))
    if step:
        width = max(step, step * round(width / step))
        low = step * np.floor(low / step) - step / 2
    return low + width * np.arange(np.ceil((high - low) / width) + 1)


def _view(values: np.ndarray) -> tuple[float, float]:
    return _with_room(*robust_range(values))


def _with_room(low: float, high: float) -> tuple[float, float]:
    room = 0.05 * (high - low) or 0.5
    return low - room, high + room


def _pairs(values: Mapping[str, np.ndarray], x: str, y: str) -> np.ndarray:
    """``(2, record)`` of those that have both."""
    if x not in values or y not in values:
        return np.empty((2, 0))
    both = np.stack([np.asarray(values[x], float), np.asarray(values[y], float)])
    return both[:, np.isfinite(both).all(axis=0)]


def _correlation_and_slope(pair: np.ndarray) -> tuple[float, float]:
    """Pearson's r and the slope of least squares; NaN where x (for r: or y) does not vary."""
    across, up = pair - pair.mean(axis=1, keepdims=True)
    if not (np.ptp(pair[0]) > 0):
        return np.nan, np.nan
    slope = float(across @ up / (across @ across))
    return (float(across @ up / np.sqrt((across @ across) * (up @ up))) if np.ptp(pair[1]) > 0 else np.nan), slope


def _or_dash(number: float, digits: int = 2) -> str:
    return figures.signed(number, digits) if np.isfinite(number) else "–"
