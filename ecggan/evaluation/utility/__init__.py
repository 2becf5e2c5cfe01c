"""Utility: are generated ECGs of use for training a classifier of real ones?

In: labelled real and generated ECG sets, and classifiers. Out: areas under the ROC curve with intervals by patient,
their tables and a verdict. Imports assessed_set, memorization, verdict, formatting, measurement, data, stats, files
and plotting; what needs torch is handed in. Begin with `study`; `labelled_sets` checks what goes in, `linear_model` is
a classifier, `utility_verdict` judges, `write_utility` writes the result, `utility_result` reads it back for a report.
"""
