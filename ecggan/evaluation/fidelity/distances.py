"""Euclidean distances between the records of two sets, as one matrix.

A record is a point in a space of features. The matrix serves all figures on distances: a random half of a set or an
exchange of labels selects rows and columns.
"""

import numpy as np
from jaxtyping import Float

_BLOCK = 500  # rows at once in 64 bits
_SAME = 1e-13  # of the squared norms: below it a squared distance is rounding, and the points are the same


def pooled_distances(
    real: Float[np.ndarray, "real feature"], generated: Float[np.ndarray, "generated feature"]
) -> Float[np.ndarray, "pooled pooled"]:
    """Euclidean distances between all points, the real first, in 32 bits but computed in 64; 0 between duplicates."""
    num_real, num_all = len(real), len(real) + len(generated)
    matrix = np.empty((num_all, num_all), np.float32)
    _fill_distances(matrix[:num_real, :num_real], real, real)
    _fill_distances(matrix[num_real:, num_real:], generated, generated)
    across = matrix[:num_real, num_real:]
    _fill_distances(across, real, generated)
    matrix[num_real:, :num_real] = across.T
    return matrix


def distances_within(points: Float[np.ndarray, "record feature"]) -> Float[np.ndarray, "record record"]:
    """As [pooled_distances][], of one set."""
    return pooled_distances(points, points[:0])


def _fill_distances(out: np.ndarray, points: np.ndarray, others: np.ndarray) -> None:
    """By ‖x‖² + ‖y‖² − 2xy, around the points' median, since far from the origin the three cancel and digits go."""
    if not out.size:
        return
    centre = np.median(points, axis=0)
    others = others - centre
    squares = (others**2).sum(axis=1)
    for start in range(0, len(points), _BLOCK):
        rows = points[start : start + _BLOCK] - centre
        norms = (rows**2).sum(axis=1)[:, None] + squares
        squared = norms - 2 * (rows @ others.T)
        squared[squared < _SAME * norms] = 0
        out[start : start + _BLOCK] = np.sqrt(squared)
