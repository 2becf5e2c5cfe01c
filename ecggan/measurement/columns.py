"""The measurements by the names of their columns, in the order of every table, and what people call them."""

from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS

WAVES = ("P", "Q", "R", "S", "T")


def amplitude_column(wave: str, lead: str) -> str:
    """The column of a wave's amplitude, or of the ST level, in a lead.

    >>> amplitude_column("R", "aVL"), amplitude_column("ST", "V2")
    ('r_amplitude_avl_mv', 'st_level_v2_mv')
    """
    return f"{wave.lower()}_{'level' if wave == 'ST' else 'amplitude'}_{lead.lower()}_mv"


R_AMPLITUDES = {amplitude_column("R", lead): lead for lead in TWELVE_LEADS}
"""Column -> lead."""
AMPLITUDES = {amplitude_column(wave, lead): lead for wave in (*WAVES, "ST") for lead in TWELVE_LEADS}
"""Column -> lead, of every wave and of the ST level."""

_INTERVALS = {
    "heart_rate_bpm": ("heart rate", "bpm"),
    "rr_mean_ms": ("RR interval, mean", "ms"),
    "rr_sd_ms": ("RR interval, SD", "ms"),
    "p_duration_ms": ("P duration", "ms"),
    "pr_interval_ms": ("PR interval", "ms"),
    "qrs_duration_ms": ("QRS duration", "ms"),
    "qt_interval_ms": ("QT interval", "ms"),
    "qtc_bazett_ms": ("QTc (Bazett)", "ms"),
    "qtc_fridericia_ms": ("QTc (Fridericia)", "ms"),
    "qtc_framingham_ms": ("QTc (Framingham)", "ms"),
    "p_axis_deg": ("P axis", "°"),
    "qrs_axis_deg": ("QRS axis", "°"),
    "t_axis_deg": ("T axis", "°"),
}
_NAMES = {
    **_INTERVALS,
    **{column: (f"R amplitude in {lead}", "mV") for column, lead in R_AMPLITUDES.items()},
    **{amplitude_column(wave, k): (f"{wave} amplitude in {k}", "mV") for wave in "PQST" for k in TWELVE_LEADS},
    **{amplitude_column("ST", k): (f"ST level in {k}", "mV") for k in TWELVE_LEADS},
}
MEASUREMENTS = tuple(_NAMES)
MAIN_MEASUREMENTS = (*_INTERVALS, *R_AMPLITUDES)
"""Those that are shown first; the others fill a page of their own."""


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


PHYSIOLOGY = (
    *("heart_rate_bpm", "rr_sd_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"),
    *("qtc_fridericia_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"),
    *(amplitude_column("R", lead) for lead in EIGHT_LEADS),
    *(amplitude_column(wave, lead) for wave in ("P", "T") for lead in ("II", "V2", "V5")),
)
"""What is looked at, of these what the real set has."""
