"""The median beat and its boundaries -> amplitudes and axes, relative to the level at the QRS onset.

As in 12SL, amplitudes are relative to each lead's level just before the QRS onset (Marquette 12SL ECG Analysis Program,
Physician's Guide), and an axis is the direction of a wave's net area in the frontal plane.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from ecggan.measurement.columns import amplitude_column
from ecggan.measurement.delineation import Boundaries

_ONSET_LEVEL_MS = 12  # the level is a mean over this time before the onset, so that noise averages out
_SMALLEST_R_MV = 0.02  # IEC 60601-2-25: a smaller deflection is no wave
_ST_AFTER_J_MS = 60
_ST_MEAN_MS = 8
_T_AFTER_J_MS = 80
_SMALLEST_AXIS_MV_MS = 0.1  # a smaller net area has no direction; 10 µV over 10 ms


def wave_amplitudes(
    beat: Float[np.ndarray, "lead time"], leads: Sequence[str], found: Boundaries, sampling_rate: int
) -> dict[str, float]:
    """Amplitude of each wave and the ST level in each lead, by column, in mV and with their sign.

    P and T are the largest deflection in either direction. R is the largest upward deflection of the QRS complex, 0
    in a lead without one (below 20 µV); Q and S are the largest downward ones before and after it, 0 without one; a QRS
    complex without R is a Q. ST is measured 60 ms after the J point. A missing wave has no columns.
    """
    signals = beat - _onset_level(beat, found, sampling_rate)
    values = {"R": np.zeros(len(leads)), "Q": np.zeros(len(leads)), "S": np.zeros(len(leads))}
    qrs = signals[:, _window(found.qrs_onset, found.qrs_offset, signals.shape[1])]
    for i, lead in enumerate(qrs):
        peak = int(np.argmax(lead))
        if lead[peak] < _SMALLEST_R_MV:
            values["Q"][i] = min(lead.min(), 0.0)
        else:
            values["R"][i] = lead[peak]
            values["Q"][i], values["S"][i] = min(lead[: peak + 1].min(), 0.0), min(lead[peak:].min(), 0.0)
    st_start = found.qrs_offset + (_ST_AFTER_J_MS - _ST_MEAN_MS / 2) * sampling_rate / 1000
    st_stop = st_start + _ST_MEAN_MS * sampling_rate / 1000
    values["ST"] = signals[:, _window(st_start, st_stop, signals.shape[1])].mean(axis=1)
    if np.isfinite(found.p_onset):
        values["P"] = _largest(signals[:, _window(found.p_onset, found.p_offset, signals.shape[1])])
    if np.isfinite(found.t_offset):
        t_start = min(found.qrs_offset + _T_AFTER_J_MS * sampling_rate / 1000, found.t_offset)
        values["T"] = _largest(signals[:, _window(t_start, found.t_offset, signals.shape[1])])
    return {
        amplitude_column(wave, lead): float(value)
        for wave, of_leads in values.items()
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
            in_i, in_avf = frontal[:, _window(start, stop, frontal.shape[1])].sum(axis=1) * 1000 / sampling_rate
            # aVF's scale is 1.5 of the unipolar lead, I's the root of 3 (Einthoven's triangle): hence 2 / root of 3
            in_avf *= 2 / np.sqrt(3)
            points = np.hypot(in_i, in_avf) >= _SMALLEST_AXIS_MV_MS
            directions[column] = float(np.degrees(np.arctan2(in_avf, in_i))) if points else np.nan
    return directions


def _onset_level(beat: np.ndarray, found: Boundaries, sampling_rate: int) -> np.ndarray:
    onset = int(found.qrs_onset)
    before = max(1, _ONSET_LEVEL_MS * sampling_rate // 1000)
    return beat[:, max(onset - before, 0) : max(onset, 1)].mean(axis=1, keepdims=True)


def _window(start: float, stop: float, length: int) -> slice:
    """The samples from start to stop, at least one."""
    first = min(max(int(np.ceil(start)), 0), length - 1)
    return slice(first, max(int(stop) + 1, first + 1))


def _largest(window: np.ndarray) -> np.ndarray:
    """The value furthest from 0, by lead."""
    return window[np.arange(len(window)), np.abs(window).argmax(axis=1)]
