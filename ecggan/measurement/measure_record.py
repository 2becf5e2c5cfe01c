"""One ECG -> one row: rate, intervals, axes and amplitudes, and the reasons of those that are missing.

A record is rounded to whole µV, as an ECG set stores it, so that an array and a set have the same measurements. It is
measured on its independent leads: III, aVR, aVL and aVF are derived from I and II even if they are stored, so that a
set of 8 leads and a set of 12 are measured alike. If I or II has no signal, the stored ones are used.

Boundaries are found on the median beat (see `beats` and `delineation`), or by neurokit2 (see `neurokit_delineation`).
Amplitudes and axes come from the median beat, high-pass filtered at 0.5 Hz alone. Pacing spikes (see `pacing`) and the
time in which a lead is off are replaced by lines first.
"""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ecggan import ecg
from ecggan.ecg import DERIVED_LEADS, MICROVOLTS_PER_MILLIVOLT, TWELVE_LEADS, check_leads, select_leads
from ecggan.measurement.amplitudes import axes, wave_amplitudes
from ecggan.measurement.beats import Beats, find_beats
from ecggan.measurement.columns import MEASUREMENTS, OF_ONE_LEAD, amplitude_column, display_name
from ecggan.measurement.delineation import Boundaries, delineate
from ecggan.measurement.delineation_choice import MEDIAN_BEAT, neurokit_method, resolve_delineation
from ecggan.measurement.filters import bridge_lead_off, without_baseline
from ecggan.measurement.neurokit_delineation import delineate_by_neurokit
from ecggan.measurement.pacing import remove_spikes
from ecggan.measurement.plausibility import is_clipped, leads_with_signal, why_no_ecg, why_not_plausible
from ecggan.measurement.rate import rate

Value = float | bool | str | int

SLOWEST_SAMPLING_HZ = 100
COUNTS = ("num_beats", "num_beats_used", "num_gaps")
PACED = "paced: the spikes leave after-potentials, which cannot be told from the QRS complex"
_FRAMINGHAM_MS = 154  # per second of RR


