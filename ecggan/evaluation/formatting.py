"""Figures as text: shares, differences, intervals, mean ± SD; an en dash if there is none."""

import numpy as np

from ecggan.stats.number_text import NONE, plain, signed
from ecggan.stats.proportions import Proportion


def percent(share: float) -> str:
    return f"{100 * share:.1f} %" if np.isfinite(share) else NONE


def points(difference: float) -> str:
    return signed(100 * difference, 1)


def count_of(share: Proportion) -> str:
    """Such as ``12 of 1,500``."""
    return f"{share.num_records:,} of {share.num_all:,}"


def sentence_case(words: str) -> str:
    """With a capital letter, unless it begins with a lead's name.

    >>> sentence_case("heart rate"), sentence_case("aVF against I and II")
    ('Heart rate', 'aVF against I and II')
    """
    return words if words.startswith("aV") else words[:1].upper() + words[1:]


def interval(value: float, low: float, high: float, digits: int) -> str:
    if not np.isfinite(value):
        return NONE
    ends = f" ({signed(low, digits)} to {signed(high, digits)})" if np.isfinite(low) else ""
    return signed(value, digits) + ends


def mean_and_sd(mean: float, sd: float, digits: int) -> str:
    """Such as ``92.1 ± 8.7``."""
    return f"{plain(mean, digits)} ± {plain(sd, digits)}" if np.isfinite(mean) else NONE


def file_name(words: str) -> str:
    """Letters, digits, dots and dashes; every other character becomes an underscore.

    >>> file_name("ours: epoch 25/best")
    'ours__epoch_25_best'
    """
    return "".join(char if char.isalnum() or char in ".-" else "_" for char in words)
