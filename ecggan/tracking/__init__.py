"""Loggers: the CSV log of a run, Weights & Biases, and a report on Weights & Biases.

In: metrics and files. Out: a log. Imports files and run_folder; knows nothing of training. `wandb_logger` holds every
call of W&B.
"""
