"""Which measure raises an alarm for which set, as a table of dots."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ecggan.plotting.figures import GENERATED, LABEL_SIZE

if TYPE_CHECKING:
    import matplotlib.figure

CELL_INCHES = 0.27


def plot_alarms(alarms: pd.DataFrame) -> "matplotlib.figure.Figure":
    """A row a set, a column a measure, a dot where it raises an alarm; with the number of alarms of each.

    Args:
        alarms: truth values, named by its index and columns; the first row should be without a dot.
    """
    from matplotlib.figure import Figure

    num_rows, num_columns = alarms.shape
    figure = Figure(figsize=(CELL_INCHES * num_columns + 2.0, CELL_INCHES * num_rows + 2.4), layout="constrained")
    axes = figure.subplots()
    rows, columns = np.nonzero(alarms.to_numpy(bool))
    axes.scatter(columns, rows, s=60, color=GENERATED, linewidths=0)
    counts = alarms.sum(axis=1)
    for row, count in enumerate(counts):
        axes.text(num_columns - 0.2, row, f"{count}", va="center", fontsize=LABEL_SIZE)
    axes.set(xlim=(-0.6, num_columns + 0.4), ylim=(num_rows - 0.4, -0.6))
    axes.set_xticks(range(num_columns), [str(name) for name in alarms], rotation=60, ha="left", fontsize=LABEL_SIZE)
    axes.set_yticks(range(num_rows), [str(name) for name in alarms.index], fontsize=LABEL_SIZE)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.axhline(0.5, color="grey", linewidth=0.8)
    axes.grid(color="#ececec", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure
