"""An ECG set -> the formats of others: `.asc`, CSV, WFDB, Parquet with a card, NPZ.

In: an ECG set. Out: a folder of files with their hashes. Imports sets, files and stats. Begin with `export`; each
format is a `Form` in a module of its own.
"""
