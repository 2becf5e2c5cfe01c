"""ECGs -> one row of intervals, axis and amplitudes a record.

A record is measured as an ECG set stores it, in whole µV, so that an array and a set give the same numbers; and its
beats come from its independent leads, so that it does not matter whether III, aVR, aVL and aVF are stored with it.

Boundaries are found in 0.5 to about 22 Hz (see `delineation`). Amplitudes and axis come from the signal as recorded but
for a zero-phase high-pass at 0.5 Hz against baseline wander: nothing is taken away above it, since a low-pass below
150 Hz takes R waves with it (Kligfield et al. 2007, AHA/ACC/HRS recommendations, part I).

An interval is the median over beats, because one missed T wave must not move the record's value; where fewer than half
of the beats show it, it is NaN.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.signal
from jaxtyping import Float
from joblib import Parallel, cpu_count, delayed
from tqdm import tqdm

from ecggan.data.ecg_set import SIGNALS, ECGSet
from ecggan.ecg import DERIVED_LEADS, MICROVOLTS_PER_MILLIVOLT, TWELVE_LEADS, check_leads, select_leads
from ecggan.evaluation.columns import MEASUREMENTS as MEASUREMENTS
from ecggan.evaluation.columns import R_AMPLITUDES
from ecggan.evaluation.columns import display_name as display_name
from ecggan.evaluation.delineation import Delineation, delineate, leads_with_signal
from ecggan.evaluation.plausibility import why_no_ecg, why_not_plausible

log = logging.getLogger(__name__)

Value = float | bool | str | int

RECORDS_PER_CHUNK = 16
_BASELINE_HZ = 0.5
_ONSET_LEVEL_MS = 12  # the level at the QRS onset is a mean over so long before it, as noise would move one sample


def measure(
    ecgs: ECGSet | np.ndarray,
    leads: Sequence[str] | None = None,
    sampling_rate: int | None = None,
    num_workers: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Measure every record: one row each, in their order, whatever happens to one of them.

    Args:
        ecgs: an ECG set, or an array ``(record, lead, time)`` in mV.
        leads: the names of an array's leads, in their order; a set knows its own.
        sampling_rate: of an array, in Hz.
        num_workers: processes; None for one a core. The table does not depend on it.
        progress: show a bar (not for a single chunk of records, which is done at once).

    Returns:
        `record` (its name in the set, or its position), `is_measurable`, `reason` (empty, or why not), `num_beats` and
        [MEASUREMENTS][], NaN where a value could not be had; R amplitudes of the leads that are there or follow.

    Raises:
        ValueError: leads or sampling_rate are missing, or do not fit the array.
    """
    if isinstance(ecgs, ECGSet):
        if leads is not None or sampling_rate is not None:
            raise ValueError("leads and sampling_rate are for arrays; an ECG set knows its own, so leave them out")
        names = ecgs.records["record"].astype(str).tolist() if len(ecgs) else []
        leads, sampling_rate = ecgs.leads, ecgs.sampling_rate
    else:
        leads, sampling_rate = _check_array(ecgs, leads, sampling_rate)
        names = [str(i) for i in range(len(ecgs))]
    if num_workers is not None and num_workers < 1:
        raise ValueError(f"num_workers must be at least 1, or None for one a core; got {num_workers}")
    starts = range(0, len(names), RECORDS_PER_CHUNK)
    run = Parallel(n_jobs=max(1, min(num_workers or cpu_count(), len(starts))), return_as="generator")
    tasks = (delayed(_measure_chunk)(*chunk, tuple(leads), sampling_rate) for chunk in _chunks(ecgs, starts))
    rows: list[dict[str, Value]] = []
    with tqdm(total=len(names), desc="measuring", unit="ECG", disable=not progress or len(starts) < 2) as bar:
        for chunk in run(tasks):
            rows += chunk
            bar.update(len(chunk))
    types = dict.fromkeys(_columns(leads), float) | {"is_measurable": bool, "reason": object, "num_beats": int}
    table = pd.DataFrame(rows, columns=list(types)).astype(types)
    table.insert(0, "record", pd.Series(names, dtype=object))
    for reason, count in table.loc[table["reason"] != "", "reason"].value_counts().items():
        level = logging.ERROR if str(reason).startswith("error") else logging.INFO
        log.log(level, "%d of %d records not measurable: %s", count, len(table), reason)
    return table


