"""Areas under ROC curves of weighted records, for a bootstrap of all curves at once."""

import numpy as np
from jaxtyping import Bool, Float


def weighted_areas(
    scores: Float[np.ndarray, " record"], is_positive: Bool[np.ndarray, " record"], weights: Float[np.ndarray, "draw n"]
) -> Float[np.ndarray, " draw"]:
    """The area under the ROC curve in each draw; a tie counts one half. NaN where a draw has records of one kind alone.

    Args:
        scores: higher where a record looks positive.
        is_positive: which records are.
        weights: how often each record is in each draw.

    >>> scores, is_positive = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, True, False, True])
    >>> weighted_areas(scores, is_positive, np.array([[1.0, 1, 1, 1], [1, 0, 2, 1], [1, 0, 1, 0]]))
    array([0.875, 1.   ,   nan])
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.nan))  # of runs of equal scores
    ordered = weights[:, order].astype(float)
    of_kind = [np.add.reduceat(ordered * kind, starts, axis=1) for kind in (is_positive[order], ~is_positive[order])]
    positive, negative = of_kind
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (positive * below).sum(axis=1) / pairs, np.nan)
