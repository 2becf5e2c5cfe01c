"""Trained generators on disk: ours, the published weights, and the files of other projects.

In: a path, a run's folder or the words `published` and `ptbxl`. Out: a `TrainedGenerator` (network, ECG format,
description), or a file. Imports models, data, files, run_folder and ecg. Begin with `open`, then `generator_file`. A
new file format of another project gets a recogniser in a module of its own, listed in `third_party`.
"""
