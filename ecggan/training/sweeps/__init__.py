"""Many runs: a search for parameters with Optuna, pruning, and the runs of a sweep as one table.

In: a study's storage, or a sweep's folder. Out: the parameters of the next run; a table. May import callbacks,
run_folder, plotting and files; `train` is handed in. Begin with `study`, then `pruning`; `table` stands alone.
"""
