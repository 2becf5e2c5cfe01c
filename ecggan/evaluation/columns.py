"""The measurements by the names of their columns, in the order of every table, and what people call them."""

from ecggan.ecg import TWELVE_LEADS

R_AMPLITUDES = {f"r_amplitude_{lead.lower()}_mv": lead for lead in TWELVE_LEADS}
"""Column -> lead."""

_NAMES = {
    "heart_rate_bpm": ("heart rate", "bpm"),
    "rr_mean_ms": ("RR interval, mean", "ms"),
    "rr_sd_ms": ("RR interval, SD", "ms"),
    "p_duration_ms": ("P duration", "ms"),
    "pr_interval_ms": ("PR interval", "ms"),
    "qrs_duration_ms": ("QRS duration", "ms"),
    "qt_interval_ms": ("QT interval", "ms"),
    "qtc_bazett_ms": ("QTc (Bazett)", "ms"),
    "qtc_fridericia_ms": ("QTc (Fridericia)", "ms"),
    "qrs_axis_deg": ("QRS axis", "°"),
    **{column: (f"R amplitude in {lead}", "mV") for column, lead in R_AMPLITUDES.items()},
}
MEASUREMENTS = tuple(_NAMES)


def display_name(column: str) -> tuple[str, str]:
    """A measurement's name and unit.

    >>> display_name("qrs_duration_ms"), display_name("r_amplitude_avl_mv")
    (('QRS duration', 'ms'), ('R amplitude in aVL', 'mV'))

    Raises:
        ValueError: the column is no measurement.
    """
    if column not in _NAMES:
        raise ValueError(f"column {column!r} is not a measurement; known are {', '.join(MEASUREMENTS)}")
    return _NAMES[column]
