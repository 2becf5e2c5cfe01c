"""From a checkpoint and a seed to an ECG set."""
