"""What is seen lead by lead: the spectra of the sets, and how their leads go together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ecggan.plotting import figures
from ecggan.plotting.figures import LABEL_SIZE, PANELS_A_ROW, TICK_SIZE, TITLE_SIZE

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure
    import matplotlib.image

TICKS_HZ = (0.5, 1, 2, 5, 15, 40, 100, 250)
CORRELATION_COLOURS, DIFFERENCE_COLOURS = "RdBu_r", "PuOr_r"
SMALLEST_DIFFERENCE_SCALE = 0.1  # below it the colours would shout about nothing
CELL_INCHES = 0.42
LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue; ITU-R BT.709


def plot_spectra(
    frequencies_hz: Float[np.ndarray, " frequency"],
    sets: Mapping[str, Mapping[str, np.ndarray]],
    quartiles_db: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> "matplotlib.figure.Figure":
    """One panel a lead: the power spectral density of each set, in dB, over the frequency on a logarithmic axis.

    Args:
        frequencies_hz: above 0.
        sets: name -> lead -> density in mV²/Hz; NaN and 0 are not drawn.
        quartiles_db: name -> lead -> ``(3, frequency)`` in dB re 1 mV²/Hz; the outer two bound a band of that colour.
    """
    from matplotlib.ticker import NullLocator

    leads = list(dict.fromkeys(lead for values in sets.values() for lead in values))
    colours, decibels = figures.set_colours(sets), {name: _in_decibels(values) for name, values in sets.items()}
    known = np.concatenate([np.empty(0), *(curve for curves in decibels.values() for curve in curves.values())])
    known = known[np.isfinite(known)]
    figure, panels = figures.empty_panels(len(leads), (3.2, 2.5))
    ticks = [hz for hz in TICKS_HZ if len(frequencies_hz) and frequencies_hz[0] <= hz <= frequencies_hz[-1]]
    for axes, lead in zip(panels, leads, strict=True):
        axes.set_title(lead, fontsize=TITLE_SIZE, weight="bold", parse_math=False)
        curves = {name: values[lead] for name, values in decibels.items() if np.isfinite(values.get(lead, [])).any()}
        if not curves:
            figures.annotate_empty(axes)
            continue
        for name, curve in curves.items():
            axes.plot(frequencies_hz, curve, color=colours[name], linewidth=1.2)
            if quartiles_db is not None and lead in quartiles_db.get(name, {}):
                low, _, high = quartiles_db[name][lead]
                axes.fill_between(frequencies_hz, low, high, color=colours[name], alpha=0.2, linewidth=0)
        axes.set(xscale="log", ylim=(known.min() - 5, known.max() + 5))
        if frequencies_hz[-1] > frequencies_hz[0]:
            axes.set_xlim(frequencies_hz[0], frequencies_hz[-1])
        axes.set_xticks(ticks, [f"{hz:g}" for hz in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(labelsize=TICK_SIZE)
        axes.grid(color="#e5e5e5", linewidth=0.6)
        axes.set_axisbelow(True)
    for axes in panels[::PANELS_A_ROW]:
        axes.set_ylabel("dB re 1 mV²/Hz", fontsize=LABEL_SIZE)
    for axes in panels[-PANELS_A_ROW:]:
        axes.set_xlabel("frequency (Hz)", fontsize=LABEL_SIZE)
    figures.name_sets(figure, colours)
    return figure


def plot_lead_correlations(
    sets: Mapping[str, Float[np.ndarray, "lead lead"]], leads: Sequence[str]
) -> "matplotlib.figure.Figure":
    """A map of correlations for each set, and how each differs from the first (minus the reference).

    Args:
        sets: name -> correlation of each two leads, -1 to 1; NaN where there is none.
        leads: their names, in the order of the rows and columns.

    Raises:
        ValueError: there is no set, or a matrix that does not fit the leads.
    """
    from matplotlib.figure import Figure

    wrong = [name for name, matrix in sets.items() if matrix.shape != (len(leads), len(leads))]
    if wrong or not sets or not leads:
        what = f"that of {wrong[0]!r} is {sets[wrong[0]].shape}" if wrong else "there is none"
        raise ValueError(f"sets must have a matrix of {len(leads)} by {len(leads)} leads each; {what}")
    reference, *others = sets
    differences = {name: sets[name] - sets[reference] for name in others}
    # two sets and their difference stand in a row; with more sets each difference stands below its set
    num_rows, num_columns = (2, len(sets)) if len(others) > 1 else (1, len(sets) + len(others))
    side = max(2.4, CELL_INCHES * len(leads) + 0.6)
    figure = Figure(figsize=(side * num_columns + 1.2, (side + 0.3) * num_rows), layout="constrained")
    panels = figure.subplots(num_rows, num_columns, squeeze=False)
    upper = list(panels[0])
    lower = list(panels[1][1:]) if num_rows > 1 else upper[len(sets) :]
    if num_rows > 1:
        panels[1][0].set_axis_off()
    for axes, (name, matrix) in zip(upper, sets.items(), strict=False):
        image = _draw_matrix(axes, matrix, leads, name, CORRELATION_COLOURS, 1.0)
    _explain(figure, image, upper[: len(sets)], "correlation")
    if others:
        found = figures.finite(np.ravel(list(differences.values())))
        largest = float(np.abs(found).max(initial=SMALLEST_DIFFERENCE_SCALE))
        for axes, (name, matrix) in zip(lower, differences.items(), strict=True):
            image = _draw_matrix(axes, matrix, leads, f"{name} − {reference}", DIFFERENCE_COLOURS, largest)
        _explain(figure, image, lower, "difference of correlations")
    return figure


def _in_decibels(densities: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k: 10 * np.log10(np.where(density > 0, density, np.nan)) for k, density in densities.items()}


def _draw_matrix(
    axes: "matplotlib.axes.Axes", matrix: np.ndarray, leads: Sequence[str], title: str, colours: str, scale: float
) -> "matplotlib.image.AxesImage":
    axes.set_title(title, fontsize=TITLE_SIZE, parse_math=False)
    image = axes.imshow(matrix, cmap=colours, vmin=-scale, vmax=scale)
    axes.set_xticks(range(len(leads)), leads, fontsize=LABEL_SIZE)
    axes.set_yticks(range(len(leads)), leads, fontsize=LABEL_SIZE)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), number in np.ndenumerate(matrix):
        if np.isfinite(number) and row != column:
            is_dark = np.dot(image.to_rgba(number)[:3], LUMINANCE) < 0.5
            ink = "white" if is_dark else "black"
            axes.text(column, row, _short(number), ha="center", va="center", fontsize=TICK_SIZE, color=ink)
    return image


def _explain(
    figure: "matplotlib.figure.Figure", image: "matplotlib.image.AxesImage", panels: Sequence[Any], words: str
) -> None:
    bar = figure.colorbar(image, ax=panels, fraction=0.05, pad=0.02, shrink=0.85)
    bar.set_label(words, fontsize=LABEL_SIZE)
    bar.ax.tick_params(labelsize=TICK_SIZE)
    bar.outline.set_visible(False)


def _short(number: float) -> str:
    """Two decimals without the 0 before the point, which every correlation has."""
    text = figures.signed(float(number))
    return text.replace("0.", ".", 1) if abs(number) < 0.995 else text