def measure_record(
    millivolts: Float[np.ndarray, "lead time"], leads: Sequence[str], sampling_rate: int
) -> dict[str, Value]:
    """Measure one ECG; for the columns see [measure][]."""
    order = [lead for lead in TWELVE_LEADS if lead in leads]  # so that the order of the leads cannot matter
    signals = _as_stored(select_leads(millivolts, leads, order))
    row: dict[str, Value] = dict.fromkeys(_columns(leads), np.nan)
    row |= {"is_measurable": False, "reason": why_no_ecg(signals, sampling_rate), "num_beats": 0}
    if row["reason"]:
        return row
    independent = [i for i, lead in enumerate(order) if not ({"I", "II"} <= set(order) and lead in DERIVED_LEADS)]
    beats = delineate(signals[independent], sampling_rate)
    high_pass = scipy.signal.butter(2, _BASELINE_HZ, "high", fs=sampling_rate, output="sos")
    steady = scipy.signal.sosfiltfilt(high_pass, signals, axis=1)
    alive = leads_with_signal(signals)
    row |= {"num_beats": beats.num_beats}
    row |= _rate_and_intervals(beats, sampling_rate)
    row |= _axis_and_amplitudes(np.where(alive[:, None], steady, np.nan), order, beats, sampling_rate)
    row["reason"] = why_not_plausible(row, steady[alive], beats, sampling_rate)
    row["is_measurable"] = not row["reason"]
    return row


def _check_array(ecgs: np.ndarray, leads: Sequence[str] | None, sampling_rate: int | None) -> tuple[Sequence[str], int]:
    if leads is None or sampling_rate is None:
        missing = "leads" if leads is None else "sampling_rate"
        raise ValueError(
            f"{missing} must be given with an array, e.g. measure(array_mv, leads=['I', 'II'], sampling_rate=500)"
        )
    if not isinstance(ecgs, np.ndarray) or ecgs.ndim != 3 or ecgs.shape[1] != len(leads):
        found = f"the shape {ecgs.shape}" if isinstance(ecgs, np.ndarray) else type(ecgs).__name__
        raise ValueError(f"ecgs must be an array (record, lead, time) in mV with {len(leads)} leads; got {found}")
    check_leads(leads)
    if np.issubdtype(ecgs.dtype, np.integer):
        raise ValueError(f"ecgs must be in mV, as floating-point numbers; got {ecgs.dtype} (whole µV? divide by 1000)")
    if not sampling_rate > 0:
        raise ValueError(f"sampling_rate must be above 0 Hz; got {sampling_rate}")
    return leads, int(sampling_rate)


def _chunks(ecgs: ECGSet | np.ndarray, starts: range) -> Iterator[tuple[Path | None, np.ndarray]]:
    """What to measure: rows of a set on disk, which the workers map themselves, or the signals in mV."""
    for start in starts:
        chunk = slice(start, start + RECORDS_PER_CHUNK)
        if isinstance(ecgs, ECGSet) and ecgs.path is not None:
            yield ecgs.path / SIGNALS, ecgs.rows[chunk]
        else:
            yield None, ecgs.millivolts(chunk) if isinstance(ecgs, ECGSet) else ecgs[chunk]


def _measure_chunk(
    path: Path | None, rows_or_signals: np.ndarray, leads: Sequence[str], sampling_rate: int
) -> list[dict[str, Value]]:
    signals = rows_or_signals
    if path is not None:
        signals = np.load(path, mmap_mode="r")[rows_or_signals] / np.float32(MICROVOLTS_PER_MILLIVOLT)
    rows = []
    for record in signals:
        try:
            rows.append(measure_record(record, leads, sampling_rate))
        except Exception as error:  # one record must not end a run of thousands: kept as its reason, logged by measure
            failed: dict[str, Value] = dict.fromkeys(_columns(leads), np.nan)
            reason = f"error: {type(error).__name__}: {error}".splitlines()[0]
            rows.append(failed | {"is_measurable": False, "reason": reason, "num_beats": 0})
    return rows


