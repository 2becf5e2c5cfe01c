"""Records -> an ECG set: read in parallel, checked, resampled, written, cached and resumed.

In: `RecordReference`s and a reader. Out: an ECG set, and why each excluded record was excluded. Imports sets, record,
amplitudes, patients, files and ecg. Begin with `packer`; `quality` holds the rules, `preprocessing` the filters and
windows.
"""
