"""Figures: an ECG on ECG paper, and how sets of ECGs differ. The only room that imports matplotlib.

In: arrays and tables. Out: matplotlib figures and their files. Imports `ecg`, `files` and `stats`. Begin with
`paper` for ECGs, with `distributions` for sets.

Figures are matplotlib's own objects, never pyplot's: nothing global, no display needed, nothing to close. matplotlib is
imported when the first figure is made, so that importing this costs nothing.

Several sets come as a mapping, name -> values, whose first entry is the reference.
"""

from ecggan.plotting.alarms import plot_alarms as plot_alarms
from ecggan.plotting.areas import plot_areas as plot_areas
from ecggan.plotting.by_lead import plot_lead_correlations as plot_lead_correlations
from ecggan.plotting.by_lead import plot_spectra as plot_spectra
from ecggan.plotting.clouds import plot_clouds as plot_clouds
from ecggan.plotting.curves import plot_epochs as plot_epochs
from ecggan.plotting.distributions import plot_distributions as plot_distributions
from ecggan.plotting.distributions import plot_qq as plot_qq
from ecggan.plotting.distributions import plot_relation as plot_relation
from ecggan.plotting.figures import GENERATED as GENERATED
from ecggan.plotting.figures import REAL as REAL
from ecggan.plotting.figures import figure_png as figure_png
from ecggan.plotting.figures import save_figure as save_figure
from ecggan.plotting.figures import set_colours as set_colours
from ecggan.plotting.intervals import Interval as Interval
from ecggan.plotting.intervals import plot_intervals as plot_intervals
from ecggan.plotting.pages import save_pages as save_pages
from ecggan.plotting.paper import plot_ecg as plot_ecg
from ecggan.plotting.paper import plot_ecg_grid as plot_ecg_grid
from ecggan.plotting.sweeps import plot_sweep as plot_sweep
