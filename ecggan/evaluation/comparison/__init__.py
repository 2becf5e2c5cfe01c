"""Are generated ECGs like real ones, measurement by measurement?

In: tables of measurements. Out: one table of differences with intervals, tests and null band. Imports measurement,
stats and formatting. Begin with `comparison`; `physiological_distance` makes one number of it, `published` the paper's
table.
"""
