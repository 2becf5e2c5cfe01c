"""Train a GAN on ECGs.

python train.py experiment=quickstart
python train.py experiment=pulse2pulse data.root=PTBXL
"""

import os
import warnings
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from ecggan.commands import one_clear_line

OmegaConf.register_new_resolver("num_leads", len, replace=True)


@hydra.main(config_path="configs", config_name="train", version_base="1.3")
@one_clear_line
def main(config: DictConfig) -> float | None:
    import torch  # heavy libraries load after --help has answered
    from hydra.utils import instantiate
    from pytorch_lightning import Trainer, seed_everything
    from pytorch_lightning.utilities import rank_zero_only

    from ecggan.data.datamodule import ECGDataModule
    from ecggan.training.physiology import DISTANCE, Physiology
    from ecggan.training.wgan_gp import WGANGP

    if getattr(rank_zero_only, "rank", 0) == 0 and {path.name for path in Path(config.folder).iterdir()} - {".hydra"}:
        raise FileExistsError(f"{config.out} holds files already; give the run another out=, also when it resumes one")
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
    trainer: Trainer = instantiate(
        config.trainer,
        callbacks=list(instantiate(config.callbacks).values()),
        logger=list(instantiate(config.logger).values()),
    )
    warnings.filterwarnings("ignore", ".*treespec.*")  # Lightning's, of torch, on each start
    steps_before = 0 if config.resume is None else gan.check_resumable(config.resume, trainer.max_epochs)
    trainer.fit(gan, data, ckpt_path=config.resume, weights_only=True)
    folder = os.path.relpath(config.folder)
    if gan.generator_steps == steps_before:
        raise ValueError(
            f"the generator took no step: after {gan.critic_steps} critic steps, one generator step every "
            f"{gan.n_critic} (model.gan.n_critic), training ended; raise trainer.max_epochs. The run lies in {folder}"
        )
    print(f"The run lies in {folder}; draw ECGs from it with: python generate.py run={folder} out=DIR")
    looked_at = [callback for callback in trainer.callbacks if isinstance(callback, Physiology)]  # type: ignore[attr-defined]
    best = looked_at[0].best if looked_at else None
    return None if best is None else best[DISTANCE]  # what a sweep makes small


if __name__ == "__main__":
    main()
