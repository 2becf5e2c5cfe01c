"""Are generated ECGs new, or copies of what the generator was trained on?

In: fingerprints of training, held-out and generated ECGs. Out: copies, duplicates and what a membership attack learns.
Imports measurement, data and stats. Begin with `membership`; `matching` finds the nearest records.
"""
