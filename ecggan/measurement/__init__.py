"""An ECG set -> a table of measurements, one row a record; without torch.

In: signals in mV with their leads. Out: heart rate, PR, QRS, QT, axes and amplitudes, or the reason why one is missing;
fingerprints; descriptions of the signals. Imports data, compute, files, stats and ecg. Begin with `measure_record` (one
ECG), then `beats` (R-peaks, median beat), `delineation` (P, QRS and T boundaries; `neurokit_delineation` is the other
choice), `amplitudes` and `plausibility`; `measure_set` measures many, with a `cache`. `normality` screens the table for
normal ECGs.
"""
