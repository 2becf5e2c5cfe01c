"""A trained generator and a seed -> an ECG set of any size.

In: a checkpoint, a seed, the number of records. Out: an ECG set; record k depends on (seed, k) alone. Imports
transport, checkpoints, models, data, compute and files. Begin with `generate`: `plan` checks the request and opens the
generator, `sampler` turns seeds into ECGs, `screening` applies `keep`, `progress` and `resumable_set` record what is
drawn, and `draw_to_disk` resumes and completes a set. `parts` and `distributed` share a set out among processes.
`generator` draws ECGs one by one.
"""
