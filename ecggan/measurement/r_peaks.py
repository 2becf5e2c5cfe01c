"""The leads of one ECG -> the positions of its R-peaks.

neurokit2 finds candidates on one signal, the magnitude of all leads scaled to the same size, so that an inverted or
small lead does no harm and a noisy lead does not mask the others. Of two waves that follow each other closely it takes
the first, so a tall P or T wave may count as a beat, beside its QRS complex or in its place. Two steps put that right:
QRS complexes that it passed over are added, and waves that belong to the cycle of a faster wave are removed. What a
QRS complex has and a P or T wave lacks, however tall it is, is speed above 12 Hz.
"""

import warnings

import numpy as np
import scipy.signal
from jaxtyping import Float, Int

from ecggan.measurement.filters import zero_phase

_SHORTEST_RR_S = 0.25
_SLOWEST_BEAT = 0.25  # of the upper quartile of top speeds; a usual T wave has about a tenth
_QRS_REACH_MS = 100
_SHARP_ABOVE_HZ = 12.0  # a QRS complex is fast here, a T wave is not, however tall it is
_SHARP_REACH_MS = 60
_SHARP_WINDOW_S = 2.0  # holds at least one beat of a heart that beats 30 times a minute
_LEAST_SHARP = 0.5  # of the usual: what neurokit2 passed over and is no less sharp is a beat
_LEAST_ALIKE, _FEWEST_ALIKE = 0.7, 2  # correlation with so many others
_APART_MS = 120  # of a candidate of neurokit2's
_SLOWER = 0.6  # a T or P wave is at most this sharp, of the QRS complex beside it
_AFTER_MS, _LATEST_T_QTC_MS, _LONGEST_CYCLE_S = 100, 500, 1.5  # of a T wave's top from its R-peak; by Bazett
_BEFORE_MS = (60, 320)  # of a P wave's top from its R-peak
_MUCH_SLOWER, _CLOSE_MS = 0.36, 330  # so slow so close to a QRS complex it is no beat, repeated or not
_WAVE_MS, _PLAY_MS = 80, 40  # half a T wave; it may come earlier or later by the play
_LEAST_REPEATED, _LEAST_SIMILAR, _LEAST_SIZE = 0.6, 0.8, 0.3
_OWN_T_MS, _NEXT_P_MS, _OWN_T_SIZE = (170, 450), 250, 0.3


def find_r_peaks(banded: Float[np.ndarray, "lead time"], sampling_rate: int) -> Int[np.ndarray, " beat"]:
    """One position a beat, in samples, at the same part of each QRS complex.

    Args:
        banded: leads between 0.5 and 30 Hz, scaled to the same size.
        sampling_rate: in Hz.
    """
    per_ms = sampling_rate / 1000
    peaks = _candidates(banded, sampling_rate)
    if not len(peaks):
        return peaks
    speed = _speed(banded)
    sharp = _speed(zero_phase("high", _SHARP_ABOVE_HZ, banded, sampling_rate))
    reach = round(_QRS_REACH_MS * per_ms)
    # of a QRS complex with two peaks of similar height, neurokit2 may find either; its middle is the same in each beat
    middles, tops = _middles(speed, peaks, reach), _tops(speed, peaks, reach)
    is_beat = tops >= _SLOWEST_BEAT * np.percentile(tops, 75)
    to_peak = np.median((peaks - middles)[is_beat])
    missed = _missed(banded, sharp, peaks[is_beat], sampling_rate)
    middles = np.concatenate([middles[is_beat], _middles(speed, missed, reach)])
    found, first = np.unique(np.rint(middles + to_peak).astype(int), return_index=True)
    is_missed = (first >= is_beat.sum())[(found > 0) & (found < banded.shape[1] - 1)]
    found = found[(found > 0) & (found < banded.shape[1] - 1)]
    stays = ~_are_waves_of_others(banded, sharp, found, sampling_rate)
    if is_missed.any():  # next to a beat that stays it is a part of that beat
        beats = found[stays & ~is_missed]
        apart = np.abs(found[:, None] - beats[None, :]).min(axis=1, initial=banded.shape[1])
        stays &= ~is_missed | (apart > _SHORTEST_RR_S * sampling_rate)
    return found[stays]


def _candidates(banded: np.ndarray, sampling_rate: int) -> np.ndarray:
    import neurokit2 as nk

    magnitude = np.sqrt(np.mean(banded**2, axis=0))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the plausibility checks cover what neurokit2 warns of
        try:
            found = nk.ecg_findpeaks(magnitude, sampling_rate=sampling_rate, mindelay=_SHORTEST_RR_S)
        except (IndexError, ValueError, ZeroDivisionError):  # a signal without any beat
            return np.empty(0, int)
    return np.asarray(found["ECG_R_Peaks"], int)


def _speed(leads: np.ndarray) -> np.ndarray:
    return np.sqrt((np.gradient(leads, axis=1) ** 2).sum(axis=0))


def _tops(speed: np.ndarray, peaks: np.ndarray, reach: int) -> np.ndarray:
    """The top speed around each peak."""
    return np.array([speed[max(peak - reach, 0) : peak + reach].max() for peak in peaks])


def _middles(speed: np.ndarray, peaks: np.ndarray, reach: int) -> np.ndarray:
    """The middle of the QRS complex around each peak, weighted by the speed."""
    around = [slice(max(peak - reach, 0), peak + reach) for peak in peaks]
    return np.array([np.average(np.arange(len(speed))[near], weights=speed[near] ** 2) for near in around])


