"""The median beat and its boundaries -> amplitudes and shapes of its waves, and axes.

As in 12SL, amplitudes are relative to each lead's level at the QRS onset (Marquette 12SL ECG Analysis Program,
Physician's Guide), and an axis is the direction of a wave's net area in the frontal plane. Amplitudes hold what lies
below 150 Hz, as an adult's have to (Kligfield et al. 2007). The waves of the QRS complex are those of `qrs_waves`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ecggan.measurement.columns import P_TERMINAL_FORCE, R_PRIME_V1, amplitude_column, q_duration_column
from ecggan.measurement.delineation import Boundaries
from ecggan.measurement.filters import below, zero_phase
from ecggan.measurement.qrs_waves import notch_depth, qrs_waves

_BELOW_HZ = 150.0
_ONSET_LEVEL_MS = (-6, 2)  # the level is a mean over this time around the onset, so that noise averages out
_ST_AFTER_J_MS = 60
_ST_MEAN_MS = 8
_T_AFTER_J_MS = 80
_T_SHAPE_BELOW_HZ = 20.0
_SMALLEST_T_PRIME_MV = 0.02  # IEC 60601-2-25: a smaller deflection is no wave
_SMALLEST_AXIS_MV_MS = 0.1  # a smaller net area has no direction; 10 µV over 10 ms


def wave_amplitudes(
    beat: Float[np.ndarray, "lead time"], leads: Sequence[str], found: Boundaries, sampling_rate: int
) -> dict[str, float]:
    """Amplitude of each wave and the ST level in each lead, and the waves' shapes, by column.

    In mV and with their sign. P and T are the largest deflection in either direction, T' is the second phase of a
    biphasic T: the largest turning point to the other side. Q, R and S are 0 in a lead without one. ST is measured
    60 ms after the J point. The P terminal force is depth times duration of the part of P in V1 that ends it below the
    level. A notch is that of the lead with the second deepest, so that it is in two leads. A missing wave has no
    columns.
    """
    if sampling_rate > 2 * _BELOW_HZ:
        beat = zero_phase("low", _BELOW_HZ, beat, sampling_rate, order=4)
    signals = beat - _onset_level(beat, found, sampling_rate)
    rows: dict[str, Sequence[float] | np.ndarray] = {}
    shapes: dict[str, float] = {}
    in_qrs = [qrs_waves(qrs, sampling_rate) for qrs in signals[:, _window(found.qrs_onset, found.qrs_offset, beat)]]
    for name, waves in (("Q", [w.q for w in in_qrs]), ("R", [w.r for w in in_qrs]), ("S", [w.s for w in in_qrs])):
        rows[name] = [wave.amplitude_mv for wave in waves]
    shapes |= {q_duration_column(lead): waves.q.duration_ms for lead, waves in zip(leads, in_qrs, strict=True)}
    shapes["qrs_notch_mv"] = _in_two_leads([max(w.q.notch_mv, w.r.notch_mv, w.s.notch_mv) for w in in_qrs])
    if "V1" in leads:
        r_prime = in_qrs[leads.index("V1")].r_prime
        shapes |= dict(zip(R_PRIME_V1, (r_prime.amplitude_mv, r_prime.duration_ms), strict=True))
    st_start = found.qrs_offset + (_ST_AFTER_J_MS - _ST_MEAN_MS / 2) * sampling_rate / 1000
    st_stop = st_start + _ST_MEAN_MS * sampling_rate / 1000
    rows["ST"] = signals[:, _window(st_start, st_stop, beat)].mean(axis=1)
    if np.isfinite(found.p_offset):
        p_waves = signals[:, _window(found.p_onset, found.p_offset, beat)]
        rows["P"] = _largest(p_waves)
        if "V1" in leads:
            shapes[P_TERMINAL_FORCE] = _terminal_force(p_waves[leads.index("V1")], sampling_rate)
    if np.isfinite(found.t_offset):
        t_start = min(found.qrs_offset + _T_AFTER_J_MS * sampling_rate / 1000, found.t_offset)
        window = _window(t_start, found.t_offset, beat)
        rows["T"] = t = _largest(signals[:, window])
        smooth = below(_T_SHAPE_BELOW_HZ, signals, sampling_rate)[:, window]
        upright = smooth * np.where(t < 0, -1, 1)[:, None]
        rows["T'"] = _second_phase(upright) * np.where(t < 0, 1, -1) + 0.0  # no negative 0
        shapes["t_notch_mv"] = _in_two_leads([notch_depth(lead) for lead in upright])
    return shapes | {
        amplitude_column(wave, lead): float(value)
        for wave, of_leads in rows.items()
        for lead, value in zip(leads, of_leads, strict=True)
    }


def axes(beat: Mapping[str, np.ndarray], found: Boundaries, sampling_rate: int) -> dict[str, float]:
    """The axes of P, QRS and T in degrees, 0 towards lead I and 90 towards aVF; NaN if the net area is about 0.

    Args:
        beat: the median beat of I and aVF in mV, by lead.
        found: its boundaries.
        sampling_rate: in Hz.
    """
    frontal = np.stack([beat["I"], beat["aVF"]])
    frontal = frontal - _onset_level(frontal, found, sampling_rate)
    windows = {
        "p_axis_deg": (found.p_onset, found.p_offset),
        "qrs_axis_deg": (found.qrs_onset, found.qrs_offset),
        "t_axis_deg": (found.qrs_offset, found.t_offset),
    }
    directions = {}
    for column, (start, stop) in windows.items():
        if np.isfinite(start) and np.isfinite(stop):
            in_i, in_avf = frontal[:, _window(start, stop, frontal)].sum(axis=1) * 1000 / sampling_rate
            # aVF's scale is 1.5 of the unipolar lead, I's the root of 3 (Einthoven's triangle): hence 2 / root of 3
            in_avf *= 2 / np.sqrt(3)
            points = np.hypot(in_i, in_avf) >= _SMALLEST_AXIS_MV_MS
            directions[column] = float(np.degrees(np.arctan2(in_avf, in_i))) if points else np.nan
    return directions


def _onset_level(beat: np.ndarray, found: Boundaries, sampling_rate: int) -> np.ndarray:
    start, stop = (found.qrs_onset + ms * sampling_rate / 1000 for ms in _ONSET_LEVEL_MS)
    return beat[:, _window(start, stop, beat)].mean(axis=1, keepdims=True)


def _window(start: float, stop: float, beat: np.ndarray) -> slice:
    """The samples from start to stop, at least one."""
    first = min(max(int(np.ceil(start)), 0), beat.shape[1] - 1)
    return slice(first, max(int(stop) + 1, first + 1))


def _largest(window: np.ndarray) -> np.ndarray:
    """The value furthest from 0, by lead."""
    return window[np.arange(len(window)), np.abs(window).argmax(axis=1)]


def _second_phase(upright: np.ndarray) -> np.ndarray:
    """The size of the largest turning point below 0, by lead; 0 without one."""
    inner, before, after = upright[:, 1:-1], upright[:, :-2], upright[:, 2:]
    turns = (inner <= before) & (inner < after) & (inner <= -_SMALLEST_T_PRIME_MV)
    return np.where(turns, -inner, 0.0).max(axis=1, initial=0.0)


def _terminal_force(p_wave: np.ndarray, sampling_rate: int) -> float:
    """Depth times duration of the part below the level in which P ends, in mV ms; 0 without one.

    Of several parts that end in the second half of P, the one with the largest product: noise crosses the level too.
    Source: Morris et al. 1964, P-wave analysis in valvular heart disease.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (p_wave < 0).view(np.int8), [0]])))
    parts = [(start, stop) for start, stop in edges.reshape(-1, 2) if stop > len(p_wave) / 2]
    forces = [-float(p_wave[start:stop].min()) * (stop - start) * 1000 / sampling_rate for start, stop in parts]
    return max(forces, default=0.0)


def _in_two_leads(depths: Sequence[float]) -> float:
    """The second largest of the leads' values; of a single lead its own."""
    return sorted(depths)[-min(2, len(depths))]
