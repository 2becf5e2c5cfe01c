"""Measured intervals and R-peaks against cardiologists' boundaries, on LUDB.

The reference of a record is, for each annotated beat, an onset and an offset over the 12 leads, then the median over
beats; in two conventions. **middle** takes the median onset and the median offset over the leads, **wide** the second
earliest onset and the second latest offset, like an analyser that takes the earliest and the latest of any lead.

The constants of `measurement.delineation` were chosen on records whose number divides by four; the others confirm.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from tqdm import tqdm

from ecggan.compute.workers import each
from ecggan.data.sources.ludb import LUDBRecord, read_ludb, sinus_rhythm_numbers
from ecggan.ecg import EIGHT_LEADS, select_leads
from ecggan.measurement.beats import find_beats
from ecggan.measurement.columns import display_name
from ecggan.measurement.delineation_choice import DELINEATIONS, MEDIAN_BEAT
from ecggan.measurement.filters import without_baseline
from ecggan.measurement.measure_record import measure_record

Convention = Literal["middle", "wide"]
CONVENTIONS: tuple[Convention, ...] = ("middle", "wide")
# The mean and the SD of an automatic measurement's error, in ms, that IEC 60601-2-25 allows.
LIMITS_MS = {
    "p_duration_ms": (10, 15),
    "pr_interval_ms": (10, 10),
    "qrs_duration_ms": (10, 10),
    "qt_interval_ms": (25, 30),
}
SHARE_TRIMMED = 0.04  # of the records, those of the largest errors, as the standard has it
R_PEAK_PLAY_MS = 75  # EC57: a beat found within 150 ms of time in all is the annotated one
_FEWEST_LEADS = 6  # of 12 that must show a wave
_SAME_BEAT_MS = 100
_WINDOW_MS: Mapping[str, tuple[int, int]] = {"p": (-450, 0), "qrs": (-100, 100), "t": (50, 700)}


def reference_intervals(record: LUDBRecord, convention: Convention) -> dict[str, float]:
    """A record's intervals in ms by the cardiologists' annotations; NaN if fewer than 6 leads show the waves."""
    per_beat = [_reference_of_beat(record, beat, convention) for beat in reference_beats(record)]
    intervals = pd.DataFrame(per_beat, columns=list(LIMITS_MS), dtype=float)
    return {str(column): float(value) for column, value in intervals.median().items()}


def reference_beats(record: LUDBRecord) -> np.ndarray:
    """The annotated beats, in samples: R-peaks of at least 6 leads within 100 ms, their median."""
    peaks = np.sort(record.waves.loc[record.waves["wave"] == "qrs", "peak"].to_numpy(float))
    if not len(peaks):
        return peaks
    apart = np.flatnonzero(np.diff(peaks) > _SAME_BEAT_MS * record.sampling_rate / 1000) + 1
    return np.array([np.median(group) for group in np.split(peaks, apart) if len(group) >= _FEWEST_LEADS])


def _reference_of_beat(record: LUDBRecord, beat: float, convention: Convention) -> dict[str, float]:
    ms = 1000 / record.sampling_rate
    onset, offset = {}, {}
    for wave, (earliest, latest) in _WINDOW_MS.items():
        waves = record.waves[record.waves["wave"] == wave]
        after_ms = (waves["peak"].to_numpy(float) - beat) * ms
        nearest: dict[str, tuple[float, float, float]] = {}  # of each lead: how far, onset, offset
        for i in np.flatnonzero((after_ms >= earliest) & (after_ms <= latest)):
            lead = str(waves["lead"].iloc[i])
            found = (abs(after_ms[i]), float(waves["onset"].iloc[i]), float(waves["offset"].iloc[i]))
            nearest[lead] = min(nearest.get(lead, found), found)
        onset[wave] = _over_leads([of_lead[1] for of_lead in nearest.values()], convention, earliest=True)
        offset[wave] = _over_leads([of_lead[2] for of_lead in nearest.values()], convention, earliest=False)
    return {
        "p_duration_ms": (offset["p"] - onset["p"]) * ms,
        "pr_interval_ms": (onset["qrs"] - onset["p"]) * ms,
        "qrs_duration_ms": (offset["qrs"] - onset["qrs"]) * ms,
        "qt_interval_ms": (offset["t"] - onset["qrs"]) * ms,
    }


def _over_leads(boundaries: Sequence[float], convention: Convention, earliest: bool) -> float:
    found = np.sort([boundary for boundary in boundaries if np.isfinite(boundary)])
    if len(found) < _FEWEST_LEADS:
        return np.nan
    if convention == "middle":
        return float(np.median(found))
    return float(found[1] if earliest else found[-2])


def validate_on_ludb(
    root: str | Path, num_workers: int | None = None, progress: bool = True, delineation: str = MEDIAN_BEAT
) -> pd.DataFrame:
    """Measure LUDB's records in sinus rhythm without a pacemaker, in the eight independent leads.

    Args:
        root: the folder that holds ludb.csv and data/.
        num_workers: processes; None for one a core.
        progress: show a bar.
        delineation: see [measure][ecggan.measurement.measure_set.measure].

    Returns:
        One row a record: `record`, `is_chosen_on`, `is_measurable`, `reason`, the four intervals as measured and as
        ``…_middle`` and ``…_wide`` by the cardiologists, and of its R-peaks how many were `annotated`, `matched` and
        `surplus` (found between the first and the last annotated beat, and none of them).

    Raises:
        FileNotFoundError: a file of the database is missing.
        ValueError: none of its records is there, or one is damaged.
    """
    numbers = sinus_rhythm_numbers(root)
    rows = each(_validate_one, ((root, number, delineation) for number in numbers), len(numbers), num_workers)
    return pd.DataFrame(tqdm(rows, total=len(numbers), desc="validating", unit="ECG", disable=not progress))


def _validate_one(root: str | Path, number: int, delineation: str) -> dict[str, object]:
    record = read_ludb(root, number)
    signals = select_leads(record.millivolts, record.leads, EIGHT_LEADS)
    measured = measure_record(signals, EIGHT_LEADS, record.sampling_rate, delineation)
    row: dict[str, object] = {"record": number, "is_chosen_on": number % 4 == 0}
    row |= {column: measured[column] for column in ("is_measurable", "reason", *LIMITS_MS)}
    for convention in CONVENTIONS:
        reference = reference_intervals(record, convention)
        row |= {f"{column}_{convention}": value for column, value in reference.items()}
    return row | _match_beats(record, signals)


def _match_beats(record: LUDBRecord, signals: np.ndarray) -> dict[str, int]:
    annotated = reference_beats(record)
    found = find_beats(without_baseline(signals, record.sampling_rate), record.sampling_rate).r_peaks
    play = R_PEAK_PLAY_MS * record.sampling_rate / 1000
    near = np.abs(annotated[:, None] - found[None, :]) <= play
    among = (found >= annotated.min() - play) & (found <= annotated.max() + play)
    return {
        "annotated": len(annotated),
        "matched": int(near.any(axis=1).sum()),
        "surplus": int((among & ~near.any(axis=0)).sum()),
    }


def agreement(validated: pd.DataFrame) -> pd.DataFrame:
    """The errors of [validate_on_ludb][], measured minus reference, in ms.

    Returns:
        A row for each interval and convention: `num_records`, `mean` and `sd` over all records, `trimmed_mean` and
        `trimmed_sd` without the four per cent of the largest errors, `num_missing` (measured as NaN), and whether they
        are `within_limits` of IEC 60601-2-25, trimmed and not (`all_within_limits`).
    """
    rows = []
    for column, (most_mean, most_sd) in LIMITS_MS.items():
        for convention in CONVENTIONS:
            has_reference = validated[f"{column}_{convention}"].notna()
            errors = (validated[column] - validated[f"{column}_{convention}"])[has_reference].to_numpy(float)
            num_missing = int(np.isnan(errors).sum())
            errors = errors[np.isfinite(errors)]
            usual = errors[np.argsort(np.abs(errors))][: len(errors) - int(SHARE_TRIMMED * len(errors))]
            within = [abs(some.mean()) <= most_mean and some.std(ddof=1) <= most_sd for some in (usual, errors)]
            rows.append(
                {
                    "measurement": display_name(column)[0],
                    "convention": convention,
                    "num_records": len(errors),
                    "num_missing": num_missing,
                    "limits": f"±{most_mean}, {most_sd}",
                    "mean": errors.mean(),
                    "sd": errors.std(ddof=1),
                    "trimmed_mean": usual.mean(),
                    "trimmed_sd": usual.std(ddof=1),
                    "within_limits": bool(within[0]),
                    "all_within_limits": bool(within[1]),
                }
            )
    return pd.DataFrame(rows)


def compare_delineations(root: str | Path, num_workers: int | None = None, progress: bool = True) -> pd.DataFrame:
    """The errors of every delineation against the **middle** of the cardiologists' boundaries; Args as above.

    Returns:
        A row for each delineation and interval: the columns of [agreement][], `delineation` and `num_measurable`, the
        records that pass the plausibility gate.
    """
    tables = []
    for delineation in DELINEATIONS:
        validated = validate_on_ludb(root, num_workers, progress, delineation)
        errors = agreement(validated)
        errors = errors[errors["convention"] == "middle"].drop(columns="convention")
        tables.append(errors.assign(delineation=delineation, num_measurable=int(validated["is_measurable"].sum())))
    compared = pd.concat(tables, ignore_index=True)
    return compared[["delineation", "num_measurable", *tables[0].columns[:-2]]]


def summary_text(validated: pd.DataFrame) -> str:
    """R-peaks found, the errors of both halves, and the records that were not measurable, for a terminal."""
    annotated, matched, surplus = (int(validated[column].sum()) for column in ("annotated", "matched", "surplus"))
    measurable = int(validated["is_measurable"].sum())
    lines = [
        f"LUDB, {len(validated)} records in sinus rhythm, {measurable} measurable ({measurable / len(validated):.1%})",
        f"R-peaks within {R_PEAK_PLAY_MS} ms: sensitivity {matched / annotated:.2%}, "
        f"precision {matched / (matched + surplus):.2%} of {annotated} beats",
    ]
    halves = {
        "records that the constants were chosen on": validated[validated["is_chosen_on"]],
        "records that confirm": validated[~validated["is_chosen_on"]],
        "all": validated,
    }
    for name, half in halves.items():
        if len(half):
            lines.append(f"\n{name} ({len(half)}): error in ms, mean and SD; trimmed: without the largest 4 %")
            lines.append(agreement(half).to_string(index=False, float_format="%.1f"))
    missing = validated[~validated["is_measurable"]].to_dict("records")
    return "\n".join([*lines, *(f"not measurable: {row['record']} ({row['reason']})" for row in missing)])
