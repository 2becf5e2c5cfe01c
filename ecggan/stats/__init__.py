"""Statistics on arrays, by patient: resampling, tests, proportions, margins.

In: arrays and tables, one row a record. Out: arrays and numbers. Imports numpy, pandas, scipy and statsmodels, nothing
of ecggan. Begin with `resampling`; `hypothesis_tests` and `proportions` are built on it.
"""