def _columns(leads: Sequence[str]) -> list[str]:
    follow = DERIVED_LEADS if {"I", "II"} <= set(leads) else ()
    possible = [c for c in MEASUREMENTS if c not in R_AMPLITUDES or R_AMPLITUDES[c] in (*leads, *follow)]
    return ["is_measurable", "reason", "num_beats", *possible]


def _as_stored(millivolts: np.ndarray) -> np.ndarray:
    """Round to whole µV, as `ECGSet` does, NaN and infinities staying what they are."""
    microvolts = np.rint(millivolts * MICROVOLTS_PER_MILLIVOLT).astype(np.float32)
    return (microvolts / np.float32(MICROVOLTS_PER_MILLIVOLT)).astype(np.float64)


def _median_over_beats(values: np.ndarray) -> float:
    seen = np.isfinite(values)
    return float(np.median(values[seen])) if seen.any() and seen.mean() >= 0.5 else np.nan


def _rate_and_intervals(beats: Delineation, sampling_rate: int) -> dict[str, float]:
    ms = 1000 / sampling_rate
    rr = np.diff(beats.r_peaks) * ms
    rr_mean = float(rr.mean()) if len(rr) else np.nan
    qt = _median_over_beats(beats.t_offset - beats.qrs_onset) * ms
    return {
        "heart_rate_bpm": 60_000 / rr_mean,
        "rr_mean_ms": rr_mean,
        "rr_sd_ms": float(rr.std(ddof=1)) if len(rr) > 1 else np.nan,
        "p_duration_ms": _median_over_beats(beats.p_offset - beats.p_onset) * ms,
        "pr_interval_ms": _median_over_beats(beats.qrs_onset - beats.p_onset) * ms,
        "qrs_duration_ms": _median_over_beats(beats.qrs_offset - beats.qrs_onset) * ms,
        "qt_interval_ms": qt,
        "qtc_bazett_ms": qt / float(np.sqrt(rr_mean / 1000)),
        "qtc_fridericia_ms": qt / float(np.cbrt(rr_mean / 1000)),
    }


def _axis_and_amplitudes(
    steady: np.ndarray, leads: Sequence[str], beats: Delineation, sampling_rate: int
) -> dict[str, float]:
    """The highest and the net of each lead's QRS, from its level just before the onset; median over beats."""
    before = max(1, _ONSET_LEVEL_MS * sampling_rate // 1000)
    columns = {column: lead for column, lead in R_AMPLITUDES.items() if column in _columns(leads)}
    signals = select_leads(steady, leads, list(columns.values()))
    highest, net = [], []
    for onset, offset in zip(beats.qrs_onset, beats.qrs_offset, strict=True):
        if onset - before >= 0 and np.isfinite(offset):
            level = signals[:, int(onset) - before : int(onset)].mean(axis=1, keepdims=True)
            qrs = signals[:, int(onset) : int(offset) + 1] - level
            highest.append(qrs.max(axis=1))
            net.append(qrs.sum(axis=1))
    if not highest:
        return {}
    # A lead without an R wave (aVR) has an R amplitude of 0, as in a device's table.
    amplitudes = dict(zip(columns, np.maximum(np.median(highest, axis=0), 0.0).tolist(), strict=True))
    area = dict(zip(columns.values(), np.median(net, axis=0).tolist(), strict=True))
    # aVF's scale is 1.5 of the unipolar lead, I's the root of 3 (Einthoven's triangle): hence 2 / root of 3.
    axis = np.degrees(np.arctan2(2 / np.sqrt(3) * area.get("aVF", np.nan), area.get("I", np.nan)))
    return {"qrs_axis_deg": float(axis), **amplitudes}
