"""Areas under ROC curves with their intervals: what classifiers learned from which ECGs."""

from typing import TYPE_CHECKING

import pandas as pd

from ecggan.plotting import figures
from ecggan.plotting.figures import LABEL_SIZE

if TYPE_CHECKING:
    import matplotlib.figure

_ROW_INCHES = 0.3


def plot_areas(areas: pd.DataFrame) -> "matplotlib.figure.Figure":
    """A row a training and test, an interval a classifier and label; the mean over the labels is the thick one.

    Args:
        areas: of [assess_utility][ecggan.evaluation.utility.study.assess_utility].
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    trials = list(dict.fromkeys(zip(areas["trained_on"], areas["tested_on"], strict=True)))
    names, labels = list(dict.fromkeys(areas["classifier"])), list(dict.fromkeys(areas["label"]))
    figure = Figure(figsize=(4.0 * len(names) + 2.5, _ROW_INCHES * len(trials) * 2 + 1.2), layout="constrained")
    colours = figures.set_colours(labels, has_reference=False)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        for _, row in areas[areas["classifier"] == name].iterrows():
            place = labels.index(row["label"])
            y = trials.index((row["trained_on"], row["tested_on"])) + 0.8 * ((place + 0.5) / len(labels) - 0.5)
            is_mean, colour = place == len(labels) - 1, colours[row["label"]]
            axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=3 if is_mean else 1)
            axes.plot([row["area"]], [y], color=colour, marker="o", markersize=6 if is_mean else 3)
        axes.axvline(0.5, color="black", linewidth=0.8)
        axes.set(ylim=(len(trials) - 0.5, -0.5))
        axes.set_title(name, fontsize=LABEL_SIZE + 1)
        axes.set_xlabel("area under the ROC curve", fontsize=LABEL_SIZE)
        axes.tick_params(labelsize=LABEL_SIZE)
        axes.grid(axis="x", color="#ececec", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    texts = [f"{trained_on} → {tested_on}" for trained_on, tested_on in trials]
    panels[0].set_yticks(range(len(trials)), texts, fontsize=LABEL_SIZE, parse_math=False)
    figures.add_legend(figure, [Line2D([], [], color=colours[label]) for label in labels], labels)
    return figure
