"""Corrupted sets, made of real ECGs, that the self-test must catch.

Two kinds: copies of the training ECGs, unchanged or disguised, which look as real as real ECGs; and fresh ECGs with a
mistake that users make, or with a failure of generators.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy.signal
from jaxtyping import Float

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import CHEST_LEADS, LARGEST_STORED_MV, select_leads
from ecggan.measurement.beats import find_beats
from ecggan.measurement.filters import without_baseline

TRAINING, HELD_OUT, FRESH = "training", "held-out", "fresh"
NOISE_MV, SHIFT_S, GAIN = 0.02, 0.1, 1.25
WANDER_MV, WANDER_HZ = 0.3, 0.25
BEAT_SD = 0.15
STRETCH = Fraction(5, 4)  # 500 Hz taken for 400

Signals = Float[np.ndarray, "_ lead time"]


@dataclass(frozen=True)
class Corruption:
    """How a set is corrupted.

    Args:
        description: for a reader.
        source: of its ECGs: training, held-out or fresh.
        corrupt: from the signals in mV, the leads' names, the sampling rate in Hz and a random generator.
    """

    description: str
    source: str
    corrupt: Callable[[Signals, tuple[str, ...], int, np.random.Generator], Signals]


def corrupted_sets(
    sources: Mapping[str, ECGSet], seed: int = 0, names: Collection[str] | None = None
) -> Mapping[str, ECGSet]:
    """One set for each of [CORRUPTIONS][], in memory, by its name.

    Args:
        sources: real ECGs of different patients: `training`, `held-out` and `fresh`.
        seed: of what is random.
        names: of the corruptions; None for all.
    """
    made = {}
    for i, (name, corruption) in enumerate(CORRUPTIONS.items()):
        if names is not None and name not in names:
            continue
        source = sources[corruption.source]
        signals = source.millivolts().astype(np.float64)
        found = corruption.corrupt(signals, source.leads, source.sampling_rate, np.random.default_rng((seed, i)))
        within = found.clip(-LARGEST_STORED_MV, LARGEST_STORED_MV)
        made[name] = ECGSet.from_arrays(within, source.leads, source.sampling_rate, kind="generated")
    return made


def _with_noise(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    return signals + rng.normal(0, NOISE_MV, signals.shape)


def _shifted(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    return np.roll(signals, round(SHIFT_S * rate), axis=2)


def _with_wander(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    phase = rng.uniform(0, 2 * np.pi, (*signals.shape[:2], 1))
    time = np.arange(signals.shape[2]) / rate
    return signals + WANDER_MV * np.sin(2 * np.pi * WANDER_HZ * time + phase)


def _one_repeated(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    return np.repeat(signals[:1], len(signals), axis=0)


def _white_noise(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    return rng.normal(0, 1, signals.shape) * signals.std(axis=2, keepdims=True)


def _half_the_modes(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    """The slower half: a generator that lacks fast heart rates."""
    beats = [find_beats(without_baseline(record, rate), rate).r_peaks for record in signals]
    rr = np.array([np.median(np.diff(peaks)) if len(peaks) > 1 else 0.0 for peaks in beats])
    return signals[rr >= np.median(rr)]


def _arms_swapped(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    """I inverted, II and III exchanged, aVR and aVL exchanged."""
    lead = dict(zip(leads, signals.swapaxes(0, 1), strict=True))
    swapped = lead | {"I": -lead["I"], "II": lead["II"] - lead["I"]}
    limb = np.stack([swapped["I"], swapped["II"]], axis=1)
    others = {k: select_leads(limb, ["I", "II"], [k])[:, 0] for k in ("III", "aVR", "aVL", "aVF") if k in leads}
    return np.stack([(swapped | others)[name] for name in leads], axis=1)


def _chest_reversed(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    chest = [leads.index(lead) for lead in CHEST_LEADS if lead in leads]
    order = np.arange(len(leads))
    order[chest] = chest[::-1]
    return signals[:, order]


def _stretched(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    kept = signals[:, :, : int(signals.shape[2] / STRETCH) + 1]
    longer = scipy.signal.resample_poly(kept, STRETCH.numerator, STRETCH.denominator, axis=2, padtype="line")
    return longer[:, :, : signals.shape[2]]


def _leads_of_others(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    return np.stack([signals[rng.permutation(len(signals)), lead] for lead in range(len(leads))], axis=1)


def _unequal_beats(signals: Signals, leads: tuple[str, ...], rate: int, rng: np.random.Generator) -> Signals:
    """Each beat larger or smaller than the last, in all leads alike: a median beat does not show it."""
    time = np.arange(signals.shape[2])
    made = signals.copy()
    for record in made:
        peaks = find_beats(without_baseline(record, rate), rate).r_peaks
        if len(peaks):
            record[:] *= np.interp(time, peaks, np.exp(rng.normal(0, BEAT_SD, len(peaks))))
    return made


CORRUPTIONS: Mapping[str, Corruption] = {
    "exact copy": Corruption("the training ECGs", TRAINING, lambda s, *_: s),
    "copy, noise": Corruption(f"the training ECGs with {1000 * NOISE_MV:g} µV of white noise", TRAINING, _with_noise),
    "copy, shift": Corruption(f"the training ECGs, {1000 * SHIFT_S:g} ms later", TRAINING, _shifted),
    "copy, gain": Corruption(f"the training ECGs × {GAIN:g}", TRAINING, lambda s, *_: GAIN * s),
    "copy, baseline": Corruption(
        f"the training ECGs with a baseline wandering by {WANDER_MV:g} mV", TRAINING, _with_wander
    ),
    "held-out copied": Corruption(
        f"the held-out ECGs with {1000 * NOISE_MV:g} µV of white noise", HELD_OUT, _with_noise
    ),
    "one repeated": Corruption("one training ECG, again and again", TRAINING, _one_repeated),
    "flat": Corruption("no signal", FRESH, lambda s, *_: np.zeros_like(s)),
    "white noise": Corruption("noise as large as each lead", FRESH, _white_noise),
    "half the modes": Corruption("fresh ECGs without the faster half", FRESH, _half_the_modes),
    "inverted": Corruption("fresh ECGs upside down", FRESH, lambda s, *_: -s),
    "time-reversed": Corruption("fresh ECGs from their end to their beginning", FRESH, lambda s, *_: s[:, :, ::-1]),
    "arms swapped": Corruption("fresh ECGs with the arm electrodes in each other's place", FRESH, _arms_swapped),
    "chest reversed": Corruption("fresh ECGs with V1 to V6 in the order V6 to V1", FRESH, _chest_reversed),
    "× 2": Corruption("fresh ECGs twice as large", FRESH, lambda s, *_: 2 * s),
    "slower": Corruption("fresh ECGs, 500 Hz taken for 400: a quarter longer", FRESH, _stretched),
    "µV for mV": Corruption("fresh ECGs in µV taken for mV, cut at what 16 bits hold", FRESH, lambda s, *_: 1000 * s),
    "mV for µV": Corruption("fresh ECGs in mV taken for µV", FRESH, lambda s, *_: s / 1000),
    "leads of others": Corruption("each lead of another fresh ECG", FRESH, _leads_of_others),
    "unequal beats": Corruption(f"fresh ECGs whose beats vary in size by {BEAT_SD:.0%} (SD)", FRESH, _unequal_beats),
}
"""By name; all must be caught."""