def measuring_version() -> str:
    """A version of the code that measures: changes with any module of this room, with `ecg`, or with the libraries."""
    digest = hashlib.sha256()
    for module in (Path(ecg.__file__), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(module.read_bytes())
    versions = (f"{package}{metadata.version(package)}" for package in ("neurokit2", "scipy", "numpy"))
    return "-".join([digest.hexdigest()[:12], *versions])


def measure_record(
    millivolts: Float[np.ndarray, "lead time"],
    leads: Sequence[str],
    sampling_rate: int | float,
    delineation: str = MEDIAN_BEAT,
) -> dict[str, Value]:
    """Measure one ECG; for the columns see [measure][ecggan.measurement.measure_set.measure].

    A signal that is no ECG is not measurable, with the reason.

    Args:
        millivolts: at least 3 s of it.
        leads: their names.
        sampling_rate: in Hz, at least 100; 500 for precise boundaries.
        delineation: where waves begin and end, one of
            [DELINEATIONS][ecggan.measurement.delineation_choice.DELINEATIONS].

    Raises:
        ValueError: unknown leads or delineation, or a sampling rate that is too low or no whole number.
    """
    delineation = resolve_delineation(delineation)
    check_leads(leads)
    check_sampling_rate(sampling_rate)
    sampling_rate = int(sampling_rate)
    order = [lead for lead in TWELVE_LEADS if lead in leads]  # so that the order of the leads cannot matter
    signals = _as_stored(select_leads(millivolts, leads, order))
    row = row_without_numbers(leads, why_no_ecg(signals, sampling_rate))
    if row["reason"]:
        return row
    used, follow = _independent(signals, order)
    spikes = remove_spikes(select_leads(signals, order, used), sampling_rate)
    if any(is_clipped(lead, sampling_rate) for lead in spikes.without):
        return row_without_numbers(leads, "clipped")
    bridged = bridge_lead_off(spikes.without, sampling_rate)
    found_beats = find_beats(without_baseline(bridged, sampling_rate), sampling_rate)
    if method := neurokit_method(delineation):
        found, intervals = delineate_by_neurokit(bridged, found_beats, method)
    else:
        found = delineate(found_beats)
        intervals = _intervals(found, sampling_rate)
    row |= {"num_beats": found_beats.num_found, "num_beats_used": found_beats.num_used}
    row |= rate(found_beats.r_peaks, found_beats.is_alone, sampling_rate)
    row |= {"qrs_size_sd_percent": found_beats.qrs_size_sd_percent()}
    row |= intervals | _corrected_qt(intervals["qt_interval_ms"], float(row["rr_mean_ms"]))
    why_not = {lead: "no signal" for lead in order if lead not in (*used, *follow)}
    why_not |= {lead: "noise" for lead, noisy in zip(used, found_beats.is_noisy, strict=True) if noisy}
    if {"I", "II"} <= set(order) and {"I", "II"} & set(why_not):
        why_not |= {lead: "I or II is missing" for lead in DERIVED_LEADS if lead not in used}
    clear = [lead for lead in TWELVE_LEADS if lead in (*used, *follow) and lead not in why_not]
    if not found.no_qrs and clear:
        beat = select_leads(found_beats.millivolts, used, clear)
        row |= wave_amplitudes(beat, clear, found, sampling_rate)
        if {"I", "aVF"} <= set(clear):
            row |= axes(dict(zip(clear, beat, strict=True)), found, sampling_rate)
    row["missing"] = _missing_text(row, found, why_not)
    row["reason"] = PACED if spikes.have_tails else why_not_plausible(row, found_beats, found, signals.shape[1])
    row["is_measurable"] = not row["reason"]
    return row


def measured_beat(
    millivolts: Float[np.ndarray, "lead time"], leads: Sequence[str], sampling_rate: int
) -> tuple[Beats, list[str], list[str]]:
    """The beats that [measure_record][] measures an ECG on.

    Returns:
        The beats of the independent leads with a signal, the names of these, and of those that follow from them.
    """
    order = [lead for lead in TWELVE_LEADS if lead in leads]
    signals = _as_stored(select_leads(millivolts, leads, order))
    used, follow = _independent(signals, order)
    without_spikes = remove_spikes(select_leads(signals, order, used), sampling_rate).without
    bridged = bridge_lead_off(without_spikes, sampling_rate)
    return find_beats(without_baseline(bridged, sampling_rate), sampling_rate), used, follow


def check_sampling_rate(sampling_rate: int | float) -> None:
    """Raise ValueError if intervals cannot be measured at this rate."""
    if not (float(sampling_rate).is_integer() and sampling_rate >= SLOWEST_SAMPLING_HZ):
        raise ValueError(
            f"sampling_rate must be a whole number of Hz, at least {SLOWEST_SAMPLING_HZ}, to measure intervals; "
            f"got {sampling_rate}"
        )


def row_columns(leads: Sequence[str]) -> dict[str, type]:
    """The columns of a record's row and their types: amplitudes of its leads and of those that follow from I and II."""
    follow = DERIVED_LEADS if {"I", "II"} <= set(leads) else ()
    possible = [c for c in MEASUREMENTS if c not in OF_ONE_LEAD or OF_ONE_LEAD[c] in (*leads, *follow)]
    state = {"is_measurable": bool, "reason": object, "missing": object, **dict.fromkeys(COUNTS, int)}
    return state | dict.fromkeys(possible, float)


def row_without_numbers(leads: Sequence[str], reason: str) -> dict[str, Value]:
    """The row of a record without measurements, for this reason."""
    row: dict[str, Value] = dict.fromkeys(row_columns(leads), np.nan)
    row |= {"is_measurable": False, "reason": reason, "missing": f"everything: {reason}"}
    return row | dict.fromkeys(COUNTS, 0)


def _independent(signals: np.ndarray, order: Sequence[str]) -> tuple[list[str], list[str]]:
    """The leads with a signal that do not follow from I and II, and those that do."""
    is_alive = dict(zip(order, leads_with_signal(signals).tolist(), strict=True))
    follow = list(DERIVED_LEADS) if is_alive.get("I") and is_alive.get("II") else []
    return [lead for lead in order if is_alive[lead] and lead not in follow], follow


def _as_stored(millivolts: np.ndarray) -> np.ndarray:
    """Round to whole µV, as `ECGSet` does; NaN and infinities stay."""
    with np.errstate(over="ignore"):  # values beyond 16 bits are rejected later
        microvolts = np.rint(millivolts.astype(np.float64) * MICROVOLTS_PER_MILLIVOLT).astype(np.float32)
    return (microvolts / np.float32(MICROVOLTS_PER_MILLIVOLT)).astype(np.float64)


def _intervals(found: Boundaries, sampling_rate: int) -> dict[str, float]:
    ms = 1000 / sampling_rate
    return {
        "p_duration_ms": (found.p_offset - found.p_onset) * ms,
        "pr_interval_ms": (found.qrs_onset - found.p_onset) * ms,
        "qrs_duration_ms": (found.qrs_offset - found.qrs_onset) * ms,
        "qt_interval_ms": (found.t_offset - found.qrs_onset) * ms,
    }


def _corrected_qt(qt: float, rr_mean_ms: float) -> dict[str, float]:
    """QT corrected for the mean RR interval.

    By Bazett 1920 (QT / √RR) and Fridericia 1920 (QT / ∛RR), and by the Framingham study's line (Sagie et al. 1992).
    """
    rr_s = rr_mean_ms / 1000
    return {
        "qtc_bazett_ms": qt / float(np.sqrt(rr_s)),
        "qtc_fridericia_ms": qt / float(np.cbrt(rr_s)),
        "qtc_framingham_ms": qt + _FRAMINGHAM_MS * (1 - rr_s),
    }


def _missing_text(row: Mapping[str, Value], found: Boundaries, why_leads: Mapping[str, str]) -> str:
    """The reason of every measurement that is NaN: ``P wave (duration, PR, axis, amplitudes): …; V3: …``."""
    reasons = {
        "rate, RR intervals, QTc": "fewer than two beats" if np.isnan(float(row["rr_mean_ms"])) else "",
        "RR SD": "fewer than three beats" if np.isnan(float(row["rr_sd_ms"])) else "",
        "QRS size SD": "fewer than three similar beats" if np.isnan(float(row["qrs_size_sd_percent"])) else "",
        "P wave (duration, PR, axis, amplitudes)": found.no_p,
        "P duration, axis, amplitudes": "" if found.no_p or np.isfinite(found.p_offset) else "no P offset",
        "QRS complex (duration, axis, amplitudes, ST)": found.no_qrs,
        "T wave (QT, QTc, axis, amplitudes)": found.no_t,
        **why_leads,
    }
    needed = {amplitude_column("R", lead) for lead in ("I", "aVF")}
    if not found.no_qrs and any(np.isnan(float(row.get(column, np.nan))) for column in needed):
        reasons["axes"] = "I or II is missing"
    no_p_axis = found.no_p or reasons["P duration, axis, amplitudes"]
    for column, wave in (("p_axis_deg", no_p_axis), ("qrs_axis_deg", found.no_qrs), ("t_axis_deg", found.no_t)):
        if np.isnan(float(row[column])) and not wave and "axes" not in reasons:
            reasons[display_name(column)[0]] = "no net area"
    return "; ".join(f"{what}: {reason}" for what, reason in reasons.items() if reason)
