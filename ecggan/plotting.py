"""An ECG on ECG paper, and two sets' distributions side by side. The only door to matplotlib.

Figures are matplotlib's own objects, never pyplot's: nothing global, no display needed, nothing to close. matplotlib is
imported when the first figure is made, so that importing this costs nothing.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ecggan.atomic import atomic_file
from ecggan.ecg import TWELVE_LEADS, canonical_lead, select_leads

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

# The clinical standard: 1 mm is 40 ms across and 0.1 mV up; the figure's inches are true to it.
MM_PER_SECOND, MM_PER_MV, MM_PER_INCH = 25.0, 10.0, 25.4
CLINICAL_ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
RHYTHM_LEAD = "II"
LONGEST_S = 10.0  # what fits on a page

PULSE_MM = 14.0  # left of the traces, where the calibration pulse stands
MARGIN_MM, HEADER_MM, FOOTER_MM = 5.0, 10.0, 8.0
ROW_MM, GAP_MM = 25.0, 4.0  # least distance of two rows' zero lines; least gap between their traces
LABEL_MM, LETTER_MM = 3.5, 2.2  # height of a lead's name, width of one of its letters

SAMPLE_MS = 2.0  # at 500 Hz: the step of an interval

PAPER, FINE, COARSE, INK = "#fffafa", "#f9d9d9", "#eeb0b0", "#111111"
REAL, GENERATED = "#0072b2", "#d55e00"  # Okabe and Ito's blue and vermilion: told apart by colour-blind readers too

UNITS = {"ms": "ms", "mv": "mV", "bpm": "bpm", "deg": "°"}
WORDS = {w.lower(): w for w in ("P", "Q", "R", "S", "T", "PR", "RR", "ST", "QRS", "QT", "QTc", "Fridericia", "Bazett")}

Row = Sequence[tuple[str, np.ndarray]]  # pieces that follow each other in time: what is written over them, and mV


def plot_ecg(
    millivolts: Float[np.ndarray, "lead time"], leads: Sequence[str], sampling_rate: int | float, title: str = ""
) -> "matplotlib.figure.Figure":
    """One record as a cardiologist reads it: 3 rows of 4 leads, time running on, and lead II below; 25 mm/s, 10 mm/mV.

    Limb leads that are missing are derived from I and II; where the twelve cannot be had, the leads there are stand
    below each other. Each lead is drawn about its median, for an ECG has no absolute zero, and rows move apart
    where a large wave needs room, so nothing is clipped. At most the first 10 s are drawn.
    """
    shown = millivolts[:, : round(LONGEST_S * sampling_rate)]
    try:
        twelve = dict(zip(TWELVE_LEADS, select_leads(shown, leads, TWELVE_LEADS), strict=True))
    except ValueError:
        return _draw([[piece] for piece in zip(leads, shown, strict=True)], sampling_rate, title)
    bounds = np.linspace(0, shown.shape[1], 5).astype(int)
    rows: list[Row] = [
        [(lead, twelve[lead][a:b]) for lead, a, b in zip(row, bounds[:-1], bounds[1:], strict=True)]
        for row in CLINICAL_ROWS
    ]
    return _draw([*rows, [(RHYTHM_LEAD, twelve[RHYTHM_LEAD])]], sampling_rate, title)


def plot_ecg_grid(
    millivolts: Float[np.ndarray, "record lead time"],
    leads: Sequence[str],
    sampling_rate: int | float,
    lead: str = "II",
    titles: Sequence[str] | None = None,
    title: str = "",
) -> "matplotlib.figure.Figure":
    """One lead of several records below each other, on the same paper: what training shows of its progress."""
    strips = select_leads(millivolts, leads, [lead])[:, 0, : round(LONGEST_S * sampling_rate)]
    names = [lead] * len(strips) if titles is None else [f"{lead}  {name}" for name in titles]
    return _draw([[piece] for piece in zip(names, strips, strict=True)], sampling_rate, title)


def plot_distributions(
    real: Mapping[str, np.ndarray], generated: Mapping[str, np.ndarray], labels: tuple[str, str]
) -> "matplotlib.figure.Figure":
    """One panel a measurement: the densities of two sets on common bins; the few values far outside are not in view.

    Args:
        real: measurement by name, its unit at the name's end (``qrs_duration_ms``); NaN where there is none.
        generated: likewise; panels are the names of both, in the order of `real`.
        labels: what the legend calls the two.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    names = list(dict.fromkeys([*real, *generated]))
    num_columns = max(1, min(4, len(names)))
    num_rows = max(1, -(-len(names) // num_columns))
    figure = Figure(figsize=(3.2 * num_columns, 2.4 * num_rows + 0.5), layout="constrained")
    panels = figure.subplots(num_rows, num_columns, squeeze=False).flat
    for axes, name in zip(panels, names, strict=False):
        _draw_distribution(axes, name, _finite(real.get(name)), _finite(generated.get(name)))
    for axes in list(figure.axes)[len(names) :]:
        axes.set_axis_off()
    swatches = [Patch(color=colour, alpha=0.5) for colour in (REAL, GENERATED)]
    figure.legend(swatches, labels, loc="outside upper right", ncols=2, frameon=False)
    return figure


def figure_png(figure: "matplotlib.figure.Figure", dpi: int | float) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def save_figure(figure: "matplotlib.figure.Figure", path: str | Path, dpi: int | float) -> None:
    """Write the figure in the format of the path's suffix (png, pdf, svg), whole or not at all.

    Raises:
        ValueError: matplotlib does not know the suffix.
    """
    suffix = Path(path).suffix.removeprefix(".")
    if suffix not in figure.canvas.get_supported_filetypes():
        raise ValueError(f"{path}: figures are written as .png, .pdf or .svg, by the suffix; got {suffix!r}")
    with atomic_file(path) as unfinished:
        figure.savefig(unfinished, format=suffix, dpi=dpi)


def _draw(rows: Sequence[Row], sampling_rate: int | float, title: str) -> "matplotlib.figure.Figure":
    from matplotlib.figure import Figure

    if not rows:
        raise ValueError("there is nothing to draw: the array holds no lead, or no record")
    pieces_mm = [[_in_mm(piece) for _, piece in row] for row in rows]
    zero_lines, height = _place_rows(pieces_mm)
    longest = max(sum(map(len, row)) for row in pieces_mm)
    width = _whole_squares(2 * MARGIN_MM + PULSE_MM + longest / sampling_rate * MM_PER_SECOND)
    figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))  # in mm
    axes.set_axis_off()
    _rule_paper(axes, width, height)
    for row, row_mm, zero in zip(rows, pieces_mm, zero_lines, strict=True):
        start = MARGIN_MM + PULSE_MM
        _draw_pulse(axes, MARGIN_MM, zero)
        for (name, _), trace in zip(row, row_mm, strict=True):
            x = start + np.arange(len(trace)) / sampling_rate * MM_PER_SECOND
            axes.plot(x, zero + trace, color=INK, linewidth=0.7, solid_joinstyle="round")
            beneath = trace[: round((2 + LETTER_MM * len(name)) / MM_PER_SECOND * sampling_rate)]
            _write_lead(axes, name, start, zero, beneath)
            start += len(trace) / sampling_rate * MM_PER_SECOND
    axes.text(MARGIN_MM, height - MARGIN_MM, title, va="center", fontsize=10, color=INK, parse_math=False)
    axes.text(MARGIN_MM, MARGIN_MM, "25 mm/s   10 mm/mV", va="center", fontsize=8, color=INK)
    return figure


