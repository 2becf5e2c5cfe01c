"""When a callback that works every so many epochs is due."""

import pytorch_lightning as pl


def is_due(trainer: pl.Trainer, every_n_epochs: int) -> bool:
    """Whether the epoch that ends is one of every `every_n_epochs`, or the last of the training."""
    epoch = trainer.current_epoch + 1
    return epoch % every_n_epochs == 0 or epoch == trainer.max_epochs
