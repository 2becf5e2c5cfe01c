"""Quality rules: the first rule that a record breaks, with the values, or None for a usable record."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ecggan import checks
from ecggan.data.packing.artefacts import longest_constant, most_saturated, noise_mv, wander_mv
from ecggan.data.packing.limb_leads import arms_reason, limb_lead_reason
from ecggan.data.record import Record
from ecggan.ecg import LARGEST_STORED_MV, LIMB_LEADS, ECGFormat, select_leads


@dataclass(frozen=True)
class QualityRules:
    """Limits on what a record holds; None switches a rule off. Unless stated, they apply to the selected leads.

    Args:
        min_peak_to_peak_mv: a lead that moves less than this is flat.
        max_amplitude_mv: of any sample, in absolute value; None for the largest that an ECG set can hold.
        max_constant_s: the longest run of one value in a lead.
        max_saturated_share: of a lead's samples, the share at its highest or lowest value in repeated runs; of 1.
        max_einthoven_mv: the largest deviation of the record's limb leads, selected or not, from Einthoven's and
            Goldberger's laws in 95 % of the time.
        min_correlation_i_v6: arm electrodes count as exchanged where I and V6 correlate by less, aVR and V6 by more.
        max_noise_mv: RMS about 50 Hz in a lead's median 0.1 s, between the QRS complexes.
        max_wander_mv: peak to peak, of the part below 0.5 Hz.
    """

    min_peak_to_peak_mv: int | float | None
    max_amplitude_mv: int | float | None
    max_constant_s: int | float | None
    max_saturated_share: int | float | None
    max_einthoven_mv: int | float | None
    min_correlation_i_v6: int | float | None
    max_noise_mv: int | float | None
    max_wander_mv: int | float | None

    def __post_init__(self) -> None:
        if not 0 <= (self.min_peak_to_peak_mv or 0) < self.largest_mv <= LARGEST_STORED_MV:
            raise ValueError(
                "quality rules need 0 <= min_peak_to_peak_mv < max_amplitude_mv <= "
                f"{LARGEST_STORED_MV} (the most an ECG set can hold); got {self}"
            )
        for name in (field.name for field in fields(self) if field.name != "min_correlation_i_v6"):
            checks.number(f"quality.{name}", getattr(self, name), at_least=0, or_null=True)
        checks.number("quality.min_correlation_i_v6", self.min_correlation_i_v6, at_least=-1, at_most=0, or_null=True)

    @property
    def largest_mv(self) -> int | float:
        return LARGEST_STORED_MV if self.max_amplitude_mv is None else self.max_amplitude_mv


def exclusion_reason(record: Record, wanted: Sequence[str], rules: QualityRules) -> tuple[str, str] | None:
    """The first rule that a record breaks as read, at any rate from 100 Hz on and of any length.

    The rules in their order: leads, length (no samples), not_finite, flat, constant, saturated, limb_leads,
    arms_exchanged, noise, wander.
    """
    try:
        millivolts = select_leads(record.millivolts, record.leads, wanted)
    except ValueError as error:
        return "leads", str(error)
    if not millivolts.size:
        return "length", "it holds no samples"
    not_finite = np.count_nonzero(~np.isfinite(millivolts), axis=1)
    if not_finite.any():
        return "not_finite", f"{_worst(wanted, not_finite)} of {millivolts.shape[1]} samples are NaN or infinite"
    return (
        _flat_reason(millivolts, wanted, rules)
        or _stuck_reason(millivolts, wanted, record.sampling_rate, rules)
        or _electrodes_reason(record, wanted, rules)
        or _artefact_reason(millivolts, wanted, record.sampling_rate, rules)
    )


def amplitude_exclusion_reason(millivolts: np.ndarray, ecg: ECGFormat, rules: QualityRules) -> tuple[str, str] | None:
    """The amplitude rule, on the selected leads as they would be stored; finite."""
    largest = np.abs(millivolts).max(axis=1)
    if largest.max() <= rules.largest_mv:
        return None
    # a record in µV read as mV is a thousand times too large, far larger than an electrode artefact
    wrong_unit = np.median(np.ptp(millivolts, axis=1)) > 10 * rules.largest_mv
    hint = "; the unit may be wrong: µV taken for mV" if wrong_unit else ""
    return "amplitude", f"{_worst(ecg.leads, largest)} mV, the most is {rules.largest_mv:g}{hint}"


def _flat_reason(millivolts: np.ndarray, leads: Sequence[str], rules: QualityRules) -> tuple[str, str] | None:
    if rules.min_peak_to_peak_mv is None:
        return None
    peak_to_peak = np.ptp(millivolts, axis=1)
    flat = peak_to_peak < rules.min_peak_to_peak_mv
    if not flat.any():
        return None
    quietest = int(peak_to_peak.argmin())
    hint = "; every lead is, so the unit may be wrong: mV taken for µV" if flat.all() and peak_to_peak.any() else ""
    return "flat", (
        f"lead {leads[quietest]} moves by {peak_to_peak[quietest]:.4g} mV, "
        f"the least is {rules.min_peak_to_peak_mv:g}{hint}"
    )


def _stuck_reason(
    millivolts: np.ndarray, leads: Sequence[str], rate: int | float, rules: QualityRules
) -> tuple[str, str] | None:
    if rules.max_constant_s is not None:
        run = longest_constant(millivolts, int(rules.max_constant_s * rate))
        if run:
            lead, first, end = run
            return "constant", (
                f"lead {leads[lead]} stays at {millivolts[lead, first]:.4g} mV from {first / rate:.2f} to "
                f"{end / rate:.2f} s, the longest is {rules.max_constant_s:g} s"
            )
    if rules.max_saturated_share is not None:
        worst = most_saturated(millivolts, rate, rules.max_saturated_share)
        if worst:
            lead, share, rail = worst
            return "saturated", (
                f"lead {leads[lead]} is stuck at {rail:.4g} mV in {100 * share:.2g} % of its samples, "
                f"the most is {100 * rules.max_saturated_share:g}"
            )
    return None


def _electrodes_reason(record: Record, wanted: Sequence[str], rules: QualityRules) -> tuple[str, str] | None:
    leads = {}
    for lead, signal in zip(record.leads, record.millivolts, strict=True):
        # a lead that is not selected may be empty, and is then ignored
        usable = lead in (*LIMB_LEADS, "V6") and np.isfinite(signal).all()
        if usable and (lead in wanted or np.ptp(signal) > (rules.min_peak_to_peak_mv or 0)):
            leads[lead] = signal
    if rules.max_einthoven_mv is not None:
        detail = limb_lead_reason(leads, rules.max_einthoven_mv)
        if detail:
            return "limb_leads", detail
    if rules.min_correlation_i_v6 is not None:
        detail = arms_reason(leads, record.sampling_rate, rules.min_correlation_i_v6)
        if detail:
            return "arms_exchanged", detail
    return None


def _artefact_reason(
    millivolts: np.ndarray, leads: Sequence[str], rate: int | float, rules: QualityRules
) -> tuple[str, str] | None:
    # both rules would reject a record in a wrong unit before the amplitude rule, whose detail names the unit
    if np.abs(millivolts).max() > 10 * LARGEST_STORED_MV:
        return None
    for rule, limit, measure in (("noise", rules.max_noise_mv, noise_mv), ("wander", rules.max_wander_mv, wander_mv)):
        if limit is not None:
            values = measure(millivolts, rate)
            if values.max() > limit:
                return rule, f"{_worst(leads, values)} mV, the most is {limit:g}"
    return None


def _worst(leads: Sequence[str], values: np.ndarray) -> str:
    worst = int(values.argmax())
    return f"lead {leads[worst]}: {values[worst]:.4g}"
