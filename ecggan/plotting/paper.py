"""An ECG on ECG paper: 25 mm/s and 10 mm/mV, as it is read."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ecggan.ecg import TWELVE_LEADS, select_leads

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

PAPER, FINE, COARSE, INK, BENEATH = "#fffafa", "#f9d9d9", "#eeb0b0", "#111111", "#4a90d9"

Row = Sequence[tuple[str, np.ndarray]]  # pieces that follow each other in time: what is written over them, and mV


def plot_ecg(
    millivolts: Float[np.ndarray, "lead time"],
    leads: Sequence[str],
    sampling_rate: int | float,
    title: str = "",
    beneath: Float[np.ndarray, "lead time"] | None = None,
) -> "matplotlib.figure.Figure":
    """One record as a cardiologist reads it: 3 rows of 4 leads, time running on, and lead II below; 25 mm/s, 10 mm/mV.

    Limb leads that are missing are derived from I and II; where the twelve cannot be had, the leads there are stand
    below each other. Each lead is plotted about its median, because an ECG has no absolute zero, and rows move
    apart if a large wave needs room, so nothing is clipped. At most the first 10 s are plotted.

    Args:
        millivolts: the record.
        leads: their names.
        sampling_rate: in Hz.
        title: above it.
        beneath: another record of the same shape, plotted in blue beneath the first; NaN where it has no value.
    """
    rows = _clinical_rows(millivolts, leads, sampling_rate)
    return _plot_rows(
        rows, sampling_rate, title, None if beneath is None else _clinical_rows(beneath, leads, sampling_rate)
    )


def _clinical_rows(millivolts: np.ndarray, leads: Sequence[str], sampling_rate: int | float) -> list[Row]:
    shown = millivolts[:, : round(LONGEST_S * sampling_rate)]
    try:
        twelve = dict(zip(TWELVE_LEADS, select_leads(shown, leads, TWELVE_LEADS), strict=True))
    except ValueError:
        return [[piece] for piece in zip(leads, shown, strict=True)]
    bounds = np.linspace(0, shown.shape[1], 5).astype(int)
    rows: list[Row] = [
        [(lead, twelve[lead][a:b]) for lead, a, b in zip(row, bounds[:-1], bounds[1:], strict=True)]
        for row in CLINICAL_ROWS
    ]
    return [*rows, [(RHYTHM_LEAD, twelve[RHYTHM_LEAD])]]


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
    return _plot_rows([[piece] for piece in zip(names, strips, strict=True)], sampling_rate, title)


def _plot_rows(
    rows: Sequence[Row], sampling_rate: int | float, title: str, beneath: Sequence[Row] | None = None
) -> "matplotlib.figure.Figure":
    from matplotlib.figure import Figure

    if not rows:
        raise ValueError("there is nothing to plot: the array holds no lead, or no record")
    pieces_mm = [[_in_mm(piece) for _, piece in row] for row in rows]
    beneath_mm = [[_in_mm(piece) for _, piece in row] for row in beneath or [[]] * len(rows)]
    zero_lines, height = _place_rows([[*above, *below] for above, below in zip(pieces_mm, beneath_mm, strict=True)])
    longest = max(sum(map(len, row)) for row in pieces_mm)
    width = _whole_squares(2 * MARGIN_MM + PULSE_MM + longest / sampling_rate * MM_PER_SECOND)
    figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))  # in mm
    axes.set_axis_off()
    _rule_paper(axes, width, height)
    for row, row_mm, beneath_row, zero in zip(rows, pieces_mm, beneath_mm, zero_lines, strict=True):
        start = MARGIN_MM + PULSE_MM
        _plot_pulse(axes, MARGIN_MM, zero)
        for (name, _), trace, other in zip_longest(row, row_mm, beneath_row):
            x = start + np.arange(len(trace)) / sampling_rate * MM_PER_SECOND
            if other is not None:
                axes.plot(x, zero + other, color=BENEATH, linewidth=1.1, solid_joinstyle="round")
            axes.plot(x, zero + trace, color=INK, linewidth=0.7, solid_joinstyle="round")
            first_waves = trace[: round((2 + LETTER_MM * len(name)) / MM_PER_SECOND * sampling_rate)]
            _write_lead(axes, name, start, zero, first_waves)
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


def _plot_pulse(axes: "matplotlib.axes.Axes", x: float, zero: float) -> None:
    """1 mV for 0.2 s."""
    steps = np.array([[0, 0], [2.5, 0], [2.5, MM_PER_MV], [7.5, MM_PER_MV], [7.5, 0], [10, 0]])
    axes.plot(x + steps[:, 0], zero + steps[:, 1], color=INK, linewidth=0.7)


def _write_lead(axes: "matplotlib.axes.Axes", name: str, x: float, zero: float, beneath: np.ndarray) -> None:
    """The name above the first waves of its trace, and a mark where the lead begins."""
    highest = np.nanmax(beneath, initial=5.0)
    axes.plot([x, x], [zero - 3, zero + 3], color="grey", linewidth=0.5)
    axes.text(x + 1, zero + highest + 1, name, fontsize=9, weight="bold", color=INK, parse_math=False)