def _in_mm(millivolts: np.ndarray) -> np.ndarray:
    finite = millivolts[np.isfinite(millivolts)]
    return np.where(np.isfinite(millivolts), millivolts - (np.median(finite) if len(finite) else 0), np.nan) * MM_PER_MV


def _place_rows(rows: Sequence[Sequence[np.ndarray]]) -> tuple[list[float], float]:
    """The rows' zero lines from the top down, on coarse lines of the grid, and the height of the paper; all in mm."""
    # how far each row reaches up and down, the calibration pulse and the lead's name included
    up = [float(max([MM_PER_MV, *(np.nanmax(p, initial=0) for p in row)])) + LABEL_MM for row in rows]
    down = [float(max([0.0, *(-np.nanmin(p, initial=0) for p in row)])) for row in rows]
    below_top = [HEADER_MM + up[0]]
    for upper, lower in zip(down[:-1], up[1:], strict=True):
        below_top.append(_whole_squares(below_top[-1] + max(ROW_MM, upper + GAP_MM + lower)))
    height = _whole_squares(below_top[-1] + max(ROW_MM / 2, down[-1]) + FOOTER_MM)
    return [height - _whole_squares(y) for y in below_top], height


def _whole_squares(mm: float) -> float:
    return float(np.ceil(mm / 5) * 5)


