"""The ECG set, the one format of real and generated ECGs.

In and out: a folder of `signals.npy`, `records.parquet` and `manifest.json`. Imports record, amplitudes, patients,
files, stats and ecg. Begin with `ecg_set`, then `manifest` and `writer`; `exclusions` holds which records were
excluded and why, `training_records` which records a generator was trained on.
"""
