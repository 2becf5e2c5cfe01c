"""What is shown, watched and kept while the networks learn; each callback does one job.

In: a trainer at the end of a step or an epoch. Out: files in the run's folder, a progress bar, an early end. May import
wgan_gp, datamodule, checkpoints, tracking, data, plotting and run_folder. Order matters at the end of an epoch:
pictures and physiology first, then `divergence`, then `checkpoint_writer`, so that all that a checkpoint counts as done
is on disk, and `graceful_stop` last, as a job is requeued only after its checkpoint. Begin with `checkpoint_writer`.
"""
