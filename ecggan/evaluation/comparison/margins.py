"""Margins of the equivalence tests: how large a difference of two means may be before it matters.

By default a difference matters if it exceeds the error that a standard allows an ECG analyser. Those of the
amplitudes and of the rate are stated from memory of the standards and were not checked against their text.
"""

from collections.abc import Mapping

import numpy as np

from ecggan import checks
from ecggan.measurement.columns import AMPLITUDES, MEASUREMENTS, display_name
from ecggan.stats.margin import Margin

IEC_25 = "IEC 60601-2-25, largest mean error of an analyser"
IEC_51 = "IEC 60601-2-51, largest error of an amplitude: 25 µV up to 0.5 mV, 5 % above"
IEC_27 = "IEC 60601-2-27, accuracy of a heart rate"
NO_STANDARD = "no standard has one; a step in which axes are read"
YOURS = "given by the user"

_SMALL_MV, _LARGE_FROM_MV, _LARGE_SHARE = 0.025, 0.5, 0.05


_MARGINS = {
    "heart_rate_bpm": Margin(5, IEC_27),
    "p_duration_ms": Margin(10, IEC_25),
    "pr_interval_ms": Margin(10, IEC_25),
    "qrs_duration_ms": Margin(10, IEC_25),
    "qt_interval_ms": Margin(25, IEC_25),
    "qtc_bazett_ms": Margin(25, IEC_25),
    "qtc_fridericia_ms": Margin(25, IEC_25),
    "qtc_framingham_ms": Margin(25, IEC_25),
    "p_axis_deg": Margin(10, NO_STANDARD),
    "qrs_axis_deg": Margin(10, NO_STANDARD),
    "t_axis_deg": Margin(10, NO_STANDARD),
}


def margin_of(measurement: str, real_mean: float, given: Mapping[str, int | float] | None = None) -> Margin | None:
    """The margin of a measurement; None for those without one (RR interval, SDs over the beats).

    An amplitude's follows from the mean of the real set, so that both sets are judged by one.

    >>> margin_of("qrs_duration_ms", 92.0).value, margin_of("r_amplitude_v5_mv", 1.2).value
    (10, 0.06)

    Args:
        measurement: its column.
        real_mean: in the measurement's unit.
        given: margins that go before these, by measurement.
    """
    if given and measurement in given:
        return Margin(float(given[measurement]), YOURS)
    if measurement in AMPLITUDES:
        size = abs(real_mean) if np.isfinite(real_mean) else 0.0
        return Margin(_LARGE_SHARE * size if size > _LARGE_FROM_MV else _SMALL_MV, IEC_51)
    return _MARGINS.get(measurement)


def check_margins(given: Mapping[str, int | float]) -> None:
    """Raise ValueError unless each is a number above 0 for a measurement that there is."""
    if not isinstance(given, Mapping):
        raise ValueError(f"margins must name measurements, e.g. {{qt_interval_ms: 10}}; got {given}")
    for measurement, value in given.items():
        if measurement not in MEASUREMENTS:
            raise ValueError(f"margins.{measurement} is no measurement; known are {', '.join(MEASUREMENTS)}")
        checks.positive(f"margins.{measurement}", value, unit=display_name(measurement)[1])
