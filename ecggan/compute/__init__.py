"""Where many tasks run: on processes of this machine, or on the workers of a Dask cluster, which may be Slurm jobs.

In: a function of a module and its arguments. Out: its results in order, the same to the last bit wherever they ran.
Imports nothing of ecggan. Begin with `workers.each`.
"""
