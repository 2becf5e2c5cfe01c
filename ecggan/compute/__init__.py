"""Where many tasks run: in processes of this machine, on a Dask cluster, or in Slurm jobs.

In: a function of a module and its arguments. Out: its results in order, bit-identical wherever they ran. Imports
checks and programs. Begin with `workers.each`; `dask` and `slurm` are the clusters, `same_code` checks their workers.
"""
