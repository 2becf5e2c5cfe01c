"""One ECG -> what the page shows beside it: measurements with usual limits, findings, and the median beat."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecggan.ecg import DERIVED_LEADS, TWELVE_LEADS
from ecggan.measurement.columns import WAVES, amplitude_column, display_name
from ecggan.measurement.measure_record import measure_record
from ecggan.measurement.normality import rules
from ecggan.measurement.normality.screen import findings
from ecggan.page.in_process.median_beat import median_beat

Range = tuple[float | None, float | None]

# Usual limits of adults, of either sex: what a reader would call normal. The screen's rules lie further out, where next
# to no normal ECG is. Sources, guidelines of AHA, ACC and HRS: rate and PR, Kusumoto et al. 2018 (bradycardia below 50
# bpm, AV block of first degree above 200 ms); QRS and axis, Surawicz et al. 2009; QTc, Rautaharju et al. 2009 (women's
# upper limit; men's is 450 ms); P, Hancock et al. 2009.
USUAL_LIMITS: dict[str, Range] = {
    "heart_rate_bpm": (50, 100),
    "p_duration_ms": (None, 120),
    "pr_interval_ms": (120, 200),
    "qrs_duration_ms": (None, 110),
    "qtc_fridericia_ms": (390, 460),
    "qrs_axis_deg": (-30, 90),
}
SHOWN = (
    *("heart_rate_bpm", "rr_sd_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"),
    *("qtc_fridericia_ms", "qtc_bazett_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"),
)


def describe_ecg(
    millivolts: Float[np.ndarray, "lead time"], leads: Sequence[str], sampling_rate: int | float
) -> dict[str, Any]:
    """Measure and screen one ECG.

    Raises:
        ValueError: its rate is too low to measure intervals.
    """
    row = measure_record(millivolts, leads, sampling_rate)
    table = pd.DataFrame([row | {"record": "ecg"}])
    found = {str(rule): str(text) for rule, text in findings(table).iloc[0].items()}
    return {
        "is_measurable": bool(row["is_measurable"]),
        "reasons": [text for text in found.values() if text],
        "missing": str(row["missing"]),
        "num_beats": [int(row["num_beats_used"]), int(row["num_beats"])],
        "measurements": [_line(column, float(row[column])) for column in SHOWN],
        "amplitudes": _amplitudes(row),
        "rules": [
            {"name": name, "title": rule.title, "source": rule.source, "finding": found[name]}
            for name, rule in rules.RULES.items()
        ],
        "beat": median_beat(millivolts, leads, int(sampling_rate)) if row["num_beats_used"] else None,
    }


def _line(column: str, value: float) -> dict[str, Any]:
    name, unit = display_name(column)
    low, high = USUAL_LIMITS.get(column, (None, None))
    state = "" if column not in USUAL_LIMITS else "missing" if np.isnan(value) else "normal"
    if low is not None and value < low:
        state = "low"
    if high is not None and value > high:
        state = "high"
    known = None if np.isnan(value) else value
    return {
        "column": column, "name": name, "unit": unit, "value": known, "low": low, "high": high, "state": state,
    }  # fmt: skip


def _amplitudes(row: Mapping[str, Any]) -> dict[str, Any]:
    """The size of each wave and the ST level by lead, in mV; None where it is missing."""
    waves = (*WAVES, "ST")
    leads = [lead for lead in TWELVE_LEADS if amplitude_column("R", lead) in row]
    values = [[row[amplitude_column(wave, lead)] for wave in waves] for lead in leads]
    return {
        "waves": waves,
        "leads": leads,
        "derived": [lead for lead in leads if lead in DERIVED_LEADS],
        "values": [[None if np.isnan(value) else round(float(value), 3) for value in line] for line in values],
    }
