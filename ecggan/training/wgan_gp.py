"""WGAN-GP as a Lightning module: the schedule of critic and generator steps, and their random numbers.

Each batch is a critic step; each `n_critic`-th, counted over the whole training, is a generator step too. Noise,
penalty points and phase shuffles depend on (seed, rank, step) alone: devices draw different noise, and a resumed
training draws the same as an uninterrupted one.

Source: Gulrajani et al. 2017, Improved Training of Wasserstein GANs; Thambawita et al. 2021, DeepFake
electrocardiograms using generative adversarial networks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytorch_lightning as pl
import torch
from jaxtyping import Float, Int16
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from ecggan import checks
from ecggan.checkpoints.generator_file import (
    CONDITIONS,
    KEY_IN_TRAINING_CHECKPOINT,
    generator_contents,
    read_tensors,
)
from ecggan.data.sets.conditions import Conditions
from ecggan.data.sets.training_records import KEY as TRAINED_ON
from ecggan.data.sets.training_records import encode_hashes, training_hashes
from ecggan.ecg import ECGFormat
from ecggan.models.discriminator import Discriminator
from ecggan.models.multiscale import MultiscaleDiscriminator
from ecggan.training.adversarial import AdversarialLoss, scores_of
from ecggan.training.augmentation import ECGAugmentation
from ecggan.training.averaging import average_of
from ecggan.training.datamodule import ECGDataModule
from ecggan.training.losses import critic_gap, critic_loss, generator_loss, gradient_penalty
from ecggan.training.matching import MatchingLoss
from ecggan.training.recognition import RecognitionLoss
from ecggan.training.trainable import (
    AFFINE,
    ALL,
    CHOICES,
    NONE,
    OF_CONDITIONS,
    ChannelScales,
    StartWeights,
    learned_parameters,
)


class WGANGP(pl.LightningModule):
    """A generator and its critic.

    Args:
        generator: noise of its `latent_shape` -> records in ±1.
        discriminator: the critic. A critic of another class has the methods `draw_shifts` (phase shuffle) and `slope`,
            for which ``torch.autograd.grad(self(ecg, shifts).sum(), ecg, create_graph=True)[0]`` suffices, after
            ``ecg = ecg.detach().requires_grad_()``.
        ecg: the format of the records.
        n_critic: critic steps per generator step.
        gradient_penalty_weight: λ in the paper.
        learning_rate: Adam's, of both networks.
        betas: Adam's, of both networks.
        ema_decay: of the generator's moving average, per generator step.
        seed: of noise, penalty points and phase shuffles.
        loss: in place of WGAN-GP's; None for those. With a `MatchingLoss` the critic stays as it is.
        augmentation: of what the critic sees, real and generated alike; None for none. Not for WGAN-GP's losses.
        critic_learning_rate: Adam's, of the critic; None for the same as the generator's.
        warmup_steps: critic steps before the generator begins to learn.
        trainable: which of the generator's weights learn: "all", "decoder", "last_layers", "affine", "conditions" or
            "none" (a critic is made for a generator that stays as it is); see [trainable][ecggan.training.trainable].
        start_penalty: weight of the squared distance from the weights that the training started from; 0 for none.
        conditions: that both networks take beside their input; None for networks without.
        recognition_weight: of the error with which the critic recognises conditions in real records, and the generator
            is recognised; 0 for none. A critic of another class then has `recognised`.
        ema_ramps_up: whether the average is short at first; see [averaging][ecggan.training.averaging].
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: Discriminator | MultiscaleDiscriminator,
        ecg: ECGFormat,
        n_critic: int,
        gradient_penalty_weight: float,
        learning_rate: float,
        betas: Sequence[float],
        ema_decay: float,
        seed: int,
        loss: AdversarialLoss | MatchingLoss | None = None,
        augmentation: ECGAugmentation | None = None,
        critic_learning_rate: float | None = None,
        warmup_steps: int = 0,
        trainable: str = ALL,
        start_penalty: int | float = 0.0,
        conditions: Conditions | None = None,
        recognition_weight: int | float = 0.0,
        ema_ramps_up: bool = False,
    ) -> None:
        super().__init__()
        if loss is None and (augmentation is not None or isinstance(discriminator, MultiscaleDiscriminator)):
            raise ValueError(
                "critic=multiscale and augment=ecg need loss=r3gan or loss=hinge: WGAN-GP's penalty lies between "
                "records, which windows and augmentation do not keep"
            )
        if isinstance(loss, MatchingLoss) and trainable == NONE:
            raise ValueError("loss=matching has no critic, and with trainable=none no generator learns: nothing would")
        if isinstance(loss, MatchingLoss) and augmentation is not None and augmentation.adaptive is not None:
            raise ValueError(
                "augment=adaptive follows the critic, and loss=matching has none; take augment=ecg or none"
            )
        if isinstance(loss, MatchingLoss) and conditions is not None:
            raise ValueError(
                "loss=matching has no critic, which alone sees conditions; take another loss, or condition=null"
            )
        _check_sizes(conditions, generator=generator, discriminator=discriminator)
        checks.whole_number("warmup_steps", warmup_steps, at_least=0)
        checks.whole_number("n_critic", n_critic, at_least=1)
        checks.one_of("trainable", trainable, CHOICES)
        if trainable == OF_CONDITIONS and conditions is None:
            raise ValueError("with trainable=conditions nothing would learn: there are none; give condition=[…]")
        checks.number("start_penalty", start_penalty, at_least=0)
        checks.number("recognition_weight", recognition_weight, at_least=0)
        self.automatic_optimization = False
        self.generator = generator
        self.discriminator = discriminator
        # torch's own averaging; Lightning's WeightAveraging callback would average the critic too.
        self.ema = average_of(generator, ema_decay, ema_ramps_up)
        self.trainable, self.start_penalty = trainable, start_penalty
        self.scales = ChannelScales(generator) if trainable == AFFINE else None
        self.start = StartWeights(generator) if start_penalty else None
        self.ecg = ecg
        self.n_critic = n_critic
        self.gradient_penalty_weight = gradient_penalty_weight
        self.loss, self.augmentation, self.warmup_steps = loss, augmentation, warmup_steps
        self.augmented_share = None if augmentation is None else float(augmentation.share)
        self.critic_learning_rate = learning_rate if critic_learning_rate is None else critic_learning_rate
        self.learning_rate = learning_rate
        self.betas = (betas[0], betas[1])
        self.seed = seed
        self.conditions = conditions
        self.recognition_weight = recognition_weight
        self.recognition = RecognitionLoss(conditions) if conditions is not None and recognition_weight else None
        if self.recognition is not None and not hasattr(discriminator, "recognised"):
            raise ValueError(
                f"the critic, {type(discriminator).__name__}, has no method `recognised`, which recognition_weight = "
                f"{recognition_weight:g} needs; give it one, or set recognition_weight to 0"
            )
        # Counted here because the trainer's global_step counts the steps of both optimizers.
        self.critic_steps = 0
        self.generator_steps = 0
        self.trained_on: set[str] = set()  # hashes of the training records, over all starts of this training
        # Each loss's sum over the records of this epoch, and their number. Lightning's own mean loses the first part of
        # an epoch when training resumes within it.
        self._epoch: dict[str, tuple[Tensor, int]] = {}

    def forward(
        self, noise: Float[Tensor, "batch ..."], condition: Float[Tensor, "batch value"] | None = None
    ) -> Float[Tensor, "batch lead time"]:
        """Draw records from the moving average of the generator."""
        return self.ema(noise, *_if_any(condition))

    def draw_microvolts(
        self, num_records: int, seed: int, batch_size: int = 64
    ) -> Int16[np.ndarray, "record lead time"]:
        """ECGs of the generator's moving average, in µV; the same seed gives the same noise and conditions."""
        rng = torch.Generator().manual_seed(seed)  # on the CPU, so that all devices draw the same
        shape = self.generator.latent_shape
        assert isinstance(shape, tuple)
        condition = self.draw_conditions(num_records, seed)
        drawn = []
        for start in range(0, num_records, batch_size):
            noise = torch.rand((min(batch_size, num_records - start), *shape), generator=rng) * 2 - 1
            some = None if condition is None else condition[start : start + len(noise)]
            with torch.inference_mode():
                output = self(noise.to(self.device), some).float()
            drawn.append(self.ecg.from_network(output).to(torch.int16).cpu().numpy())
        return np.concatenate(drawn)

    def draw_conditions(self, num_records: int, seed: int) -> Float[Tensor, "record value"] | None:
        """Conditions as in the training set, those of `draw_microvolts` for the same seed; None for none."""
        if self.conditions is None:
            return None
        table = self.conditions.draw(seed, range(num_records))
        return torch.from_numpy(self.conditions.encode(table)).to(self.device)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        learned = learned_parameters(self.generator, self.trainable)
        if self.scales is not None:
            learned += self.scales.parameters()
        if self.trainable == NONE:  # an optimizer needs something to hold
            learned = list(self.generator.parameters())
        critic, generator = (
            torch.optim.Adam(parameters, lr=learning_rate, betas=self.betas, fused=True)
            for parameters, learning_rate in (
                (list(self.discriminator.parameters()), self.critic_learning_rate),
                (learned, self.learning_rate),
            )
        )
        return [critic, generator]

    @property
    def has_idle_critic(self) -> bool:
        """Whether the critic takes no part in the training."""
        return isinstance(self.loss, MatchingLoss)

    def restart(self) -> None:
        """Take the generator's weights as those that the training starts from."""
        for start in (self.scales, self.start):
            if start is not None:
                start.restart(self.generator)

    def on_fit_start(self) -> None:
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, ECGDataModule) and data.train is not None:
            self.trained_on |= set(data.train.hashes())

    def training_step(
        self, batch: Float[Tensor, "batch lead time"] | Sequence[Tensor], batch_idx: int
    ) -> dict[str, Tensor]:
        """A critic step, and each `n_critic`-th time a generator step.

        Args:
            batch: real records; with conditions, they and the conditions of each.
            batch_idx: in the epoch.
        """
        real, condition = (batch, None) if isinstance(batch, Tensor) else batch
        critic_optimizer, generator_optimizer = self.optimizers()  # type: ignore[attr-defined]  # a list of two
        rng = self._random_stream()
        losses = {} if self.has_idle_critic else self._step_of_critic(real, rng, critic_optimizer, condition)
        self.critic_steps += 1
        is_due = self.critic_steps % self.n_critic == 0 and self.critic_steps > self.warmup_steps
        if is_due and self.trainable != NONE:
            losses |= self._step_of_generator(real, rng, generator_optimizer, condition)
        losses = {name: loss.detach() for name, loss in losses.items()}
        self._log_means(losses, len(real), batch_idx)
        return losses

    def _step_of_critic(
        self, real: Tensor, rng: torch.Generator, optimizer: Any, condition: Tensor | None
    ) -> dict[str, Tensor]:
        losses = self._losses_of_critic(real, rng, condition)
        optimizer.zero_grad()
        self.manual_backward(losses["critic_loss"])
        optimizer.step()
        return losses

    def _step_of_generator(
        self, real: Tensor, rng: torch.Generator, optimizer: Any, condition: Tensor | None
    ) -> dict[str, Tensor]:
        self.toggle_optimizer(optimizer)  # no gradients for the critic's weights
        losses = self._losses_of_generator(real, rng, condition)
        optimizer.zero_grad()
        self.manual_backward(self._with_penalty(losses["generator_loss"]))
        optimizer.step()
        if self.scales is not None:
            self.scales.write(self.generator)
        self.untoggle_optimizer(optimizer)
        self.ema.update_parameters(self.generator)
        self.generator_steps += 1
        return losses

    def _losses_of_generator(
        self, batch: Tensor, rng: torch.Generator, condition: Tensor | None = None
    ) -> dict[str, Tensor]:
        drawn = self._draw(len(batch), rng, condition)
        if self.loss is None:
            shifts = self.discriminator.draw_shifts(len(batch), rng)
            losses = {"generator_loss": generator_loss(scores_of(self.discriminator, drawn, shifts, condition))}
            return self._with_recognition("generator_loss", losses, drawn, rng, condition)
        real, fake = self._augmented(batch, rng), self._augmented(drawn, rng)
        if isinstance(self.loss, MatchingLoss):
            return self.loss.generator_losses(real, fake)
        loss = self.loss.generator_loss(self.discriminator, real, fake, rng, *_if_any(condition))
        return self._with_recognition("generator_loss", {"generator_loss": loss}, fake, rng, condition)

    def _log_means(self, losses: dict[str, Tensor], count: int, batch_idx: int) -> None:
        if batch_idx == 0:
            self._epoch = {}
        for name, loss in losses.items():
            total, number = self._epoch.get(name, (torch.zeros_like(loss), 0))
            self._epoch[name] = total + loss * count, number + count
        if self.trainer.is_last_batch:
            means = {name: total / number for name, (total, number) in self._epoch.items()}
            # Lightning's own step is off by one after some restarts; if a step is given, the epoch must be given too.
            place = {"step": self.critic_steps - 1, "epoch": self.current_epoch}
            means |= {name: torch.tensor(float(number)) for name, number in place.items()}
            self.log_dict(means, on_step=False, on_epoch=True, batch_size=1, sync_dist=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        mean = self.trainer.strategy.reduce  # over the devices, all of which resume from it
        checkpoint["wgan_gp_epoch"] = {
            name: (mean(total.clone()), count) for name, (total, count) in self._epoch.items()
        }
        checkpoint["wgan_gp_steps"] = {"critic": self.critic_steps, "generator": self.generator_steps}
        if self.augmentation is not None and self.augmentation.adaptive is not None:
            checkpoint["augmented_share"] = self.augmented_share
        checkpoint[KEY_IN_TRAINING_CHECKPOINT] = self.generator_contents()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.critic_steps = checkpoint["wgan_gp_steps"]["critic"]
        self.generator_steps = checkpoint["wgan_gp_steps"]["generator"]
        self.augmented_share = checkpoint.get("augmented_share", self.augmented_share)
        self.trained_on |= training_hashes(checkpoint[KEY_IN_TRAINING_CHECKPOINT]["trained"])
        self._epoch = {
            name: (total.to(self.device), count) for name, (total, count) in checkpoint["wgan_gp_epoch"].items()
        }

    def generator_contents(self) -> dict[str, Any]:
        """The contents of a generator file with the current weights; its epochs are those that are completed."""
        progress: Any = None if self._trainer is None else self._trainer.fit_loop.epoch_progress.current
        trained: dict[str, Any] = {
            "epochs": 0 if progress is None else progress.processed,  # which its type does not know
            "critic_steps": self.critic_steps,
            "generator_steps": self.generator_steps,
            "training_seed": self.seed,
        }
        if self.trained_on:
            trained[TRAINED_ON] = encode_hashes(self.trained_on)
        return generator_contents(self.generator, self.ema.module, self.ecg, trained, None, self.conditions)

    def check_resumable(self, path: str | Path, max_epochs: int | None) -> int:
        """The number of generator steps in a checkpoint, if training can resume from it.

        Args:
            path: the checkpoint.
            max_epochs: of the trainer; None or -1 for no limit.

        Raises:
            FileNotFoundError: no such file.
            ValueError: it is no training checkpoint, of another model or full scale, or beyond `max_epochs`.
        """
        contents = read_tensors(path)
        if not {"wgan_gp_steps", "wgan_gp_epoch"} <= contents.keys():
            raise ValueError(
                f"{path} is no training checkpoint; resume needs the last.ckpt of a run of this version of ecggan"
            )
        if max_epochs is not None and 0 <= max_epochs < contents["epoch"]:
            raise ValueError(
                f"{path} has trained {contents['epoch']} epochs already, trainer.max_epochs is {max_epochs}; raise it"
            )
        found, wanted = (
            {name: tuple(tensor.shape) for name, tensor in state.items()}
            for state in (contents["state_dict"], self.state_dict())
        )
        if found != wanted:
            different = next(name for name in {**found, **wanted} if found.get(name) != wanted.get(name))
            raise ValueError(
                f"{path} is of another model: {different} is {found.get(different)} there and {wanted.get(different)} "
                "here; resume with the model and ecg that it was trained with"
            )
        full_scale_mv = contents[KEY_IN_TRAINING_CHECKPOINT]["ecg"]["full_scale_mv"]
        if full_scale_mv != self.ecg.full_scale_mv:
            raise ValueError(
                f"{path} was trained at full_scale_mv = {full_scale_mv}; here it is {self.ecg.full_scale_mv}"
            )
        plain = contents[KEY_IN_TRAINING_CHECKPOINT].get(CONDITIONS)
        if plain is not None and self.conditions is not None and plain != self.conditions.plain():
            raise ValueError(
                f"{path} was trained on other conditions than those of these training records; resume with the data "
                "and condition= that it was trained with"
            )
        return int(contents["wgan_gp_steps"]["generator"])

    def _losses_of_critic(
        self, real: Tensor, rng: torch.Generator, condition: Tensor | None = None
    ) -> dict[str, Tensor]:
        with torch.no_grad():  # no gradients for the generator in a critic step
            fake = self._draw(len(real), rng, condition)
        if self.loss is not None:
            assert not isinstance(self.loss, MatchingLoss)
            real, fake = self._augmented(real, rng), self._augmented(fake, rng)
            step = self.critic_steps
            losses = self.loss.critic_losses(self.discriminator, real, fake, rng, step, *_if_any(condition))
            return self._with_recognition("critic_loss", losses, real, rng, condition)
        shifts = self.discriminator.draw_shifts(2 * len(real), rng)
        wide = torch.promote_types(real.dtype, torch.float32)
        share = torch.rand(len(real), 1, 1, generator=rng, device=self.device, dtype=wide)
        between = self.discriminator.draw_shifts(len(real), rng)
        losses = self.critic_losses(real, fake, shifts, share, between, condition)
        return self._with_recognition("critic_loss", losses, real, rng, condition)

    def critic_losses(
        self,
        real: Float[Tensor, "batch lead time"],
        fake: Float[Tensor, "batch lead time"],
        shifts: Tensor | None,
        share: Float[Tensor, "batch 1 1"],
        shifts_between: Tensor | None,
        condition: Float[Tensor, "batch value"] | None = None,
    ) -> dict[str, Tensor]:
        """The critic's losses, as a function of tensors.

        Args:
            real: records.
            fake: as many generated records.
            shifts: the phase shuffle of real and generated records together.
            share: the position of each penalty point between a fake record (0) and a real one (1).
            shifts_between: the phase shuffle of the penalty points.
            condition: of each real record, of the generated one beside it and of the point between; None for none.
        """
        of_both = None if condition is None else torch.cat((condition, condition))
        both = torch.cat((real, fake))
        scores = scores_of(self.discriminator, both, shifts, of_both)  # one pass: no layer mixes records
        real_scores, fake_scores = scores.split(len(real))
        slope = cast(Discriminator, self.discriminator).slope
        penalty = gradient_penalty(lambda ecg: slope(ecg, shifts_between, *_if_any(condition)), real, fake, share)
        loss = critic_loss(real_scores, fake_scores, penalty, self.gradient_penalty_weight)
        gap = critic_gap(real_scores, fake_scores)
        return {"critic_loss": loss, "critic_gap": gap, "gradient_penalty": penalty}

    def _with_recognition(
        self, name: str, losses: dict[str, Tensor], ecg: Tensor, rng: torch.Generator, condition: Tensor | None
    ) -> dict[str, Tensor]:
        """The losses, to that of this name the weighted error with which the critic recognises the records added."""
        if self.recognition is None:
            return losses
        assert condition is not None
        recognised = cast(Discriminator, self.discriminator).recognised  # as all critics have it
        error = self.recognition(recognised(ecg, self.discriminator.draw_shifts(len(ecg), rng)), condition)
        which = "real" if name == "critic_loss" else "generated"
        return {**losses, name: losses[name] + self.recognition_weight * error, f"recognition_error_{which}": error}

    def _with_penalty(self, loss: Tensor) -> Tensor:
        if self.start is None:
            return loss
        scaled = {} if self.scales is None else self.scales.weights()
        return loss + self.start.penalty({**dict(self.generator.named_parameters()), **scaled}, self.start_penalty)

    def _augmented(self, ecg: Tensor, rng: torch.Generator) -> Tensor:
        return ecg if self.augmentation is None else self.augmentation.draw(ecg, rng, self.augmented_share)(ecg)

    def _draw(self, count: int, rng: torch.Generator, condition: Tensor | None = None) -> Tensor:
        shape = self.generator.latent_shape
        assert isinstance(shape, tuple)
        noise = torch.rand((count, *shape), generator=rng, device=self.device).mul_(2).sub_(1)
        inputs = (noise, *_if_any(condition))
        if self.scales is not None and torch.is_grad_enabled():
            return torch.func.functional_call(self.generator, self.scales.weights(), inputs)
        return self.generator(*inputs)

    def _random_stream(self) -> torch.Generator:
        entropy = np.random.SeedSequence([self.seed, self.global_rank, self.critic_steps])
        # 32 of the 64 bits suffice; on some devices torch reads the upper half of seeds as negative.
        return torch.Generator(device=self.device).manual_seed(int(entropy.generate_state(1)[0]))


def _if_any(condition: Tensor | None) -> tuple[Tensor, ...]:
    """The last arguments of networks and losses, of which those of the user's own need not know conditions."""
    return () if condition is None else (condition,)


def _check_sizes(conditions: Conditions | None, **networks: nn.Module) -> None:
    """Raise ValueError unless the networks take conditions of this size; one of the user's own may take none."""
    size = 0 if conditions is None else conditions.size
    for name, network in networks.items():
        found = getattr(network, "condition_size", 0)
        if found != size:
            raise ValueError(f"the {name} takes {found} numbers of a condition; the conditions are {size}")
