"""May this record be used, and if not, why: the first rule it breaks, with the values."""

from dataclasses import dataclass

import numpy as np

from ecggan.data.record import Record
from ecggan.ecg import LARGEST_STORED_MV, ECGFormat, select_leads


@dataclass(frozen=True)
class QualityRules:
    """Limits on the amplitude, on the leads that are wanted.

    Args:
        min_peak_to_peak_mv: a lead that moves less than this is flat.
        max_amplitude_mv: no sample may lie further from zero.
    """

    min_peak_to_peak_mv: int | float
    max_amplitude_mv: int | float

    def __post_init__(self) -> None:
        if not 0 <= self.min_peak_to_peak_mv < self.max_amplitude_mv <= LARGEST_STORED_MV:
            raise ValueError(
                "quality rules need 0 <= min_peak_to_peak_mv < max_amplitude_mv <= "
                f"{LARGEST_STORED_MV} (the most an ECG set can hold); got {self}"
            )


def reason_to_leave_out(record: Record, ecg: ECGFormat, rules: QualityRules) -> tuple[str, str] | None:
    """The first rule that the record breaks and the detail, or None where it may be used.

    The rules in their order: leads, sampling_rate, length, not_finite, flat, amplitude.
    """
    try:
        millivolts = select_leads(record.millivolts, record.leads, ecg.leads)
    except ValueError as error:
        return "leads", str(error)
    if record.sampling_rate != ecg.sampling_rate:
        return "sampling_rate", f"{record.sampling_rate:g} Hz, wanted are {ecg.sampling_rate} (nothing is resampled)"
    if millivolts.shape[1] != ecg.num_samples:
        return "length", f"{millivolts.shape[1]} samples, wanted are {ecg.num_samples}"
    not_finite = np.count_nonzero(~np.isfinite(millivolts), axis=1)
    if not_finite.any():
        return "not_finite", f"{_worst(ecg, not_finite)} of {ecg.num_samples} samples are NaN or infinite"
    return _amplitude_reason(millivolts, ecg, rules)


def _amplitude_reason(millivolts: np.ndarray, ecg: ECGFormat, rules: QualityRules) -> tuple[str, str] | None:
    peak_to_peak = np.ptp(millivolts, axis=1)
    flat = peak_to_peak < rules.min_peak_to_peak_mv
    if flat.any():
        quietest = int(peak_to_peak.argmin())
        hint = "; every lead is, so the unit may be wrong: mV taken for µV" if flat.all() and peak_to_peak.any() else ""
        return "flat", (
            f"lead {ecg.leads[quietest]} moves by {peak_to_peak[quietest]:.4g} mV, "
            f"the least is {rules.min_peak_to_peak_mv:g}{hint}"
        )
    largest = np.abs(millivolts).max(axis=1)
    if largest.max() > rules.max_amplitude_mv:
        # a record in µV read as mV is a thousand times too large: far more than any electrode's artefact
        hint = (
            "; the unit may be wrong: µV taken for mV" if np.median(peak_to_peak) > 10 * rules.max_amplitude_mv else ""
        )
        return "amplitude", f"{_worst(ecg, largest)} mV, the most is {rules.max_amplitude_mv:g}{hint}"
    return None


def _worst(ecg: ECGFormat, values: np.ndarray) -> str:
    worst = int(values.argmax())
    return f"lead {ecg.leads[worst]}: {values[worst]:.4g}"