def _missed(banded: np.ndarray, sharp: np.ndarray, peaks: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Sharp waves that neurokit2 passed over, if they resemble others: an artefact does not."""
    per_ms = sampling_rate / 1000
    window, distance = round(_SHARP_WINDOW_S * sampling_rate), round(_SHORTEST_RR_S * sampling_rate)
    usual = np.median([sharp[start : start + window].max() for start in range(0, len(sharp) - window + 1, window // 2)])
    waves, _ = scipy.signal.find_peaks(sharp, height=_LEAST_SHARP * usual, distance=distance)
    waves = waves[np.minimum(waves, len(sharp) - 1 - waves) > distance]  # neurokit2 finds none near the ends either
    reach = round(_SHARP_REACH_MS * per_ms)
    is_sharp = _tops(sharp, peaks, reach) >= _LEAST_SHARP * usual
    apart = np.where(is_sharp, _APART_MS * per_ms, reach)  # a P wave does not stand for the QRS complex close to it
    is_missed = (np.abs(waves[:, None] - peaks[None, :]) > apart).all(axis=1)
    if not is_missed.any():
        return waves[is_missed]
    shapes = np.stack([banded[:, wave - reach : wave + reach] for wave in waves])
    shapes = (shapes - shapes.mean(axis=2, keepdims=True)).reshape(len(waves), -1)
    num_alike = (np.atleast_2d(np.corrcoef(shapes)) >= _LEAST_ALIKE).sum(axis=1) - 1
    return waves[is_missed & (num_alike >= _FEWEST_ALIKE)]


def _are_waves_of_others(banded: np.ndarray, sharp: np.ndarray, peaks: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Whether each peak is a T or P wave: it keeps its place beside a sharper wave, cycle after cycle."""
    per_ms = sampling_rate / 1000
    reach = round(_SHARP_REACH_MS * per_ms)
    tops = _tops(sharp, peaks, reach)
    beside = [_sharper_beside(i, peaks, tops, sampling_rate) for i in range(len(peaks))]
    clear = peaks[[other < 0 for other in beside]]
    is_wave = np.zeros(len(peaks), bool)
    for i, other in enumerate(beside):
        if other >= 0:
            wave, r_peak = int(peaks[i]), int(peaks[other])
            is_close = abs(wave - r_peak) <= _CLOSE_MS * per_ms and tops[i] <= _MUCH_SLOWER * tops[other]
            is_beat = wave > r_peak and _has_own_t(banded, wave, clear, per_ms)
            is_wave[i] = is_close or (not is_beat and _repeats(banded, wave, r_peak, clear, per_ms))
    return is_wave


def _sharper_beside(i: int, peaks: np.ndarray, tops: np.ndarray, sampling_rate: int) -> int:
    """The index of the R-peak whose T or P wave peak `i` may be; -1 without one."""
    per_ms = sampling_rate / 1000
    sharper = np.flatnonzero(tops * _SLOWER > tops[i])
    before, after = sharper[sharper < i], sharper[sharper > i]
    if len(before):
        cycle_s = (peaks[after[0]] - peaks[before[-1]]) / sampling_rate if len(after) else _LONGEST_CYCLE_S
        latest = _LATEST_T_QTC_MS * np.sqrt(min(cycle_s, _LONGEST_CYCLE_S)) * per_ms
        if _AFTER_MS * per_ms <= peaks[i] - peaks[before[-1]] <= latest:
            return int(before[-1])
    if len(after) and _BEFORE_MS[0] * per_ms <= peaks[after[0]] - peaks[i] <= _BEFORE_MS[1] * per_ms:
        return int(after[0])
    return -1


def _repeats(banded: np.ndarray, wave: int, r_peak: int, r_peaks: np.ndarray, per_ms: float) -> bool:
    """Whether the wave is seen at the same time from most of the R-peaks."""
    half, play = round(_WAVE_MS * per_ms), round(_PLAY_MS * per_ms)
    if wave - half < 0 or wave + half > banded.shape[1]:
        half = min(wave, banded.shape[1] - wave)
    shape = banded[:, wave - half : wave + half]
    shape = shape - shape.mean(axis=1, keepdims=True)
    size = np.sqrt((shape**2).sum())
    similar = []
    for other in r_peaks[r_peaks != r_peak]:
        at = other + wave - r_peak
        if at - half - play < 0 or at + half + play > banded.shape[1]:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(
            banded[:, at - half - play : at + half + play], 2 * half, axis=1
        )[:, :: max(play // 8, 1)]
        windows = windows - windows.mean(axis=2, keepdims=True)
        sizes = np.sqrt((windows**2).sum(axis=(0, 2)))
        products = np.einsum("lwt,lt->w", windows, shape)
        is_similar = products >= _LEAST_SIMILAR * size * np.maximum(sizes, np.finfo(float).tiny)
        similar.append(bool((is_similar & (sizes >= _LEAST_SIZE * size)).any()))
    return len(similar) > 1 and float(np.mean(similar)) >= _LEAST_REPEATED


def _has_own_t(banded: np.ndarray, peak: int, r_peaks: np.ndarray, per_ms: float) -> bool:
    """Whether a wave follows that is a share of this one, as a T wave follows an ectopic beat and none a T wave."""
    later = r_peaks[r_peaks > peak]
    stop = min(peak + _OWN_T_MS[1] * per_ms, later[0] - _NEXT_P_MS * per_ms if len(later) else banded.shape[1])
    start, reach = peak + round(_OWN_T_MS[0] * per_ms), round(_QRS_REACH_MS * per_ms)
    if stop - start < _WAVE_MS * per_ms:
        return False
    after = np.ptp(banded[:, start : int(stop)], axis=1)
    return bool(
        np.linalg.norm(after)
        >= _OWN_T_SIZE * np.linalg.norm(np.ptp(banded[:, max(peak - reach, 0) : peak + reach], axis=1))
    )
