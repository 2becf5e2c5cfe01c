"""One ECG -> its beats and their median.

Intervals and amplitudes are measured on the median beat, as 12SL does (Marquette 12SL ECG Analysis Program, Physician's
Guide, GE Healthcare): similar beats are aligned, ectopic beats and artefacts are excluded, and the median of each lead
at each time is taken. Noise falls with the root of the number of beats, and no single beat decides.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ecggan.measurement.filters import zero_phase
from ecggan.measurement.r_peaks import find_r_peaks

BEAT_MS = (-450, 700)  # around the R-peak: room for a PR of 0.4 s and a QT of 0.65 s
LEAST_ALIKE = 0.7  # correlation with the other beats, QRS and T, over all leads
_ALIKE_PLAY = 0.1  # a beat's correlation may be lower than its record's median by this
_COMPARED_MS = (-100, 400)  # QRS and T; P may vary
_BEAT_BAND_HZ = (0.5, 30.0)
_SMOOTH_HZ = 20.0
_QRS_MS = (-60, 60)
_NOISIEST = 4.0  # times the median noise of the record's leads
_NOISE_FLOOR_MV = 0.02  # a lead below it is never noisy, however quiet the others are
_FEWEST_WHOLE = 3


@dataclass(frozen=True)
class Beats:
    """The beats of one record and their median beat.

    Args:
        millivolts: the median beat, ``(lead, time)``; of length 0 without a beat.
        smooth: the beats of the median beat, below 20 Hz, ``(used, lead, time)``.
        r_peak: the position of its R-peak, in samples.
        r_peaks: of every beat found, in samples from the record's start.
        is_used: the beats that the median beat is made of.
        is_alone: the beats that are similar to no other.
        is_noisy: the leads excluded because they are much noisier than the others.
        sampling_rate: in Hz.
    """

    millivolts: Float[np.ndarray, "lead time"]
    smooth: Float[np.ndarray, "used lead time"]
    r_peak: int
    r_peaks: Int[np.ndarray, " beat"]
    is_used: Bool[np.ndarray, " beat"]
    is_alone: Bool[np.ndarray, " beat"]
    is_noisy: Bool[np.ndarray, " lead"]
    sampling_rate: int

    @property
    def num_found(self) -> int:
        return len(self.r_peaks)

    @property
    def num_used(self) -> int:
        return int(self.is_used.sum())

    def repeatability(self, start: int | float, stop: int | float) -> float:
        """The mean correlation of each beat with the sum of the others, over a part of the beat.

        Over all leads together, each without its mean. About 0 for noise and for waves that are not in time with the
        QRS complex, 1 for a wave that is the same in each beat; NaN for fewer than two beats.

        Args:
            start: of the part, in samples of the median beat.
            stop: its end.
        """
        stretch = self.smooth[:, ~self.is_noisy, max(int(start), 0) : int(np.ceil(stop))]
        if len(stretch) < 2 or stretch.shape[2] < 2:
            return np.nan
        return float(_correlations_with_others(stretch).mean())

    def qrs_size_sd_percent(self) -> float:
        """How much the size of the QRS complex varies from beat to beat: the SD in percent of the median beat's.

        A beat's size is the factor by which the median beat fits it best, over all leads together, each without its
        mean. Breathing varies it by a few percent; alternans and a generator that draws each beat anew by more. NaN for
        fewer than three beats.
        """
        start, stop = (self.r_peak + ms * self.sampling_rate // 1000 for ms in _QRS_MS)
        complexes = self.smooth[:, ~self.is_noisy, start:stop]
        if len(complexes) < _FEWEST_WHOLE or complexes.shape[1] == 0:
            return np.nan
        complexes = complexes - complexes.mean(axis=2, keepdims=True)
        median = np.median(complexes, axis=0)
        sizes = (complexes * median).sum(axis=(1, 2)) / max(float((median**2).sum()), np.finfo(float).tiny)
        return float(100 * sizes.std(ddof=1))


def find_beats(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> Beats:
    """Find the beats of a record and make the median beat of the similar ones; no content of a record makes it raise.

    Args:
        millivolts: leads with signal, without baseline wander.
        sampling_rate: in Hz.
    """
    banded = zero_phase("bandpass", _BEAT_BAND_HZ, millivolts, sampling_rate)
    scale = np.percentile(np.abs(banded), 99, axis=1, keepdims=True)
    banded /= np.maximum(scale, np.finfo(float).tiny)
    is_noisy = np.zeros(len(millivolts), bool)
    beats = _align(millivolts, banded, is_noisy, sampling_rate)
    if beats.num_used >= _FEWEST_WHOLE and beats.is_noisy.any():  # again, without the noisy leads
        beats = _align(millivolts, banded, beats.is_noisy, sampling_rate)
    return beats


def _align(millivolts: np.ndarray, banded: np.ndarray, ignored: np.ndarray, sampling_rate: int) -> Beats:
    r_peaks = find_r_peaks(banded[~ignored], sampling_rate)
    before, after = (abs(ms) * sampling_rate // 1000 for ms in BEAT_MS)
    is_used, is_alone = _alike(banded[~ignored], r_peaks, sampling_rate)
    whole = is_used & (r_peaks >= before) & (r_peaks + after <= millivolts.shape[1])
    if whole.sum() >= _FEWEST_WHOLE:
        is_used = whole
    if not is_used.any():
        none = np.zeros((len(millivolts), 0))
        return Beats(none, none[None, :, :][:0], before, r_peaks, is_used, is_alone, ignored, sampling_rate)
    # a beat cut by an end of the record is padded with the lead's last value
    padded = np.pad(millivolts, ((0, 0), (before, after)), mode="edge")
    laid = np.stack([padded[:, peak : peak + before + after] for peak in r_peaks[is_used]])
    in_order = np.sort(laid, axis=0)  # a third of the time of np.median, and the same
    median = (in_order[(len(laid) - 1) // 2] + in_order[len(laid) // 2]) / 2
    noise = np.median(np.sqrt(((laid - median) ** 2).mean(axis=2)), axis=0)
    is_noisy = noise > _NOISIEST * max(float(np.median(noise)), _NOISE_FLOOR_MV)
    smooth = zero_phase("low", _SMOOTH_HZ, laid, sampling_rate)
    return Beats(median, smooth, before, r_peaks, is_used, is_alone, is_noisy | ignored, sampling_rate)


def _alike(banded: np.ndarray, r_peaks: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """The beats of the largest group of similar ones, and the beats that are similar to no other.

    Beats cut by the record's ends are neither.
    """
    start, stop = (ms * sampling_rate // 1000 for ms in _COMPARED_MS)
    whole = np.flatnonzero((r_peaks + start >= 0) & (r_peaks + stop <= banded.shape[1]))
    is_alike, is_alone = np.zeros((2, len(r_peaks)), bool)
    if len(whole) < 2:
        is_alike[whole] = True
        return is_alike, is_alone
    shapes = np.stack([banded[:, peak + start : peak + stop] for peak in r_peaks[whole]])
    shapes = (shapes - shapes.mean(axis=2, keepdims=True)).reshape(len(whole), -1)
    correlation = np.corrcoef(shapes)
    # the example of the largest group: the beat with most similar beats, of several the one with the closest
    is_like = correlation >= LEAST_ALIKE
    closeness = (correlation * is_like).sum(axis=1) / is_like.sum(axis=1)
    example = int(np.argmax(is_like.sum(axis=1) + closeness / 2))
    usual = np.median(correlation[example][is_like[example]])
    is_alike[whole] = correlation[example] >= max(LEAST_ALIKE, usual - _ALIKE_PLAY)
    is_alone[whole] = is_like.sum(axis=1) == 1
    return is_alike, is_alone


def _correlations_with_others(stretch: np.ndarray) -> np.ndarray:
    stretch = stretch - stretch.mean(axis=2, keepdims=True)
    others = stretch.sum(axis=0) - stretch
    norms = np.sqrt((stretch**2).sum(axis=(1, 2)) * (others**2).sum(axis=(1, 2)))
    return (stretch * others).sum(axis=(1, 2)) / np.maximum(norms, np.finfo(float).tiny)
