"""Files and folders that appear whole or not at all.

In: paths. Out: atomic files and folders, resumable folders, locks, checksums, JSON without NaN. Imports nothing of
ecggan. Begin with `atomic`.
"""
