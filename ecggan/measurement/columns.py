"""The columns of the tables of measurements and of signal descriptions: names, order, display names and units."""

from itertools import combinations

from ecggan.ecg import DERIVED_LEADS, EIGHT_LEADS, TWELVE_LEADS

WAVES = ("P", "Q", "R", "S", "T")


def amplitude_column(wave: str, lead: str) -> str:
    """The column of a wave's amplitude, or of the ST level, in a lead; a prime marks a second wave.

    >>> amplitude_column("R", "aVL"), amplitude_column("ST", "V2"), amplitude_column("T'", "V2")
    ('r_amplitude_avl_mv', 'st_level_v2_mv', 't_prime_amplitude_v2_mv')
    """
    name = wave.lower().replace("'", "_prime")
    return f"{name}_{'level' if wave == 'ST' else 'amplitude'}_{lead.lower()}_mv"


def q_duration_column(lead: str) -> str:
    return f"q_duration_{lead.lower()}_ms"


R_AMPLITUDES = {amplitude_column("R", lead): lead for lead in TWELVE_LEADS}
"""Column -> lead."""
AMPLITUDES = {amplitude_column(wave, lead): lead for wave in (*WAVES, "ST", "T'") for lead in TWELVE_LEADS}
"""Column -> lead, of every wave and of the ST level."""
R_PRIME_V1 = "r_prime_amplitude_v1_mv", "r_prime_duration_v1_ms"
P_TERMINAL_FORCE = "p_terminal_force_v1_mv_ms"
AMPLITUDES[R_PRIME_V1[0]] = "V1"
OF_ONE_LEAD = AMPLITUDES | {q_duration_column(lead): lead for lead in TWELVE_LEADS}
OF_ONE_LEAD |= {R_PRIME_V1[1]: "V1", P_TERMINAL_FORCE: "V1"}
"""Column -> lead, of every measurement of a single lead."""

_INTERVALS = {
    "heart_rate_bpm": ("heart rate", "bpm"),
    "rr_mean_ms": ("RR interval, mean", "ms"),
    "rr_sd_ms": ("RR interval, SD", "ms"),
    "qrs_size_sd_percent": ("QRS size, SD over the beats", "%"),
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
    **{amplitude_column("T'", k): (f"T′ amplitude in {k}", "mV") for k in TWELVE_LEADS},
    **{q_duration_column(k): (f"Q duration in {k}", "ms") for k in TWELVE_LEADS},
    R_PRIME_V1[0]: ("R′ amplitude in V1", "mV"),
    R_PRIME_V1[1]: ("R′ duration in V1", "ms"),
    P_TERMINAL_FORCE: ("P terminal force in V1", "mV ms"),
    "qrs_notch_mv": ("QRS notch", "mV"),
    "t_notch_mv": ("T notch", "mV"),
}
MEASUREMENTS = tuple(_NAMES)
MAIN_MEASUREMENTS = (*_INTERVALS, *R_AMPLITUDES)
"""The measurements shown first in a report; the others fill a page of their own."""

HIGHEST_HZ = 250.0
BANDS_HZ = {
    "power_0_5_5hz_db": (0.5, 5.0),
    "power_5_15hz_db": (5.0, 15.0),
    "power_15_40hz_db": (15.0, 40.0),
    "power_40_100hz_db": (40.0, 100.0),
    "power_above_100hz_db": (100.0, HIGHEST_HZ),
}
"""Column -> frequencies, from mostly the T wave to mostly noise; the last ends at half the sampling rate."""


def correlation_column(lead: str, other: str) -> str:
    """The column of the correlation of two leads, which are in the order of `TWELVE_LEADS`."""
    return f"correlation_{lead}_{other}".lower()


def einthoven_column(lead: str) -> str:
    """The column of the largest deviation of a stored limb lead from I and II."""
    return f"einthoven_{lead.lower()}_uv"


_SIGNAL_NAMES = {
    **{correlation_column(a, b): (f"correlation of {a} and {b}", "") for a, b in combinations(TWELVE_LEADS, 2)},
    **{column: (f"power {low:g} to {high:g} Hz", "dB") for column, (low, high) in BANDS_HZ.items()},
    "power_above_100hz_db": ("power above 100 Hz", "dB"),
    **{einthoven_column(lead): (f"{lead} against I and II, largest", "µV") for lead in DERIVED_LEADS},
}
_DISPLAY_NAMES = _NAMES | _SIGNAL_NAMES


def display_name(column: str) -> tuple[str, str]:
    """The name and unit of a measurement or of a column of a signal description.

    >>> display_name("qrs_duration_ms"), display_name("r_amplitude_avl_mv")
    (('QRS duration', 'ms'), ('R amplitude in aVL', 'mV'))
    >>> display_name("correlation_i_v5"), display_name("power_40_100hz_db")
    (('correlation of I and V5', ''), ('power 40 to 100 Hz', 'dB'))

    Raises:
        ValueError: the column is none of them.
    """
    if column not in _DISPLAY_NAMES:
        raise ValueError(f"column {column!r} is not a measurement; known are {', '.join(_DISPLAY_NAMES)}")
    return _DISPLAY_NAMES[column]


PHYSIOLOGY = (
    *("heart_rate_bpm", "rr_sd_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"),
    *("qtc_fridericia_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"),
    *(amplitude_column("R", lead) for lead in EIGHT_LEADS),
    *(amplitude_column(wave, lead) for wave in ("P", "T") for lead in ("II", "V2", "V5")),
)
"""The measurements of the physiological distance and of the fidelity figures, if the real set has them."""
