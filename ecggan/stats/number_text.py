"""Numbers as text: rounded, with a true minus sign and no negative zero; an en dash if there is no number."""

import math

NONE = "–"


def plain(number: float, digits: int) -> str:
    """Rounded.

    >>> plain(-0.5, 2), plain(3.14159, 1), plain(-0.001, 2), plain(float("nan"), 1)
    ('−0.50', '3.1', '0.00', '–')
    """
    return _text(number, f".{digits}f", digits)


def signed(number: float, digits: int) -> str:
    """With a plus sign too.

    >>> signed(0.5, 1), signed(-0.01, 1)
    ('+0.5', '+0.0')
    """
    return _text(number, f"+.{digits}f", digits)


def _text(number: float, form: str, digits: int) -> str:
    if not math.isfinite(number):
        return NONE
    return f"{round(number, digits) + 0.0:{form}}".replace("-", "−")
