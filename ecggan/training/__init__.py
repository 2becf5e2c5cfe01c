"""An ECG set -> a trained GAN.

In: an ECG set and a configuration. Out: a run's folder. Imports checkpoints, tracking, data, models and plotting. Begin
with `wgan_gp` (when each network learns), then `losses`, `datamodule`, `callbacks`; `resume` goes on with a run.
"""
