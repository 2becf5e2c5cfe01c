"""What is done to real and generated ECGs alike before a critic sees them, so that a few hundred records last longer.

Each change is drawn by record, with the same law for real and generated ones, and gradients pass through: a generator
learns ECGs without the changes as long as each happens to fewer than all records.

Source: Karras et al. 2020, Training generative adversarial networks with limited data; Zhao et al. 2020, Differentiable
augmentation for data-efficient GAN training.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

_NUM_WAVES = 3  # of the wander


@dataclass(frozen=True)
class Changes:
    """What happens to each record of a batch; made by `ECGAugmentation.draw`.

    Args:
        mixing: of the leads, near the unit matrix, all of them larger or smaller included.
        start: the sample at which a record's stretch begins.
        speed: of time, 1 or below.
        wander: what is added below 0.5 Hz, in the records' unit.
        noise: what is added at all frequencies, in the records' unit.
        shown: 0 in leads that are off, 1 elsewhere.
    """

    mixing: Float[Tensor, "batch lead lead"]
    start: Float[Tensor, "batch 1"]
    speed: Float[Tensor, "batch 1"]
    wander: Float[Tensor, "batch lead time"]
    noise: Float[Tensor, "batch lead time"]
    shown: Bool[Tensor, "batch lead 1"]

    def __call__(self, ecg: Float[Tensor, "batch lead time"]) -> Float[Tensor, "batch lead time"]:
        with torch.autocast(ecg.device.type, enabled=False):  # which would round real records as no generator does
            slower = _slower(ecg.to(self.mixing.dtype), self.start, self.speed)
            return (self.mixing @ slower + self.wander + self.noise) * self.shown


@dataclass(frozen=True)
class AdaptiveShare:
    """The share of augmented records follows how well the critic knows its training records.

    Args:
        target: how often a training record may score above a validation record; 0.5 to 1.
        step: by how much the share changes, each time the scores are compared.
        largest: share.
    """

    target: int | float
    step: int | float
    largest: int | float

    def __post_init__(self) -> None:
        if not (0.5 <= self.target <= 1 and 0 < self.step <= 1 and 0 < self.largest < 1):
            raise ValueError(
                "an adaptive augmentation needs target from 0.5 to 1, step above 0 and largest between 0 and 1; "
                f"got {self}"
            )

    def after(self, share: float, told_apart: float) -> float:
        """The share from now on: more where the critic tells training from validation records, less otherwise.

        Args:
            share: so far.
            told_apart: how often a training record scores above a validation record.
        """
        return min(max(share + math.copysign(self.step, told_apart - self.target), 0.0), self.largest)


@dataclass(frozen=True)
class ECGAugmentation:
    """Another tempo, other leads, another gain, wander, noise and a lead off.

    A slower tempo moves a record's beats apart and widens them; mixed leads see the heart from elsewhere. Either makes
    another record of each, so that critics of whole records do not know a few hundred by heart.

    Args:
        sampling_rate: in Hz.
        full_scale_mv: the amplitude of the records' ±1.
        share: of the records, to which each change happens (0 to 1, below 1 lest the generator learns the changes).
        slowing: the largest share of a record's end that a slower tempo leaves out; 0 to 1, 1 excluded.
        mixing_sd: of what each lead is given of the others, so that their sum has this size beside its own.
        gain_sd: of the logarithm of the gain.
        wander_mv: the largest amplitude of the wander of a lead.
        noise_mv: the largest RMS of the noise of a record.
        adaptive: how `share` changes while training; None if it does not.
    """

    sampling_rate: int | float
    full_scale_mv: int | float
    share: int | float
    slowing: int | float
    mixing_sd: int | float
    gain_sd: int | float
    wander_mv: int | float
    noise_mv: int | float
    adaptive: AdaptiveShare | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"share must lie in 0 to 1, 1 excluded; got {self.share!r}")
        if not 0 <= self.slowing < 1:
            raise ValueError(f"slowing must lie in 0 to 1, 1 excluded; got {self.slowing!r}")
        for name in ("mixing_sd", "gain_sd", "wander_mv", "noise_mv"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a number from 0 on; got {getattr(self, name)!r}")

    def draw(self, ecg: Float[Tensor, "batch lead time"], rng: torch.Generator, share: float | None = None) -> Changes:
        """Draw what happens to each record of a batch.

        Args:
            ecg: the records, for their shape alone; of fewer than 32 bits they are widened, as times do not fit these.
            rng: on their device.
            share: in place of the augmentation's own, as an adaptive training sets it.
        """
        count, num_leads, time = ecg.shape
        share = self.share if share is None else share
        dtype = torch.promote_types(ecg.dtype, torch.float32)

        def uniform(*shape: int) -> Tensor:
            return torch.rand(shape, generator=rng, device=ecg.device, dtype=dtype)

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=rng, device=ecg.device, dtype=dtype)

        def happens() -> Tensor:
            return (uniform(count, 1, 1) < share).to(dtype)

        speed = 1 - happens() * uniform(count, 1, 1) * self.slowing
        start = uniform(count, 1, 1) * (time - 1) * (1 - speed)
        mixing = happens() * normal(count, num_leads, num_leads) * (self.mixing_sd / math.sqrt(num_leads))
        gain = torch.exp(happens() * normal(count, 1, 1) * self.gain_sd)
        mixing = gain * (torch.eye(num_leads, device=ecg.device, dtype=dtype) + mixing)
        wander, noise = torch.zeros_like(ecg, dtype=dtype), torch.zeros_like(ecg, dtype=dtype)
        moved, noisy = happens()[:, 0, 0].nonzero()[:, 0], happens()[:, 0, 0].nonzero()[:, 0]
        wander[moved] = self._wander(len(moved), num_leads, time, uniform)
        size = uniform(len(noisy), 1, 1) * (self.noise_mv / self.full_scale_mv)
        noise[noisy] = size * normal(len(noisy), num_leads, time)
        off = torch.randint(num_leads, (count, 1, 1), generator=rng, device=ecg.device)
        is_off = happens().bool() & (torch.arange(num_leads, device=ecg.device)[:, None] == off)
        return Changes(mixing, start[..., 0], speed[..., 0], wander, noise, ~is_off)

    def _wander(self, count: int, num_leads: int, time: int, uniform: Callable[..., Tensor]) -> Tensor:
        frequency = 0.05 + 0.45 * uniform(count, 1, _NUM_WAVES, 1)  # Hz; one breath moves every lead
        phase = 2 * math.pi * uniform(count, num_leads, _NUM_WAVES, 1)
        size = uniform(count, num_leads, _NUM_WAVES, 1) * (self.wander_mv / self.full_scale_mv / _NUM_WAVES)
        seconds = torch.arange(time, device=phase.device, dtype=phase.dtype) / self.sampling_rate
        return (size * torch.sin(2 * math.pi * frequency * seconds + phase)).sum(dim=2)


def _slower(
    ecg: Float[Tensor, "batch lead time"], start: Float[Tensor, "batch 1"], speed: Float[Tensor, "batch 1"]
) -> Float[Tensor, "batch lead time"]:
    """A stretch of each record, made as long as the record by linear interpolation."""
    num_leads, time = ecg.shape[1:]
    which = (speed[:, 0] != 1).nonzero()[:, 0]
    position = start[which] + speed[which] * torch.arange(time, device=ecg.device, dtype=ecg.dtype)
    before = position.floor().clamp(0, time - 2)
    first = before.long()[:, None].expand(-1, num_leads, -1)
    moved = ecg[which]
    moved = torch.lerp(moved.gather(2, first), moved.gather(2, first + 1), (position - before)[:, None])
    return ecg.index_copy(0, which, moved)
