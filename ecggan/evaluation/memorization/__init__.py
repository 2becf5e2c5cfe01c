"""Memorization: are generated ECGs new, or copies of the training ECGs?

In: fingerprints of training, held-out and generated ECGs. Out: copies, duplicates, and the area of a membership
attack. Imports measurement, data, compute, stats, verdict and formatting. Begin with `membership`; `matching` finds
the nearest records.
"""
