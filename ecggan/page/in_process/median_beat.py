"""The median beat that an ECG was measured on, with its boundaries, in all leads that can be had."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ecggan.ecg import TWELVE_LEADS, select_leads
from ecggan.measurement.delineation import delineate
from ecggan.measurement.measure_record import measured_beat
from ecggan.page.encoding import encode

BOUNDARIES = ("p_onset", "p_offset", "qrs_onset", "qrs_offset", "t_offset")


def median_beat(
    millivolts: Float[np.ndarray, "lead time"], leads: Sequence[str], sampling_rate: int
) -> dict[str, Any] | None:
    """The beat and its boundaries in ms from its start, None where a wave is missing; None without a beat.

    It is that of [measured_beat][ecggan.measurement.measure_record.measured_beat].
    """
    beats, used, follow = measured_beat(millivolts, leads, sampling_rate)
    if not beats.num_used:
        return None
    found = delineate(beats)
    ms = 1000 / sampling_rate
    shown = [lead for lead in TWELVE_LEADS if lead in (*used, *follow)]
    times = {name: float(getattr(found, name)) * ms for name in BOUNDARIES}
    return {
        "leads": shown,
        "sampling_rate": sampling_rate,
        "signal": encode(select_leads(beats.millivolts, used, shown)),
        "r_peak_ms": beats.r_peak * ms,
        "boundaries": {name: None if np.isnan(time) else time for name, time in times.items()},
    }
