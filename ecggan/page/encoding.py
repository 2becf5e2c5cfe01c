"""Signals as text, for the page's scripts."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ecggan.ecg import DERIVED_LEADS, MICROVOLTS_PER_MILLIVOLT, TWELVE_LEADS, select_leads

_MISSING_UV = np.iinfo(np.int16).min
_LARGEST_UV = np.iinfo(np.int16).max


def signals(
    millivolts: Float[np.ndarray, "lead time"], leads: Sequence[str], sampling_rate: int | float
) -> dict[str, Any]:
    """The twelve leads if they can be had, or those there are, in the order in which they are read."""
    can_derive = {"I", "II"} <= set(leads)
    shown = [lead for lead in TWELVE_LEADS if lead in leads or (can_derive and lead in DERIVED_LEADS)]
    microvolts = np.rint(millivolts.astype(np.float64) * MICROVOLTS_PER_MILLIVOLT)  # so that III and aVR are a set's
    return {"leads": shown, "sampling_rate": sampling_rate, "signal": _encode(select_leads(microvolts, leads, shown))}


def encode(millivolts: Float[np.ndarray, "lead time"]) -> str:
    """Signals as base64 of 16-bit µV, one lead after the other; −32768 where there is no value."""
    return _encode(millivolts * MICROVOLTS_PER_MILLIVOLT)


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


def _encode(microvolts: Float[np.ndarray, "lead time"]) -> str:
    finite = np.isfinite(microvolts)
    whole = np.rint(np.where(finite, microvolts, 0)).clip(-_LARGEST_UV, _LARGEST_UV)
    return base64.b64encode(np.where(finite, whole, _MISSING_UV).astype("<i2").tobytes()).decode()
