"""An ECG set -> a trained GAN.

In: an ECG set and networks. Out: a run's folder. May import checkpoints, tracking, data, models, plotting, stats,
transport and run_folder, and what measures heart rates for conditions; what compares ECGs is handed in. Begin with
`train` (build, fit, summarise), then `wgan_gp` (when each network learns), `losses` and `datamodule`; `callbacks` shows
and keeps, `resume` continues a run, `sweeps` holds many.
"""
