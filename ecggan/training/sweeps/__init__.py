"""Many runs: a search for parameters with Optuna, pruning, and the runs of a sweep as one table.

In: a study's storage, or a sweep's folder. Out: parameters of the next run; a table. Begin with `study`.
"""
