"""An ECG set -> a table of measurements, a row a record; without torch.

In: signals in mV with their leads. Out: heart rate, PR, QRS, QT, axes and amplitudes, or why one could not be had.
Imports data, compute, stats and ecg. Begin with `measure_record` (one ECG), then `beats`, `delineation` (P, QRS and T
boundaries), `amplitudes`; `measure_set` does many; `normality` says which ECGs are normal.
"""
