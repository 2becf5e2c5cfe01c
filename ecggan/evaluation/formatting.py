"""Numbers as they are read: rounded by their unit, with a true minus sign, and an en dash where there is none."""

import numpy as np

NONE = "–"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %" if np.isfinite(share) else NONE


def points(difference: float) -> str:
    return signed(100 * difference, 1)


def sentence_case(words: str) -> str:
    """With a capital, but for what begins with a lead's name.

    >>> sentence_case("heart rate"), sentence_case("aVF against I and II")
    ('Heart rate', 'aVF against I and II')
    """
    return words if words.startswith("aV") else words[:1].upper() + words[1:]


def interval(value: float, low: float, high: float, digits: int) -> str:
    if not np.isfinite(value):
        return NONE
    ends = f" ({signed(low, digits)} to {signed(high, digits)})" if np.isfinite(low) else ""
    return signed(value, digits) + ends


def plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else NONE


def signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−") if np.isfinite(value) else NONE


def file_name(words: str) -> str:
    """Letters, digits, dots and dashes; everything else is an underscore.

    >>> file_name("ours: epoch 25/best")
    'ours__epoch_25_best'
    """
    return "".join(char if char.isalnum() or char in ".-" else "_" for char in words)
