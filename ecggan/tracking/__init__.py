"""Metrics, pictures and reports -> a log: a table on disk, or Weights & Biases.

In: rows of an epoch, files of a report. Out: ``metrics.csv``, a W&B run. Imports files and run_folder; knows nothing
of training. Begin with `csv_logger`; `wandb_run` starts a run of W&B, `wandb_logger` logs to it, `report_logger` logs
a report. W&B is called in this room alone.
"""
