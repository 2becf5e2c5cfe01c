"""The median beat that an ECG was measured on, with its boundaries, in all leads that can be had."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ecggan.ecg import DERIVED_LEADS, TWELVE_LEADS, select_leads
from ecggan.measurement.beats import find_beats
from ecggan.measurement.delineation import delineate
from ecggan.measurement.filters import bridge_lead_off, without_baseline
from ecggan.measurement.pacing import remove_spikes
from ecggan.measurement.plausibility import leads_with_signal
from ecggan.page.encoding import encode

BOUNDARIES = ("p_onset", "p_offset", "qrs_onset", "qrs_offset", "t_offset")


def median_beat(
    millivolts: Float[np.ndarray, "lead time"], leads: Sequence[str], sampling_rate: int
) -> dict[str, Any] | None:
    """The beat and its boundaries in ms from its start, None where a wave is missing; None without a beat.

    It is made as [measure_record][ecggan.measurement.measure_record.measure_record] makes it: of the independent leads
    with a signal.
    """
    order = [lead for lead in TWELVE_LEADS if lead in leads]
    signals = select_leads(millivolts, leads, order).astype(np.float64)
    alive = [lead for lead, has_signal in zip(order, leads_with_signal(signals), strict=True) if has_signal]
    follow = set(DERIVED_LEADS) if {"I", "II"} <= set(alive) else set()
    used = [lead for lead in alive if lead not in follow]
    without_spikes = remove_spikes(select_leads(signals, order, used), sampling_rate).without
    steady = without_baseline(bridge_lead_off(without_spikes, sampling_rate), sampling_rate)
    beats = find_beats(steady, sampling_rate)
    if not beats.num_used:
        return None
    found = delineate(beats)
    ms = 1000 / sampling_rate
    shown = [lead for lead in TWELVE_LEADS if lead in used or lead in follow]
    times = {name: float(getattr(found, name)) * ms for name in BOUNDARIES}
    return {
        "leads": shown,
        "sampling_rate": sampling_rate,
        "signal": encode(select_leads(beats.millivolts, used, shown)),
        "r_peak_ms": beats.r_peak * ms,
        "boundaries": {name: None if np.isnan(time) else time for name, time in times.items()},
    }
