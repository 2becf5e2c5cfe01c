"""One ECG -> its beats and their boundaries; the one door to neurokit2.

Beats are found once, on the root mean square over leads, so that an inverted, small or dead lead costs nothing.

P and T are delineated in each lead by neurokit2's prominence method (its default, `dwt`, puts QRS 84 ms too long), and
each boundary is the median over leads: robust against a lead gone wrong, where the earliest onset to the latest offset
explodes. QRS is not taken from there: prominence bounds it by the lowest points of Q and S, 15 to 20 ms too short with
a SD as large. It begins and ends where the leads' joint speed falls to a share of its top speed in that beat.

Known limits: neurokit2 looks for T up to half way to the next beat, so that QT is cut above about 100 bpm; its P waves
are close to 100 ms whatever the ECG; and it draws a P wave where there is none (atrial fibrillation).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# Where a boundary may lie, in ms after the R-peak: wider than any normal heart, since the gate in `measurements` judges
# the intervals; this only says which beat a boundary belongs to. With neurokit2's name for it.
_P_AND_T = {
    "p_onset": ("ECG_P_Onsets", -450, -40),
    "p_offset": ("ECG_P_Offsets", -400, -10),
    "t_offset": ("ECG_T_Offsets", 100, 650),
}
_SLOWEST_BEAT = 0.25  # of the upper quartile of top speeds; a T wave taken for a beat has about a tenth
_SAME_PEAK_PLAY_MS = 10
_QRS_REACH_MS = 200
# QRS ends where the speed is this share of the way from the record's median speed to the beat's top speed. The one
# number fitted here, and only to the mean error against LUDB's cardiologists (5 % gives +7 ms, 10 % gives -3 ms). The
# SD of the error hardly knows it: 7 ms for QRS below 120 ms, with 50 µV of noise or 100 µV of mains hum as without.
_QRS_EDGE = 0.08
_QRS_QUIET_MS = 16  # below the edge for so long, or the notch within a QRS would end it
_R_PEAK_PLAY_MS = 50  # how far a lead's own R-peak may lie from the common one
_SMALLEST_SIGNAL_MV = 0.02
_SHORTEST_RECORD_S = 1.0


@dataclass(frozen=True)
class Delineation:
    """The boundaries of each beat, one value a beat, in samples from the record's start; NaN where there is none."""

    r_peaks: Float[np.ndarray, " beat"]
    p_onset: Float[np.ndarray, " beat"]
    p_offset: Float[np.ndarray, " beat"]
    qrs_onset: Float[np.ndarray, " beat"]
    qrs_offset: Float[np.ndarray, " beat"]
    t_offset: Float[np.ndarray, " beat"]

    @property
    def num_beats(self) -> int:
        return len(self.r_peaks)


def leads_with_signal(millivolts: np.ndarray) -> np.ndarray:
    """Which of the leads ``(lead, time)`` show anything: finite, and more than 20 µV from top to bottom."""
    if not millivolts.shape[1]:
        return np.zeros(len(millivolts), bool)
    finite = np.isfinite(millivolts).all(axis=1)
    return finite & (np.ptp(np.where(finite[:, None], millivolts, 0.0), axis=1) > _SMALLEST_SIGNAL_MV)


def delineate(millivolts: Float[np.ndarray, "lead time"], sampling_rate: int) -> Delineation:
    """Find the beats of a record and where their waves begin and end.

    Never raises for what a record holds: without signal there are no beats, a dead lead is left out, and a single beat
    has no P and T (neurokit2 needs a neighbour to divide the beats).

    Args:
        millivolts: best the independent leads alone, so that the result does not hang on which derived ones are there.
        sampling_rate: in Hz.
    """
    alive = millivolts[leads_with_signal(millivolts)].astype(np.float64)
    if not len(alive) or alive.shape[1] < _SHORTEST_RECORD_S * sampling_rate:
        return Delineation(*[np.empty(0)] * 6)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # neurokit2 and scipy warn once a beat of what the gate judges anyway
        cleaned = _clean(alive, sampling_rate)
        speed = np.sqrt((np.gradient(cleaned, axis=1) ** 2).sum(axis=0))
        r_peaks = _find_beats(cleaned, speed, sampling_rate)
        waves = [_delineate_lead(lead, r_peaks, sampling_rate) for lead in cleaned]
        onsets, offsets = _qrs_boundaries(speed, r_peaks, sampling_rate)
    r_peaks = r_peaks.astype(np.float64)
    p_and_t = {
        name: _median_over_leads([wave.get(key, np.empty(0)) for wave in waves], r_peaks, window_ms, sampling_rate)
        for name, (key, *window_ms) in _P_AND_T.items()
    }
    return Delineation(r_peaks=r_peaks, qrs_onset=onsets, qrs_offset=offsets, **p_and_t)


def _clean(millivolts: np.ndarray, sampling_rate: int) -> np.ndarray:
    """High-pass 0.5 Hz and a 20 ms mean against mains: for boundaries; amplitudes are never measured on it."""
    import neurokit2 as nk

    return np.stack([nk.ecg_clean(lead, sampling_rate=sampling_rate) for lead in millivolts])


