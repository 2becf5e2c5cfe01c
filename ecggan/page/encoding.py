"""Signals as text, for the page's scripts."""

import base64

import numpy as np
from jaxtyping import Float

from ecggan.ecg import MICROVOLTS_PER_MILLIVOLT

_MISSING_UV = np.iinfo(np.int16).min
_LARGEST_UV = np.iinfo(np.int16).max


def encode(millivolts: Float[np.ndarray, "lead time"]) -> str:
    """Signals as base64 of 16-bit µV, one lead after the other; −32768 where there is no value."""
    microvolts = millivolts * MICROVOLTS_PER_MILLIVOLT
    finite = np.isfinite(microvolts)
    whole = np.rint(np.where(finite, microvolts, 0)).clip(-_LARGEST_UV, _LARGEST_UV)
    return base64.b64encode(np.where(finite, whole, _MISSING_UV).astype("<i2").tobytes()).decode()


def decode(text: str, num_leads: int) -> Float[np.ndarray, "lead time"]:
    """The signals of [encode][] in mV, NaN where there is no value.

    Raises:
        ValueError: the text is no such signals.
    """
    content = base64.b64decode(text, validate=True)
    if num_leads < 1 or not content or len(content) % (2 * num_leads):
        raise ValueError(f"the signals do not hold {num_leads} leads of one length")
    microvolts = np.frombuffer(content, "<i2").reshape(num_leads, -1).astype(np.float32)
    return np.where(microvolts == _MISSING_UV, np.nan, microvolts / MICROVOLTS_PER_MILLIVOLT)
