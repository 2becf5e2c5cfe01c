"""Evaluation of generated ECG sets against real ones: realistic, normal, varied, new?

In: ECG sets. Out: an `Assessment` (tables, distances with error bars, verdicts) and its report. Imports measurement,
data, compute, stats, plotting and files; no torch. Begin with `assessment`; the rooms `comparison`, `fidelity` and
`memorization` each answer one question, and `report` writes the result.
"""