def _find_beats(cleaned: np.ndarray, speed: np.ndarray, sampling_rate: int) -> np.ndarray:
    """The R-peaks: of each beat the same one, where the QRS has several of nearly the same height."""
    import neurokit2 as nk

    magnitude = np.sqrt(np.mean(cleaned**2, axis=0))
    try:
        _, found = nk.ecg_peaks(magnitude, sampling_rate=sampling_rate)
    except (IndexError, ValueError, ZeroDivisionError):  # neurokit2 on a signal without any beat
        return np.empty(0, int)
    peaks = np.asarray(found["ECG_R_Peaks"], int)
    reach, play = _QRS_REACH_MS * sampling_rate // 2000, max(_SAME_PEAK_PLAY_MS * sampling_rate // 1000, 1)
    around = [slice(max(peak - reach, 0), peak + reach) for peak in peaks]
    tops = np.array([speed[near].max() for near in around])
    is_beat = tops >= _SLOWEST_BEAT * np.percentile(tops, 75) if len(peaks) else np.empty(0, bool)
    # The middle of a QRS is the same point in every beat; its highest peak may jump between R and S, and RR with it.
    middles = np.array([np.average(np.arange(len(speed))[near], weights=speed[near] ** 2) for near in around])
    expected = np.rint(middles + np.median((peaks - middles)[is_beat])).astype(int) if len(peaks) else peaks
    same = [start + int(np.argmax(magnitude[start : start + 2 * play + 1])) for start in np.maximum(expected - play, 0)]
    inside = (np.array(same) > 0) & (np.array(same) < len(speed) - 1)
    return np.unique(np.array(same, int)[is_beat & inside])


def _delineate_lead(cleaned: np.ndarray, r_peaks: np.ndarray, sampling_rate: int) -> dict[str, np.ndarray]:
    import neurokit2 as nk

    if len(r_peaks) < 2:
        return {}
    play = _R_PEAK_PLAY_MS * sampling_rate // 1000
    starts = np.maximum(r_peaks - play, 0)
    own_peaks = np.array([start + np.argmax(cleaned[start : start + 2 * play]) for start in starts])
    try:
        _, waves = nk.ecg_delineate(cleaned, own_peaks, sampling_rate=sampling_rate, method="prominence")
    except (IndexError, ValueError, ZeroDivisionError):  # no wave beside the R-peak: the other leads remain
        return {}
    return {name: np.asarray(positions, float) for name, positions in waves.items()}


def _median_over_leads(
    boundaries: Sequence[np.ndarray], r_peaks: np.ndarray, window_ms: Sequence[int], sampling_rate: int
) -> np.ndarray:
    """One boundary a beat, where at least half of the leads show it within the window after its R-peak."""
    window = np.asarray(window_ms) * sampling_rate / 1000
    found = np.stack([_by_beat(lead, r_peaks, window) for lead in boundaries])
    seen = np.isfinite(found).mean(axis=0) >= 0.5
    combined = np.full(len(r_peaks), np.nan)
    combined[seen] = np.nanmedian(found[:, seen], axis=0)
    return combined


def _by_beat(positions: np.ndarray, r_peaks: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Give each beat the boundary within its window that lies nearest to its R-peak.

    By time and never by index: neurokit2 drops boundaries before the first sample, which shifts its lists.
    """
    after_r = positions[None, :] - r_peaks[:, None]  # (beat, boundary)
    after_r = np.where((after_r >= window[0]) & (after_r <= window[1]), after_r, np.nan)
    paired = np.full(len(r_peaks), np.nan)
    for beat in np.flatnonzero(np.isfinite(after_r).any(axis=1)):
        paired[beat] = positions[np.nanargmin(np.abs(after_r[beat]))]
    return paired


def _qrs_boundaries(speed: np.ndarray, r_peaks: np.ndarray, sampling_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Onset and offset of each QRS: the last quiet moment before the R-peak and the first after it."""
    rest = np.median(speed)
    reach, quiet = (max(ms * sampling_rate // 1000, 1) for ms in (_QRS_REACH_MS, _QRS_QUIET_MS))
    near = reach // 4
    onsets, offsets = np.full(len(r_peaks), np.nan), np.full(len(r_peaks), np.nan)
    for beat, peak in enumerate(r_peaks):
        top = speed[max(peak - near, 0) : peak + near].max()
        is_quiet = speed < rest + _QRS_EDGE * (top - rest)
        before = _first_run(is_quiet[max(peak - reach, 0) : peak + 1][::-1], quiet)
        after = _first_run(is_quiet[peak : peak + reach], quiet)
        onsets[beat], offsets[beat] = peak - before, peak + after
    return onsets, offsets


def _first_run(flags: np.ndarray, length: int) -> float:
    """Where the first run of `length` true values begins; NaN without one."""
    runs = np.convolve(flags, np.ones(length, int), mode="valid") if len(flags) >= length else np.empty(0)
    starts = np.flatnonzero(runs == length)
    return float(starts[0]) if len(starts) else np.nan
