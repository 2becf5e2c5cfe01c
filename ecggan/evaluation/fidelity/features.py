"""Records as points, for what asks how a whole set lies: by their measurements, and by their median beats.

Both keep their units' meaning: a measurement counts in SDs of the real set, a beat in mV, so that a set of ECGs twice
as large lies elsewhere. What cannot be had is no gap but a place of its own, far from those that have it: else a set of
flat lines would lie in the very middle.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecggan.measurement.columns import PHYSIOLOGY
from ecggan.measurement.fingerprints import Fingerprints

_LARGEST_SD = 10.0  # one wild measurement must not speak for its record
_MISSING_SD = 3.0  # as far as the physiological distance has it
_MISSING_BEAT = 2.0  # times the usual length of a real beat


def measurement_features(
    real: pd.DataFrame, generated: pd.DataFrame
) -> tuple[Float[np.ndarray, "real value"], Float[np.ndarray, "generated value"]]:
    """Two tables of [measure][ecggan.measurement.measure_set.measure] as points, in SDs of the real set.

    The measurements are those of [PHYSIOLOGY][ecggan.measurement.columns.PHYSIOLOGY] that the real set has. Each lies
    at most 10 SDs from the real mean; one that is missing lies at the mean, and 3 SDs off in a direction of its own. A
    record that is not measurable has none.

    Raises:
        ValueError: the real set has none of the measurements.
    """
    known = [
        table[[c for c in PHYSIOLOGY if c in table]].where(table["is_measurable"].astype(bool))
        for table in (real, generated)
    ]
    columns = [c for c in known[0] if known[0][c].notna().any()]
    if not columns:
        raise ValueError(f"none of the {len(real)} real ECGs can be measured: there is nothing to compare with")
    values = [table.reindex(columns=columns).to_numpy(float) for table in known]
    is_angle = np.array([str(column).endswith("_deg") for column in columns])
    radians = np.deg2rad(values[0][:, is_angle])
    middle = np.rad2deg(np.arctan2(np.nanmean(np.sin(radians), axis=0), np.nanmean(np.cos(radians), axis=0)))
    for some in values:
        some[:, is_angle] = (some[:, is_angle] - middle + 180) % 360 - 180
    mean, sd = np.nanmean(values[0], axis=0), np.nanstd(values[0], axis=0)
    scaled = [((some - mean) / np.where(sd > 0, sd, 1)).clip(-_LARGEST_SD, _LARGEST_SD) for some in values]
    is_missing = [np.isnan(some) for some in scaled]
    first, second = (
        np.hstack([np.nan_to_num(some), _MISSING_SD * missing])
        for some, missing in zip(scaled, is_missing, strict=True)
    )
    return first, second


def beat_features(
    real: Fingerprints, generated: Fingerprints
) -> tuple[Float[np.ndarray, "real value"], Float[np.ndarray, "generated value"]]:
    """The median beats of two sets as points in mV; a record without a beat lies twice a real beat's length off.

    Raises:
        ValueError: no real ECG has a beat.
    """
    flat = [prints.beats.reshape(len(prints), -1).astype(np.float64) for prints in (real, generated)]
    has = [np.isfinite(some).all(axis=1) for some in flat]
    if not has[0].any():
        raise ValueError(f"none of the {len(real)} real ECGs has a beat: there is nothing to compare with")
    usual = float(np.median(np.linalg.norm(flat[0][has[0]], axis=1)))
    first, second = (
        np.column_stack([np.nan_to_num(some), _MISSING_BEAT * usual * ~known])
        for some, known in zip(flat, has, strict=True)
    )
    return first, second
