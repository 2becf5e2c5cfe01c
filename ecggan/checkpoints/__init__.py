"""Trained generators on disk: ours, the published weights, and the files of other projects.

In: a path, a run's folder or the word `published`. Out: a `TrainedGenerator` (network, ECG format, where it came from),
or a file. Imports models, files, run_folder and ecg. Begin with `open`; a new file format gets a module of its own.
"""
