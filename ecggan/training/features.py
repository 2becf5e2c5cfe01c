"""Fixed features of an ECG through which gradients pass: its mean beat, its rhythm, its spectrum.

Each in a unit in which real ECGs vary by about one, so that a P wave counts as much as an R wave. Where beats are is
found, not learned: no gradient passes through the places of R-peaks, and rhythm is seen by the envelope's
autocorrelation.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ecggan.models.views import without_baseline

BEAT_MS = (-300, 450)  # around an R-peak
_BEAT_STEP_MS = 10
_BEAT_FLOOR_MV = 0.02  # added to the SD of each lead and time: what varies less than noise has no say
_BASELINE_HZ = 0.5
_NEAREST_BEATS_S = 0.3
_SMALLEST_SLOPE = 0.25  # of the record's steepest beats, squared
_STEEPEST_OVER_MS = 40
_ENVELOPE_RATE_HZ = 25
_LAGS_S = (0.2, 2.4)
_LOWEST_HZ, _HIGHEST_HZ, _NUM_BANDS = 0.7, 100.0, 12
_POWER_FLOOR = 1e-8  # mV² in a band

LIMB_LEADS_FROM_I_AND_II = ((-1.0, 1.0), (-0.5, -0.5), (1.0, -0.5), (-0.5, 1.0))  # III, aVR, aVL, aVF


def r_peaks(millivolts: Float[Tensor, "batch lead time"], sampling_rate: int) -> Bool[Tensor, "batch time"]:
    """Where beats are: the steepest places, all leads together, none nearer than 0.3 s to a steeper one.

    Each record has at least one, wherever a whole beat has room.
    """
    before, after = _reach(sampling_rate)
    slope = F.pad(millivolts.detach().diff(dim=2), (0, 1)).square().sum(dim=1, keepdim=True)
    width = _odd(_STEEPEST_OVER_MS / 1000 * sampling_rate)
    energy = F.avg_pool1d(slope, width, 1, width // 2)[:, 0]
    energy[:, :before] = -1
    energy[:, energy.shape[1] - after :] = -1
    reach = _odd(2 * _NEAREST_BEATS_S * sampling_rate)
    highest = F.max_pool1d(energy[:, None], reach, 1, reach // 2)[:, 0]
    is_peak = (energy == highest) & (energy >= 0)
    usual = torch.where(is_peak, energy, torch.nan).nanquantile(0.75, dim=1, keepdim=True)
    return is_peak & (energy >= _SMALLEST_SLOPE * usual)


def mean_beats(
    millivolts: Float[Tensor, "batch lead time"], is_peak: Bool[Tensor, "batch time"], sampling_rate: int
) -> Float[Tensor, "batch lead short"]:
    """The mean of a record's beats, from 300 ms before to 450 ms after the R-peak, at 100 Hz."""
    before, after = _reach(sampling_rate)
    record, place = is_peak.nonzero(as_tuple=True)
    taken = place[:, None] + torch.arange(-before, after, device=place.device)
    beats = millivolts.transpose(1, 2)[record[:, None], taken].transpose(1, 2)  # (beat, lead, time)
    sums = torch.zeros(len(millivolts), *beats.shape[1:], dtype=beats.dtype, device=beats.device)
    mean = sums.index_add(0, record, beats) / is_peak.sum(dim=1)[:, None, None]
    return F.avg_pool1d(mean, round(_BEAT_STEP_MS / 1000 * sampling_rate))


def rhythm(millivolts: Float[Tensor, "batch lead time"], sampling_rate: int) -> Float[Tensor, "batch lag"]:
    """The autocorrelation of the slope's envelope at lags of 0.2 to 2.4 s: heart rate, and how regular it is."""
    step = sampling_rate // _ENVELOPE_RATE_HZ
    slope = millivolts.diff(dim=2).square().sum(dim=1, keepdim=True)
    envelope = F.avg_pool1d(slope, step).add(1e-12).sqrt()[:, 0]
    envelope = envelope - envelope.mean(dim=1, keepdim=True)
    length = envelope.shape[1]
    spectrum = torch.fft.rfft(envelope, n=2 * length).abs().square()
    correlation = torch.fft.irfft(spectrum, n=2 * length)[:, :length]
    correlation = correlation / correlation[:, :1].clamp_min(1e-12)
    rate = sampling_rate / step
    return correlation[:, round(_LAGS_S[0] * rate) : round(_LAGS_S[1] * rate)]


def spectrum(millivolts: Float[Tensor, "batch lead time"], sampling_rate: int) -> Float[Tensor, "batch lead band"]:
    """The logarithm of each lead's power in twelve bands from 0.7 to 100 Hz, evenly spaced in it."""
    window = torch.hann_window(millivolts.shape[2], periodic=False, dtype=millivolts.dtype, device=millivolts.device)
    power = torch.fft.rfft(millivolts * window).abs().square() / window.square().sum() / sampling_rate
    frequency = torch.fft.rfftfreq(millivolts.shape[2], 1 / sampling_rate, device=millivolts.device)
    highest = min(_HIGHEST_HZ, sampling_rate / 2)
    edges = torch.logspace(0, 1, _NUM_BANDS + 1, base=highest / _LOWEST_HZ, device=millivolts.device) * _LOWEST_HZ
    inside = (frequency >= edges[:-1, None]) & (frequency < edges[1:, None])
    width = sampling_rate / millivolts.shape[2]  # Hz
    return (power @ inside.to(power.dtype).T * width).add(_POWER_FLOOR).log()


def features(
    ecg: Float[Tensor, "batch lead time"], sampling_rate: int, full_scale_mv: float, limb_leads: tuple[int, int] | None
) -> dict[str, Float[Tensor, "batch value"]]:
    """The features of records, a row a record: ``beats`` in mV, ``rhythm``, ``spectrum``.

    Args:
        ecg: in ±1 of full scale.
        sampling_rate: in Hz.
        full_scale_mv: the amplitude of ±1.
        limb_leads: the positions of I and II, from which the other limb leads follow; None if they are not both there.
    """
    millivolts = without_baseline(ecg * full_scale_mv, sampling_rate, _BASELINE_HZ)
    is_peak = r_peaks(millivolts, sampling_rate)
    beats = mean_beats(millivolts, is_peak, sampling_rate)
    if limb_leads is not None:
        one, two = (beats[:, lead] for lead in limb_leads)
        derived = torch.stack([a * one + b * two for a, b in LIMB_LEADS_FROM_I_AND_II], dim=1)
        beats = torch.cat([beats, derived], dim=1)
    return {
        "beats": beats.flatten(1),
        "rhythm": rhythm(millivolts, sampling_rate),
        "spectrum": spectrum(millivolts, sampling_rate).flatten(1),
    }


def floors() -> dict[str, float]:
    """What is added to the SD of each feature before it becomes the unit."""
    return {"beats": _BEAT_FLOOR_MV, "rhythm": 0.05, "spectrum": 0.1}


def _reach(sampling_rate: int) -> tuple[int, int]:
    step = round(_BEAT_STEP_MS / 1000 * sampling_rate)
    return -BEAT_MS[0] // _BEAT_STEP_MS * step, BEAT_MS[1] // _BEAT_STEP_MS * step


def _odd(number: float) -> int:
    return round(number) // 2 * 2 + 1
