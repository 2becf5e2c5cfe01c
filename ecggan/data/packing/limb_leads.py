"""Signs of exchanged electrodes: the laws of the limb leads, and the correlation of lead I with V6."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from ecggan.ecg import DERIVED_LEADS, LIMB_LEADS

SHARE_OF_TIME = 0.95  # a law must hold in this share: short artefacts are tolerated, QRS complexes are not
_SLOPE_S = 0.02


def limb_lead_reason(leads: Mapping[str, np.ndarray], limit_mv: int | float) -> str | None:
    """The largest deviation from III = II − I or Goldberger's leads, and the exchanges that would explain it.

    A constant offset of a lead is no deviation.

    Args:
        leads: finite samples in mV; a law with a missing lead is skipped.
        limit_mv: the largest deviation allowed.
    """
    if _laws_hold(leads, limit_mv):
        return None
    off = {lead: float(np.quantile(deviation, SHARE_OF_TIME)) for lead, deviation in _deviations(leads)}
    worst = max(off, key=lambda lead: off[lead])
    remedies = [words for words, changed in _changes(leads) if _laws_hold(changed, limit_mv)]
    hint = f"; it holds with {', or with '.join(remedies)}" if remedies else ""
    return f"lead {worst} is off by {off[worst]:.3g} mV from what I and II make it, the most is {limit_mv:g}{hint}"


def arms_reason(leads: Mapping[str, np.ndarray], sampling_rate: int | float, limit: int | float) -> str | None:
    """The evidence of exchanged arm electrodes, or None: I is V6 inverted, in waves and slopes, and aVR is not.

    A left axis or an old infarct inverts QRS in I or V6 but leaves aVR opposite to V6; dextrocardia looks like an
    exchange.

    Args:
        leads: finite samples in mV.
        sampling_rate: in Hz.
        limit: I and V6 must correlate by less than this, aVR and V6 by more.
    """
    if not leads.keys() >= {"I", "V6"} or not leads.keys() & {"II", "aVR"}:
        return None
    right_arm = leads["aVR"] if "aVR" in leads else -(leads["I"] + leads["II"]) / 2
    signals = np.stack([leads["I"], leads["V6"], right_arm]).astype(np.float32)
    # a lag of 20 ms weights the slopes of QRS; the waves are sampled in steps of half as much, for speed
    lag = max(1, round(_SLOPE_S * sampling_rate))
    if signals.shape[1] < 2 * sampling_rate:
        return None
    slopes = _correlation(signals[0, lag:] - signals[0, :-lag], signals[1, lag:] - signals[1, :-lag])
    if slopes >= limit:
        return None
    waves = _without_baseline(signals[:, :: max(1, lag // 2)], sampling_rate / max(1, lag // 2))
    of_i, of_right_arm = _correlation(waves[0], waves[1]), _correlation(waves[2], waves[1])
    if of_i >= limit or of_right_arm <= limit:
        return None
    return (
        f"I is V6 upside down: their correlation is {of_i:.2f}, of slopes {slopes:.2f}, the least is {limit:g}; "
        f"that of aVR and V6 is {of_right_arm:.2f}"
    )


def _laws_hold(leads: Mapping[str, np.ndarray], limit_mv: int | float) -> bool:
    most = 1 - SHARE_OF_TIME
    return all(np.count_nonzero(deviation > limit_mv) <= most * deviation.size for _, deviation in _deviations(leads))


def _deviations(leads: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    if leads.keys() >= {"I", "II"}:
        for lead, (share_i, share_ii) in DERIVED_LEADS.items():
            if lead in leads:
                deviation = leads[lead] - share_i * leads["I"] - share_ii * leads["II"]
                yield lead, np.abs(deviation - deviation.mean())


def _changes(leads: Mapping[str, np.ndarray]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    there = [lead for lead in LIMB_LEADS if lead in leads]
    for one, other in combinations(there, 2):
        yield f"{one} and {other} exchanged", {**leads, one: leads[other], other: leads[one]}
    for lead in there:
        yield f"{lead} inverted", {**leads, lead: -leads[lead]}


def _without_baseline(signals: np.ndarray, sampling_rate: int | float) -> np.ndarray:
    width = max(1, round(0.3 * sampling_rate))
    padded = np.pad(signals, ((0, 0), (width + 1, width)), mode="edge")
    total = np.cumsum(padded, axis=1, dtype=np.float64)
    return signals - (total[:, 2 * width + 1 :] - total[:, : -2 * width - 1]) / (2 * width + 1)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    power = float(one @ one) * float(other @ other)
    return float(one @ other) / power**0.5 if power > 0 else 0.0
