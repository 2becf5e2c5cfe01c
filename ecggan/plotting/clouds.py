"""Sets as clouds: their records as points on a plane."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ecggan.plotting import figures
from ecggan.plotting.figures import GENERATED, LABEL_SIZE, PANELS_A_ROW, REAL, TICK_SIZE, TITLE_SIZE
from ecggan.stats.resampling import evenly_spaced

if TYPE_CHECKING:
    import matplotlib.figure

MOST_POINTS = 1500  # of a set; more are a blot


def plot_clouds(
    panels: Mapping[str, tuple[Float[np.ndarray, "real 2"], Float[np.ndarray, "generated 2"]]],
    names: tuple[str, str] = ("real", "generated"),
) -> "matplotlib.figure.Figure":
    """One panel a pair of clouds: the real one in blue, the generated one over it in orange; numbers of a kind.

    At most 1,500 points of a set are drawn, spread evenly. Points far outside are not in view.

    Args:
        panels: title -> the points of both sets, on the same two axes.
        names: of the two, in the legend.
    """
    figure, axes_of = figures.empty_panels(len(panels), (4.2, 4.0))
    for i, (axes, (title, clouds)) in enumerate(zip(axes_of, panels.items(), strict=True)):
        axes.set_title(title, fontsize=TITLE_SIZE, parse_math=False)
        axes.set_xlabel("1st component of the real set", fontsize=LABEL_SIZE)
        if i % PANELS_A_ROW == 0:
            axes.set_ylabel("2nd component", fontsize=LABEL_SIZE)
        axes.tick_params(labelsize=TICK_SIZE)
        if not any(len(points) for points in clouds):
            figures.annotate_empty(axes)
            continue
        together = np.concatenate(clouds)
        limits = [figures.robust_range(column) for column in together.T]
        axes.set(xlim=_with_room(*limits[0]), ylim=_with_room(*limits[1]))
        for points, colour, size in zip(clouds, (REAL, GENERATED), (16, 7), strict=True):
            x, y = points[evenly_spaced(len(points), MOST_POINTS)].T
            axes.scatter(x, y, s=size, color=colour, alpha=0.45, linewidths=0, rasterized=True)
    figures.name_sets(figure, dict(zip(names, (REAL, GENERATED), strict=True)))
    return figure


def _with_room(low: float, high: float) -> tuple[float, float]:
    room = 0.08 * (high - low) or 0.5
    return low - room, high + room
