"""The Fréchet distance of two sets, each taken as a normal distribution (the FID, on features of ECGs).

    ‖μ₁ − μ₂‖² + tr Σ₁ + tr Σ₂ − 2 tr(Σ₁^½ Σ₂ Σ₁^½)^½

with sample means and covariances (divided by n − 1), as the published figures have it. The estimate is too large for
small sets, and so is comparable only between sets of equal size: read it beside the distance of two halves of the real
set of that size.

Source: Dowson and Landau 1982; Heusel et al. 2017 (as a score of generators); Chong and Forsyth 2020, Effectively
unbiased FID (why the sizes matter).
"""

import numpy as np
from jaxtyping import Float


def frechet_distance(first: Float[np.ndarray, "first feature"], second: Float[np.ndarray, "second feature"]) -> float:
    """The squared distance in the features' unit squared: 0 for identical sets, symmetric, never below 0.

    Args:
        first: at least two records; they may be fewer than the features.
        second: of the other set, at least two.
    """
    centred = [(points - points.mean(axis=0)) / np.sqrt(len(points) - 1) for points in (first, second)]
    traces = sum(float((points**2).sum()) for points in centred)
    apart = float(((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum())
    return max(0.0, apart + traces - 2 * _trace_of_root(centred[0], centred[1]))  # rounding may go below 0


def _trace_of_root(first: Float[np.ndarray, "first feature"], second: Float[np.ndarray, "second feature"]) -> float:
    """tr(Σ₁^½ Σ₂ Σ₁^½)^½ where Σ₁ and Σ₂ are the products AᵀA of the two.

    Any R with RᵀR = Σ₁ serves as Σ₁^½: the records themselves if they are fewer than the features.
    """
    root = first if len(first) <= first.shape[1] else _root(first.T @ first)
    return float(np.linalg.svd(root @ second.T, compute_uv=False).sum())


def _root(covariance: Float[np.ndarray, "feature feature"]) -> Float[np.ndarray, "feature feature"]:
    """Cholesky's, ten times faster than by eigenvalues, which a covariance without full rank needs."""
    try:
        return np.asarray(np.linalg.cholesky(covariance).T)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return np.asarray(np.sqrt(values.clip(0))[:, None] * vectors.T)
