"""Statistics on arrays, by patient: resampling, tests, proportions, margins.

In: arrays. Out: arrays and numbers. Imports numpy, scipy and statsmodels alone, nothing of ecggan. Begin with
`resampling`.
"""
