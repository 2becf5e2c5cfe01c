"""Preprocessing to one shape: windows of longer records, resampling, and optional filters.

All filters are zero-phase: no wave moves. By default nothing is filtered. A record is not stretched, padded or cut in
any other way.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

import numpy as np

from ecggan import checks
from ecggan.data.record import Record
from ecggan.ecg import ECGFormat, select_leads

_LARGEST_FACTOR = 1000  # of the ratio of two rates: its filter has 20 times as many taps
_RATE_TOLERANCE = 1e-4  # 1 ms in 10 s
_BASELINE_ORDER = 2  # applied forwards and backwards: 6 dB at the corner, 24 dB an octave below it
_MAINS_WIDTH = 30  # the notch's quality: 1.7 Hz wide at 50 Hz


@dataclass(frozen=True)
class Shaping:
    """How a record of any length and rate becomes records of the required shape.

    Args:
        windows: of a longer record: "first", or "all" that fit, one after the other.
        min_sampling_rate: a record of fewer Hz is excluded; upsampling would not restore its QRS.
        baseline_hz: the corner of a high-pass filter against baseline wander, e.g. 0.5; None for none.
        mains_hz: the frequency of a notch filter, 50 or 60; None for none.

    Raises:
        ValueError: one of them is out of range.
    """

    windows: Literal["first", "all"]
    min_sampling_rate: int | float
    baseline_hz: int | float | None
    mains_hz: int | float | None

    def __post_init__(self) -> None:
        checks.one_of("shaping.windows", self.windows, ("first", "all"))
        checks.positive("shaping.min_sampling_rate", self.min_sampling_rate, unit="Hz")
        # above 0.67 Hz a filter bends ST segments even without a phase shift (AHA/ACC/HRS 2007)
        checks.number("shaping.baseline_hz", self.baseline_hz, at_least=0.05, at_most=0.67, or_null=True)
        if self.mains_hz not in (None, 50, 60):
            raise ValueError(f"shaping.mains_hz must be 50, 60 or null; got {self.mains_hz!r}")

    def exclusion_reason(self, record: Record, ecg: ECGFormat) -> tuple[str, str] | None:
        """The rule (leads, sampling_rate or length) that excludes a record, and the detail."""
        try:
            select_leads(record.millivolts[:, :0], record.leads, ecg.leads)
        except ValueError as error:
            return "leads", str(error)
        rate = record.sampling_rate
        # a set at 100 Hz may be made of records at 100 Hz
        if rate < min(self.min_sampling_rate, ecg.sampling_rate):
            return "sampling_rate", f"{rate:g} Hz, the least is {self.min_sampling_rate:g} (shaping.min_sampling_rate)"
        if abs(_ratio(rate, ecg) * rate / ecg.sampling_rate - 1) > _RATE_TOLERANCE:
            return "sampling_rate", f"{rate:.10g} Hz, which no ratio of small numbers brings to {ecg.sampling_rate}"
        num_samples = record.millivolts.shape[1]
        if num_samples < _window(rate, ecg):
            return "length", f"{num_samples / rate:.4g} s, wanted are {ecg.duration_s:g} (nothing is padded)"
        return None

    def cut(self, record: Record, ecg: ECGFormat) -> list[tuple[float, Record]]:
        """The windows of a record that is not excluded, each with its start in seconds."""
        window = _window(record.sampling_rate, ecg)
        count = record.millivolts.shape[1] // window if self.windows == "all" else 1
        return [
            (
                i * window / record.sampling_rate,
                Record(
                    record.millivolts[:, i * window : (i + 1) * window],
                    record.leads,
                    record.sampling_rate,
                    record.facts,
                ),
            )
            for i in range(count)
        ]

    def apply(self, window: Record, ecg: ECGFormat) -> np.ndarray:
        """``(lead, time)`` in mV of a window from [Shaping.cut][]; its samples must be finite."""
        signals = select_leads(window.millivolts, window.leads, ecg.leads)
        ratio = _ratio(window.sampling_rate, ecg)
        if ratio == 1 and self.baseline_hz is None and self.mains_hz is None:
            return signals
        from scipy.signal import butter, iirnotch, resample_poly, tf2sos  # half of the imports of a reading process

        if ratio != 1:
            # padded with the line through both ends: zeros would turn every offset into a step
            signals = resample_poly(signals, ratio.numerator, ratio.denominator, axis=1, padtype="line")
            signals = signals[:, : ecg.num_samples]
        if self.baseline_hz is not None:
            corner = butter(_BASELINE_ORDER, self.baseline_hz, "highpass", fs=ecg.sampling_rate, output="sos")
            signals = _filter_zero_phase(corner, signals, round(ecg.sampling_rate / self.baseline_hz))
        if self.mains_hz is not None:
            notch = tf2sos(*iirnotch(self.mains_hz, _MAINS_WIDTH, fs=ecg.sampling_rate))
            signals = _filter_zero_phase(notch, signals, ecg.sampling_rate)
        return signals


def _ratio(rate: int | float, ecg: ECGFormat) -> Fraction:
    return Fraction(ecg.sampling_rate / rate).limit_denominator(_LARGEST_FACTOR)


def _window(rate: int | float, ecg: ECGFormat) -> int:
    """The samples at a record's own rate that a window takes."""
    return ceil(Fraction(ecg.num_samples) / _ratio(rate, ecg))


def _filter_zero_phase(sections: np.ndarray, signals: np.ndarray, padding: int) -> np.ndarray:
    from scipy.signal import sosfiltfilt

    return sosfiltfilt(sections, signals, axis=1, padlen=min(padding, signals.shape[1] - 1))
