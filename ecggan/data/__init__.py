"""From raw recordings to ECG sets, without torch.

In: files and folders of real ECGs. Out: an `ECGSet` (int16 µV, memory-mapped; a row a record; a manifest), and exports
of it. Imports files, stats, checks, quoting and ecg. Read `record`, then `sets`, `readers`, `packing`, `sources`,
`exports`, which is also the order of who may import whom.
"""