def _rule_paper(axes: "matplotlib.axes.Axes", width: float, height: float) -> None:
    for step, colour, thickness in ((1, FINE, 0.35), (5, COARSE, 0.6)):
        axes.vlines(np.arange(0, width + step, step), 0, height, colors=colour, linewidths=thickness, zorder=0)
        axes.hlines(np.arange(0, height + step, step), 0, width, colors=colour, linewidths=thickness, zorder=0)


def _draw_pulse(axes: "matplotlib.axes.Axes", x: float, zero: float) -> None:
    """1 mV for 0.2 s."""
    steps = np.array([[0, 0], [2.5, 0], [2.5, MM_PER_MV], [7.5, MM_PER_MV], [7.5, 0], [10, 0]])
    axes.plot(x + steps[:, 0], zero + steps[:, 1], color=INK, linewidth=0.7)


def _write_lead(axes: "matplotlib.axes.Axes", name: str, x: float, zero: float, beneath: np.ndarray) -> None:
    """The name above the first waves of its trace, and a mark where the lead begins."""
    highest = np.nanmax(beneath, initial=5.0)
    axes.plot([x, x], [zero - 3, zero + 3], color="grey", linewidth=0.5)
    axes.text(x + 1, zero + highest + 1, name, fontsize=9, weight="bold", color=INK, parse_math=False)


def _draw_distribution(axes: "matplotlib.axes.Axes", name: str, real: np.ndarray, generated: np.ndarray) -> None:
    title, unit = _title_and_unit(name)
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(unit, fontsize=8)
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    axes.spines[["top", "left", "right"]].set_visible(False)
    sets = [(values, colour) for values, colour in ((real, REAL), (generated, GENERATED)) if len(values)]
    if not sets:
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", color="grey")
        axes.set_xticks([])
        return
    limits = np.array([_robust_range(values) for values, _ in sets])
    low, high = limits[:, 0].min(), limits[:, 1].max()
    edges = _bin_edges([values for values, _ in sets], low, high, SAMPLE_MS if unit == "ms" else 0.0)
    for values, colour in sets:
        density = np.histogram(values, edges)[0] / (len(values) * (edges[1] - edges[0]))
        axes.stairs(density, edges, color=colour, fill=True, alpha=0.3)
        axes.stairs(density, edges, color=colour, linewidth=1.2)
    axes.set_ylim(bottom=0)


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


def _robust_range(values: np.ndarray) -> tuple[float, float]:
    """All values, unless a few wild ones would squeeze the rest: then the middle 96 % and a quarter of that beside."""
    low, high = np.percentile(values, [2, 98])
    beside = 0.25 * (high - low)
    return max(values.min(), low - beside), min(values.max(), high + beside)


def _title_and_unit(name: str) -> tuple[str, str]:
    """``r_amplitude_v5_mv`` -> R amplitude V5, mV."""
    words = name.split("_")
    unit = UNITS.get(words[-1], "")
    shown = " ".join(WORDS.get(word, canonical_lead(word)) for word in (words[:-1] if unit else words))
    return shown[:1].upper() + shown[1:], unit


def _finite(values: Iterable[float] | None) -> np.ndarray:
    array = np.asarray([] if values is None else values, dtype=float)
    return array[np.isfinite(array)]
