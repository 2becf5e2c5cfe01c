"""A trained generator and a seed -> an ECG set of any size.

In: a checkpoint, a seed, how many. Out: an ECG set; record k depends on (seed, k) alone. Imports checkpoints, data,
models and compute. Begin with `generate`; `sampler` turns seeds into ECGs, `resumable_set` survives any interruption.
"""
