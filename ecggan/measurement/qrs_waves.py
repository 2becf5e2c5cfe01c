"""One lead's QRS complex -> its waves Q, R, S, R', as 12SL names them.

A wave is what lies between two crossings of the level at the QRS onset, if its area is at least 160 µV ms; a smaller
one is no wave, and the waves beside it are one. R is the first wave upwards, Q the one before it, S the one after it,
R' the next upwards (Marquette 12SL ECG Analysis Program, Physician's Guide, wave measurement). A lead that stays within
20 µV for 6 ms or longer after the onset begins its first wave later (IEC 60601-2-51, annex GG: isoelectric parts), and
a deflection that does not turn back before the QRS offset is no wave (there: two opposite slopes).
"""

from dataclasses import dataclass

import numpy as np
import scipy.signal
from jaxtyping import Float

_SMALLEST_AREA_MV_MS = 0.16
_SMALLEST_MV = 0.02
_ISOELECTRIC_MS = 6


@dataclass(frozen=True)
class Wave:
    """A deflection of one lead.

    Args:
        amplitude_mv: of its peak, with its sign.
        duration_ms: between the crossings.
        notch_mv: how far it falls between its two highest peaks, measured from the lower; 0 with one peak.
    """

    amplitude_mv: float = 0.0
    duration_ms: float = 0.0
    notch_mv: float = 0.0


@dataclass(frozen=True)
class QRSWaves:
    """The waves of one lead; all 0 where there is none. A complex that only goes down is a Q."""

    q: Wave = Wave()
    r: Wave = Wave()
    s: Wave = Wave()
    r_prime: Wave = Wave()


def qrs_waves(millivolts: Float[np.ndarray, " time"], sampling_rate: int) -> QRSWaves:
    """Name the waves of a QRS complex.

    Args:
        millivolts: one lead from QRS onset to offset, relative to its level at the onset.
        sampling_rate: in Hz.
    """
    waves = _waves(millivolts, sampling_rate)
    q = waves.pop(0) if waves and waves[0].amplitude_mv < 0 else Wave()
    return QRSWaves(q, *waves[:3])


def _waves(lead: np.ndarray, sampling_rate: int) -> list[Wave]:
    """The waves in their order, up and down in turn."""
    ms = 1000 / sampling_rate
    edges = np.flatnonzero(np.diff(lead > 0)) + 1
    starts, stops = np.append(0, edges), np.append(edges, len(lead))
    size = np.abs(lead)
    tops = np.maximum.reduceat(size, starts)
    is_wave = (np.add.reduceat(size, starts) * ms >= _SMALLEST_AREA_MV_MS) & (tops >= _SMALLEST_MV)
    is_wave[-1] &= tops[-1] - size[-1] >= _SMALLEST_MV
    # where the lead crosses the level, between two samples
    before, after = size[edges - 1], size[edges]
    crossings = np.concatenate([[_isoelectric(size, ms)], edges - after / (before + after), [len(lead) - 1.0]])
    found: list[tuple[int, int]] = []  # of each wave, its first and last stretch
    for i in np.flatnonzero(is_wave):
        if found and (lead[starts[i]] > 0) == (lead[starts[found[-1][0]]] > 0):
            found[-1] = found[-1][0], int(i)
        else:
            found.append((int(i), int(i)))
    waves = []
    for first, last in found:
        part = lead[starts[first] : stops[last]]
        upright = part if lead[starts[first]] > 0 else -part
        amplitude = float(part[upright.argmax()])
        waves.append(Wave(amplitude, float(crossings[last + 1] - crossings[first]) * ms, notch_depth(upright)))
    return waves


def _isoelectric(size: np.ndarray, ms: float) -> int:
    """How many samples the lead stays at the level after the onset; 0 if it leaves at once."""
    moves = np.flatnonzero(size > _SMALLEST_MV)
    still = int(moves[0]) if len(moves) else 0
    return still if still * ms >= _ISOELECTRIC_MS else 0


def notch_depth(upright: Float[np.ndarray, " time"]) -> float:
    """How far a wave falls between its two highest peaks, measured from the lower one; 0 with one peak."""
    rises = upright[1:] > upright[:-1]
    if np.count_nonzero(rises[:-1] & ~rises[1:]) < 2:  # a peak each at most; most waves have one
        return 0.0
    peaks, _ = scipy.signal.find_peaks(upright)
    if len(peaks) < 2:
        return 0.0
    return float(np.sort(scipy.signal.peak_prominences(upright, peaks)[0])[-2])
