"""Real against generated ECG sets: alike, normal, varied, new?

In: ECG sets. Out: an `Assessment` (tables, distances with error bars, verdicts) and its report. Imports measurement,
data, stats, plotting and files; no torch. Begin with `assessment`; the rooms `comparison`, `fidelity` and
`memorization` each answer one question, and `report` writes the answers down.
"""
