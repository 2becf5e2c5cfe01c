"""Obedience: do generated ECGs show what was asked of their generator?

In: a generated ECG set whose table holds the conditions asked for, and real ECGs whose table holds theirs. Out:
measured against wanted heart rates, and differences of measurements by sex, age and label in both sets. Imports
measurement, data, stats, files and formatting. Begin with `obedience`.
"""
