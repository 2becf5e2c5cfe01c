"""Train a GAN on ECGs.

python train.py experiment=quickstart
python train.py experiment=pulse2pulse data.root=PTBXL
"""

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.commands import one_clear_line

if TYPE_CHECKING:
    from pytorch_lightning import Trainer

OmegaConf.register_new_resolver("num_leads", len, replace=True)


@hydra.main(config_path="configs", config_name="train", version_base="1.3")
@one_clear_line
def main(config: DictConfig) -> float | None:
    import torch  # heavy libraries load after --help has answered
    from hydra.utils import instantiate
    from pytorch_lightning import Trainer, seed_everything
    from pytorch_lightning.plugins.environments import SLURMEnvironment
    from pytorch_lightning.utilities import rank_zero_only

    from ecggan.data.datamodule import ECGDataModule
    from ecggan.training.csv_log import CSVLog
    from ecggan.training.provenance import RunNotes
    from ecggan.training.resuming import AUTO, checkpoint_to_go_on_from, reached
    from ecggan.training.slurm import job_id
    from ecggan.training.wgan_gp import WGANGP

    if job_id() is None:  # on the login node of a cluster: Lightning would advise to use srun
        warnings.filterwarnings("ignore", ".*`srun` command is available.*")
    first = getattr(rank_zero_only, "rank", 0) == 0
    say = rank_zero_only(print)
    checkpoint = checkpoint_to_go_on_from(config.resume, Path(config.folder), config.out, first)
    torch.set_float32_matmul_precision("high")
    seed_everything(config.seed, workers=True, verbose=False)  # the initial weights
    data = ECGDataModule(
        instantiate(config.data.source, _convert_="all"),
        instantiate(config.ecg),
        config.batch_size,
        config.num_workers,
        config.seed,
        config.on_device,
    )
    gan: WGANGP = instantiate(config.model.gan, _convert_="all")
    gan.save_hyperparameters(OmegaConf.to_container(config, resolve=True))  # into the logs and the checkpoints
    notes = RunNotes(
        config.folder,
        {
            "command": sys.argv,
            "seed": config.seed,
            "data": config.data.name,
            "resumed_from": None if checkpoint is None else str(checkpoint),
            "slurm_job": job_id(),
        },
    )
    trainer: Trainer = instantiate(
        config.trainer,
        callbacks=[notes, *instantiate(config.callbacks).values()],
        logger=list(instantiate(config.logger).values()),
        # the callback `checkpoints` saves and queues the job again; Lightning would do so in its own way
        plugins=[SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else None,
    )
    warnings.filterwarnings("ignore", ".*treespec.*")  # Lightning's, of torch, on each start
    folder = os.path.relpath(config.folder)
    steps_before = 0 if checkpoint is None else gan.check_resumable(checkpoint, trainer.max_epochs)
    if config.resume == AUTO:
        steps_before = 0  # it may have been stopped in its very last steps
        before = reached(checkpoint)
        if before.is_end(trainer.max_epochs):
            say(f"The run in {folder} is complete: {before.epochs} epochs")
            return best_distance(trainer)
        for logger in trainer.loggers:
            if isinstance(logger, CSVLog):
                logger.go_on(before.epochs, before.last_row)
    if first:
        notes.begin()
    trainer.fit(gan, data, ckpt_path=checkpoint, weights_only=True)
    if gan.generator_steps == steps_before:
        raise ValueError(
            f"the generator took no step: after {gan.critic_steps} critic steps, one generator step every "
            f"{gan.n_critic} (model.gan.n_critic), training ended; raise trainer.max_epochs. The run lies in {folder}"
        )
    say(f"The run lies in {folder}; draw ECGs from it with: python generate.py run={folder} out=DIR")
    return best_distance(trainer)


def best_distance(trainer: "Trainer") -> float | None:
    """The smallest physiological distance of the run: what a sweep makes small; None where nobody looked."""
    from ecggan.training.physiology import DISTANCE, Physiology

    looked_at = [each for each in trainer.callbacks if isinstance(each, Physiology)]  # type: ignore[attr-defined]
    best = looked_at[0].best if looked_at else None
    return None if best is None else best[DISTANCE]


if __name__ == "__main__":
    main()
