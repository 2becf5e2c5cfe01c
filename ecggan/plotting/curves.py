"""Shares and physiological distance by epoch of a training."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ecggan.plotting.figures import GENERATED, LABEL_SIZE, REAL, TICK_SIZE

if TYPE_CHECKING:
    import matplotlib.figure


def plot_epochs(
    epochs: Float[np.ndarray, " epoch"],
    shares: dict[str, Float[np.ndarray, " epoch"]],
    distance: Float[np.ndarray, " epoch"],
    real_shares: dict[str, int | float] | None = None,
) -> "matplotlib.figure.Figure":
    """The paper's curve, shares by epoch, and below it the physiological distance, its best epoch marked.

    Args:
        epochs: those evaluated.
        shares: by what they are of (normal, measurable), 0 to 1.
        distance: lower is better.
        real_shares: of the real set, plotted as dashed lines.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 5.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for (name, share), colour, marker in zip(shares.items(), (GENERATED, "#009e73", "#cc79a7"), "os^", strict=False):
        upper.plot(epochs, 100 * share, marker=marker, markersize=4, color=colour, label=f"generated: {name}")
        if real_shares and name in real_shares:
            line = {"color": colour, "linestyle": "--", "linewidth": 1}
            upper.axhline(100 * real_shares[name], label=f"real: {name}", **line)
    upper.set_ylabel("share of the records (%)", fontsize=LABEL_SIZE)
    upper.set_ylim(-3, 103)
    upper.legend(fontsize=TICK_SIZE, frameon=False, ncols=2, loc="lower right")
    lower.plot(epochs, distance, marker="o", markersize=4, color=REAL)
    lower.set_ylabel("physiological distance (SD)", fontsize=LABEL_SIZE)
    lower.set_xlabel("epoch", fontsize=LABEL_SIZE)
    lower.set_ylim(bottom=0)
    if np.isfinite(distance).any():
        best = int(np.nanargmin(distance))
        lower.plot(epochs[best], distance[best], marker="o", markersize=11, fillstyle="none", color="black")
        words = f"best: {distance[best]:.3f}, epoch {epochs[best]:g}"
        lower.set_title(words, fontsize=LABEL_SIZE, loc="right")
    for axes in (upper, lower):
        axes.tick_params(labelsize=TICK_SIZE)
        axes.grid(color="#e5e5e5", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
