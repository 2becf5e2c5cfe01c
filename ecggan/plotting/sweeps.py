"""The runs of a sweep: physiological distance against each parameter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from ecggan.plotting.figures import GENERATED, LABEL_SIZE, REAL, TICK_SIZE

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

_PANELS_A_ROW = 3
_FEW = 6  # values that are shown side by side, and not on an axis
_LOGARITHMIC_FROM = 30  # times the smallest


def plot_sweep(
    distance: Float[np.ndarray, " run"],
    parameters: Mapping[str, Sequence[Any]],
    is_complete: Bool[np.ndarray, " run"],
) -> "matplotlib.figure.Figure":
    """A panel a parameter: each run a dot, open where it ended early; of few values also their medians, as lines.

    The axis of a parameter that spans more than a factor of 30 is logarithmic. The best run has a ring around it.

    Args:
        distance: of each run, lower is better.
        parameters: their values, run by run; None where a run has none.
        is_complete: whether it was trained to its end.
    """
    from matplotlib.figure import Figure

    num_columns = min(_PANELS_A_ROW, len(parameters))
    num_rows = -(-len(parameters) // num_columns)
    figure = Figure(figsize=(1 + 2.8 * num_columns, 0.6 + 2.4 * num_rows), layout="constrained")
    panels = figure.subplots(num_rows, num_columns, squeeze=False, sharey=True)
    for axes, (name, values) in zip(panels.flat, parameters.items(), strict=False):
        places = _place(axes, values)
        axes.scatter(places[is_complete], distance[is_complete], s=22, color=REAL, label="trained to its end")
        axes.scatter(
            places[~is_complete],
            distance[~is_complete],
            s=22,
            facecolors="none",
            edgecolors=REAL,
            label="ended earlier",
        )
        if len({str(value) for value in values}) <= _FEW:
            for place in np.unique(places):
                median = np.median(distance[places == place])
                axes.plot([place - 0.25, place + 0.25], [median, median], color=GENERATED, linewidth=1.5)
        best = int(distance.argmin())
        axes.scatter(places[best], distance[best], s=110, facecolors="none", edgecolors="black", linewidths=0.8)
        axes.set_xlabel(name, fontsize=LABEL_SIZE)
        axes.tick_params(labelsize=TICK_SIZE)
        axes.grid(color="#e5e5e5", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels.flat[len(parameters) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("physiological distance (SD)", fontsize=LABEL_SIZE)
    if not is_complete.all():
        figure.legend(
            *panels.flat[0].get_legend_handles_labels(),
            loc="outside upper right",
            ncols=2,
            frameon=False,
            fontsize=TICK_SIZE,
        )
    return figure


def _place(axes: "matplotlib.axes.Axes", values: Sequence[Any]) -> np.ndarray:
    """Where each run stands on the axis of a parameter, which is labelled."""
    are_numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    distinct = (
        sorted(set(values)) if are_numbers else list(dict.fromkeys(str(value) for value in sorted(values, key=str)))
    )
    if are_numbers and len(distinct) > _FEW:
        numbers = np.array(values, float)
        if numbers.min() > 0 and numbers.max() / numbers.min() > _LOGARITHMIC_FROM:
            axes.set_xscale("log")
        return numbers
    axes.set_xticks(range(len(distinct)), [f"{value:g}" if are_numbers else value for value in distinct])
    axes.set_xlim(-0.6, len(distinct) - 0.4)
    return np.array([distinct.index(value if are_numbers else str(value)) for value in values], float)
