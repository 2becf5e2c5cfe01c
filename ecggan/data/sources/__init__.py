"""Which records a data base holds, with their patients, labels and splits.

In: the root of a data base, or where to download it. Out: an ECG set, by way of packing. Imports packing, readers,
sets, record, patients and files. Begin with `ptbxl`, the fullest; `folder` reads any files, `combined` joins sources.
"""
