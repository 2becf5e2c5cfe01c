"""One ECG as numbers that can be moved: its rhythm, where its waves begin and end, and its beat with that taken out.

Two beats whose P waves lie 20 ms apart cannot be averaged: the mean has two small P waves. So the median beat is first
stretched, between P onset, P offset, QRS onset, R-peak, QRS offset and T offset, to where these lie in a usual beat.
What is left at each time is how large the same part of the same wave is: that may be averaged, and moved by a linear
map (curve registration: Ramsay and Silverman 2005, Functional Data Analysis, chapter 7).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ecggan.measurement.beats import Beats, find_beats
from ecggan.measurement.delineation import delineate
from ecggan.measurement.filters import without_baseline

LANDMARKS = ("p_onset", "p_offset", "qrs_onset", "qrs_offset", "t_offset")
USUAL_MS = np.array([-200.0, -92.0, -42.0, 54.0, 364.0])
"""Where a usual beat has its landmarks, from the R-peak."""
NUM_BEFORE_R = 3
_REACH_MS = 80  # beyond P and T, where the beat fades into the baseline
_FADE_MS = 60
STEP_MS = 2
GRID_MS = np.arange(USUAL_MS[0] - _REACH_MS, USUAL_MS[-1] + _REACH_MS + 1, STEP_MS)
_FAR_MS = 400  # beyond the outermost landmarks time runs at its own pace
LEVEL_MS = 12  # before the QRS onset: the level that amplitudes count from
_FEWEST_BEATS = 4
_SHORTEST_RR = 0.6  # of the median: what is nearer is a premature beat, or a T wave taken for one
_SMALLEST_SPREAD = 0.003  # of the mean: half a sample of 500 Hz in each RR interval is no rhythm
_QRS_MS = 60  # around the R-peak


@dataclass(frozen=True)
class RegisteredECG:
    """What is moved of an ECG.

    Args:
        r_peaks: in samples, at least four.
        sampling_rate: in Hz.
        landmarks_ms: where P, QRS and T begin and end, from the R-peak, in the order of [LANDMARKS][].
        sizes: of the QRS complex of each beat, 1 in the mean; 1 for a beat that an end of the record cuts.
        is_usual: the beats that the median beat is made of.
        waves: the median beat in mV on [GRID_MS][], its landmarks at [USUAL_MS][], from the level at the QRS onset,
            faded to 0 at both ends.
    """

    r_peaks: np.ndarray
    sampling_rate: int
    landmarks_ms: Float[np.ndarray, " landmark"]
    sizes: Float[np.ndarray, " beat"]
    is_usual: Bool[np.ndarray, " beat"]
    waves: Float[np.ndarray, "lead grid"]

    @property
    def rr_ms(self) -> Float[np.ndarray, " interval"]:
        return np.diff(self.r_peaks) * (1000 / self.sampling_rate)

    @property
    def log_rr(self) -> float:
        """The logarithm of the mean RR interval in ms."""
        return float(np.log(self.rr_ms.mean()))

    @property
    def log_rr_spread(self) -> float:
        """The logarithm of the SD of the RR intervals as a share of their mean, kept finite."""
        return float(np.log(self.rr_ms.std(ddof=1) / self.rr_ms.mean() + _SMALLEST_SPREAD))

    @property
    def log_size_spread(self) -> float:
        """The logarithm of the SD of the usual beats' sizes as a share of their mean, kept finite."""
        return float(np.log(self.sizes[self.is_usual].std(ddof=1) + _SMALLEST_SPREAD))


def spread_of(log_spread: float) -> float:
    """The SD of RR intervals or sizes as a share of their mean, from its logarithm."""
    return max(float(np.exp(log_spread)) - _SMALLEST_SPREAD, 0.0)


def register(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> RegisteredECG | None:
    """Register an ECG; None where a P wave, a T wave, a lead or enough beats are missing, or a beat comes too early.

    Args:
        millivolts: of one record.
        sampling_rate: in Hz.
    """
    steady = without_baseline(np.asarray(millivolts, dtype=np.float64), sampling_rate)
    beats = find_beats(steady, sampling_rate)
    if beats.num_found < _FEWEST_BEATS or beats.num_used < _FEWEST_BEATS - 1 or beats.is_noisy.any():
        return None
    intervals = np.diff(beats.r_peaks)
    if intervals.min() < _SHORTEST_RR * np.median(intervals):
        return None
    found = delineate(beats)
    per_ms = sampling_rate / 1000
    landmarks_ms = (np.array([getattr(found, name) for name in LANDMARKS]) - beats.r_peak) / per_ms
    if not (np.diff(with_r_peak(landmarks_ms)) > 0).all():  # NaN is not either
        return None
    onset = beats.r_peak + landmarks_ms[NUM_BEFORE_R - 1] * per_ms
    level = beats.millivolts[:, max(int(onset - LEVEL_MS * per_ms), 0) : int(onset)].mean(axis=1, keepdims=True)
    taken = beats.r_peak + to_own_time(GRID_MS, landmarks_ms) * per_ms
    samples = np.arange(beats.millivolts.shape[1])
    waves = np.stack([np.interp(taken, samples, lead) for lead in beats.millivolts - level]) * fade()
    return RegisteredECG(beats.r_peaks, sampling_rate, landmarks_ms, _sizes(steady, beats), beats.is_used, waves)


def with_r_peak(landmarks_ms: Float[np.ndarray, " landmark"]) -> Float[np.ndarray, " landmark_or_r"]:
    """The landmarks with the R-peak, 0, in its place."""
    return np.insert(landmarks_ms, NUM_BEFORE_R, 0.0)


def to_own_time(usual_ms: np.ndarray, landmarks_ms: np.ndarray) -> np.ndarray:
    """Times of the usual beat -> where the same part of the wave lies in a beat with these landmarks."""
    return np.interp(usual_ms, _knots(USUAL_MS), _knots(landmarks_ms))


def to_usual_time(own_ms: np.ndarray, landmarks_ms: np.ndarray) -> np.ndarray:
    """The inverse of [to_own_time][]."""
    return np.interp(own_ms, _knots(landmarks_ms), _knots(USUAL_MS))


def fade() -> Float[np.ndarray, " grid"]:
    """1 over the beat, down to 0 at both ends of the grid, without a corner."""
    from_end = np.minimum(GRID_MS - GRID_MS[0], GRID_MS[-1] - GRID_MS)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(from_end / _FADE_MS, 0, 1))


def _sizes(millivolts: Float[np.ndarray, "lead time"], beats: Beats) -> Float[np.ndarray, " beat"]:
    """How large each QRS complex is: the factor by which the median beat's fits it best, over all leads."""
    reach = _QRS_MS * beats.sampling_rate // 1000
    whole = (beats.r_peaks >= reach) & (beats.r_peaks + reach < millivolts.shape[1])
    around = np.arange(-reach, reach + 1)
    complexes = millivolts[:, beats.r_peaks[whole, None] + around].swapaxes(0, 1)
    usual = beats.millivolts[:, beats.r_peak + around]
    complexes, usual = (one - one.mean(axis=-1, keepdims=True) for one in (complexes, usual))
    sizes = np.ones(len(beats.r_peaks))
    sizes[whole] = (complexes * usual).sum(axis=(1, 2))
    sizes[whole] /= sizes[whole].mean()
    return sizes


def _knots(landmarks_ms: np.ndarray) -> np.ndarray:
    return np.concatenate([[landmarks_ms[0] - _FAR_MS], with_r_peak(landmarks_ms), [landmarks_ms[-1] + _FAR_MS]])
