"""Fidelity and diversity: are generated sets as realistic and as varied as real ones, as clouds of points?

In: features of ECGs (`features`). Out: precision, recall, density, coverage, energy and Fréchet distance, a
classifier's area, each with its null band. Imports measurement, data, stats, verdict and formatting. Begin with
`fidelity`; `diversity_verdict` judges its table.
"""
