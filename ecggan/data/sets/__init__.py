"""The ECG set, the one format of real and generated ECGs.

In and out: a folder of `signals.npy`, `records.parquet` and `manifest.json`. Imports files and ecg. Begin with
`ecg_set`; `exclusions` tells which records were left out and why, `training_records` what a generator was trained on.
"""
