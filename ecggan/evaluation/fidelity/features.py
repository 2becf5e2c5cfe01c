"""Feature vectors of records, from their measurements or from their median beats.

Measurements count in SDs of the real set and beats in mV, so that ECGs twice as large have other features. A missing
value has a feature of its own, far from the records that have it; otherwise flat lines would be in the middle of the
set.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float

from ecggan.measurement.columns import PHYSIOLOGY
from ecggan.measurement.delineation_choice import check_same_delineation

_LARGEST_SD = 10.0  # so that one outlier does not dominate its record
_MISSING_SD = 3.0  # as in the physiological distance
_MISSING_BEAT = 2.0  # times the usual length of a real beat


def measurement_features(
    real: pd.DataFrame, generated: pd.DataFrame
) -> tuple[Float[np.ndarray, "real value"], Float[np.ndarray, "generated value"]]:
    """Two tables of [measure][ecggan.measurement.measure_set.measure] as points, in SDs of the real set.

    The measurements are those of [PHYSIOLOGY][ecggan.measurement.columns.PHYSIOLOGY] that the real set has. Each is at
    most 10 SDs from the real mean; a missing one is at the mean, and 3 SDs away in a dimension of its own. A record
    that is not measurable has none.

    Raises:
        ValueError: the real set has none of the measurements, or the tables rest on different delineations.
    """
    check_same_delineation(real, generated)
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
    real: Float[np.ndarray, "real lead time"], generated: Float[np.ndarray, "generated lead time"]
) -> tuple[Float[np.ndarray, "real value"], Float[np.ndarray, "generated value"]]:
    """The median beats of two sets as points; a record without a beat is twice a real beat's length away.

    Args:
        real: median beats in mV; NaN for a record without one.
        generated: of the generated set.

    Raises:
        ValueError: no real ECG has a beat.
    """
    flat = [beats.reshape(len(beats), -1).astype(np.float64) for beats in (real, generated)]
    has = [np.isfinite(some).all(axis=1) for some in flat]
    if not has[0].any():
        raise ValueError(f"none of the {len(real)} real ECGs has a beat: there is nothing to compare with")
    usual = float(np.median(np.linalg.norm(flat[0][has[0]], axis=1)))
    first, second = (
        np.column_stack([np.nan_to_num(some), _MISSING_BEAT * usual * ~known])
        for some, known in zip(flat, has, strict=True)
    )
    return first, second
