"""Whether the critic knows its training records by heart: its scores of training, validation and generated ECGs.

A critic that scores records it has never learned from as it scores generated ones teaches the generator to copy.
"""

from typing import cast

import numpy as np
import pytorch_lightning as pl
import torch
from jaxtyping import Int16
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.stats.resampling import evenly_spaced
from ecggan.training.adversarial import scores_of, telling_apart
from ecggan.training.callbacks.schedule import is_due
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.wgan_gp import WGANGP

_BATCH = 32


class CriticScores(Callback):
    """Compares the critic's scores every so many epochs, and adapts the augmentation where that is asked for.

    Logged are the mean scores ``score_train``, ``score_validation`` and ``score_generated``, and how often a training
    record scores above a validation record (``train_told_apart``: 0.5 where the critic knows none by heart) and above a
    generated one (``generated_told_apart``). The records are as they are, without augmentation. Where there is no
    validation split nothing is compared.

    It belongs before `CheckpointWriter`, so that a checkpoint holds the share of augmentation that follows.

    Source: Karras et al. 2020, Training generative adversarial networks with limited data, section 3, where means take
    the place of shares of pairs.

    Args:
        every_n_epochs: how often.
        num_records: at most so many of each.
        seed: of the noise, and of what the critic draws.
    """

    def __init__(self, every_n_epochs: int, num_records: int, seed: int) -> None:
        checks.whole_number("callbacks.critic_scores.every_n_epochs", every_n_epochs, at_least=1)
        checks.whole_number("callbacks.critic_scores.num_records", num_records, at_least=1)
        self.every_n_epochs, self.num_records, self.seed = every_n_epochs, num_records, seed

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Find out now whether an augmentation that adapts has something to adapt to.

        Raises:
            ValueError: it has not.
        """
        augmentation = cast(WGANGP, pl_module).augmentation
        if augmentation is not None and augmentation.adaptive is not None and _data_of(trainer).validation is None:
            raise ValueError(
                "augment=adaptive needs a validation split, which these data do not have; take augment=ecg, of a share "
                "that does not change"
            )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        data, module = _data_of(trainer), cast(WGANGP, pl_module)
        if data.validation is None or module.has_idle_critic or not is_due(trainer, self.every_n_epochs):
            return
        figures: dict[str, float] = {}
        if trainer.is_global_zero:
            assert data.train is not None
            figures = self._compared(module, data, data.train, data.validation)
            module.log_dict(figures, rank_zero_only=True)
        augmentation = module.augmentation
        if augmentation is not None and augmentation.adaptive is not None:
            told_apart = float(trainer.strategy.broadcast(figures.get("train_told_apart", 0.0)))  # the first device's
            module.augmented_share = augmentation.adaptive.after(module.augmented_share or 0.0, told_apart)
            if trainer.is_global_zero:
                module.log("augmented_share", module.augmented_share, rank_zero_only=True)

    def _compared(self, module: WGANGP, data: ECGDataModule, train: ECGSet, validation: ECGSet) -> dict[str, float]:
        real = [each.subset(evenly_spaced(len(each), self.num_records)) for each in (train, validation)]
        generated = module.draw_microvolts(self.num_records, self.seed)
        known, unknown = (self._scores(module, each.microvolts(), data.encoded(each)) for each in real)
        drawn = self._scores(module, generated, module.draw_conditions(self.num_records, self.seed))
        return {
            "score_train": float(known.mean()),
            "score_validation": float(unknown.mean()),
            "score_generated": float(drawn.mean()),
            "train_told_apart": float(telling_apart(known, unknown)),
            "generated_told_apart": float(telling_apart(known, drawn)),
        }

    def _scores(
        self, module: WGANGP, microvolts: Int16[np.ndarray, "record lead time"], condition: Tensor | None
    ) -> Tensor:
        rng = torch.Generator(device=module.device).manual_seed(self.seed)
        found = []
        with torch.no_grad():
            ecgs = module.ecg.to_network(torch.from_numpy(microvolts).float())
            for start in range(0, len(ecgs), _BATCH):
                some = ecgs[start : start + _BATCH].to(module.device)
                given = None if condition is None else condition[start : start + _BATCH].to(module.device)
                shifts = module.discriminator.draw_shifts(len(some), rng)
                found.append(scores_of(module.discriminator, some, shifts, given).float())
        return torch.cat(found)


def _data_of(trainer: pl.Trainer) -> ECGDataModule:
    return cast(ECGDataModule, trainer.datamodule)  # type: ignore[attr-defined]  # of every trainer that fits
