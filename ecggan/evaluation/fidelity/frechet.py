"""The Fréchet distance of two clouds, without the part of it that only says how few records there are.

    ‖μ₁ − μ₂‖² + tr Σ₁ + tr Σ₂ − 2 tr(Σ₁^½ Σ₂ Σ₁^½)^½

Means and traces are estimated without bias. The last trace, here the overlap, comes out too small: few records lie in
few directions, and those of two sets are not the same. By how much is seen where labels are exchanged, after both sets
are brought to one mean and one total variance: there the overlap ought to be the mean of the two traces, and the
observed overlap is divided by the share of it that is reached. So at any size sets of one distribution are 0 apart on
average, and sets that differ in mean and scale as far as their distributions are; what remains where correlations
differ is in docs/numerics.md.

Source: Dowson and Landau 1982; Heusel et al. 2017 (as a score); Chong and Forsyth 2020, Effectively unbiased FID (why
the sizes matter).
"""

import numpy as np
from jaxtyping import Bool, Float

from ecggan.evaluation.fidelity.precision_recall import exchanged_labels

NUM_EXCHANGES = 50  # their mean wanders by a seventh of what one figure does


def frechet_distance(
    real: Float[np.ndarray, "real feature"],
    generated: Float[np.ndarray, "generated feature"],
    rng: np.random.Generator,
    num_exchanges: int = NUM_EXCHANGES,
) -> float:
    """The squared distance in the features' unit squared; about 0 for sets of one distribution, so also below 0.

    Args:
        real: at least two records; fewer records than features is no trouble.
        generated: likewise.
        rng: draws the exchanged labels.
        num_exchanges: how many of them.
    """
    means, trace, reached = _terms(real, generated)
    aligned = [_scaled(points - points.mean(axis=0)) for points in (real, generated)]
    pooled = np.concatenate(aligned)
    labels = exchanged_labels(len(real), len(generated), num_exchanges, rng)
    return float(means + 2 * (trace - reached / _share_reached(_terms_of_splits(pooled, labels, ~labels))))


def frechet_distances(
    points: Float[np.ndarray, "record feature"],
    first: Bool[np.ndarray, "split record"],
    second: Bool[np.ndarray, "split record"],
) -> Float[np.ndarray, " split"]:
    """Of random halves of one set; what the overlap reaches is seen in the halves themselves."""
    terms = _terms_of_splits(points, first, second)
    means, traces, reached = terms.T
    return np.asarray(means + 2 * (traces - reached / _share_reached(terms)))


def overlap(first: Float[np.ndarray, "first feature"], second: Float[np.ndarray, "second feature"]) -> float:
    """tr(Σ₁^½ Σ₂ Σ₁^½)^½ where Σ₁ and Σ₂ are the products AᵀA of the two: of centred records over √(n − 1).

    Any R with RᵀR = Σ₁ does for Σ₁^½: the records themselves where they are fewer than the features.
    """
    root = first if len(first) <= first.shape[1] else _root(first.T @ first)
    inner = root @ second.T
    return float(np.sqrt(np.linalg.eigvalsh(inner @ inner.T).clip(0)).sum())


def _terms_of_splits(points: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.array([_terms(points[a], points[b]) for a, b in zip(first, second, strict=True)])


def _terms(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """The squared distance of the means without bias, the mean of the two traces, and the overlap."""
    centred = [(points - points.mean(axis=0)) / np.sqrt(len(points) - 1) for points in (first, second)]
    traces = [float((points**2).sum()) for points in centred]
    apart = float(((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum())
    return apart - traces[0] / len(first) - traces[1] / len(second), sum(traces) / 2, overlap(centred[0], centred[1])


def _root(covariance: np.ndarray) -> np.ndarray:
    """Cholesky's, in a tenth of the time; of a covariance without full rank, where it fails, by eigenvalues."""
    try:
        return np.asarray(np.linalg.cholesky(covariance).T)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return np.asarray(np.sqrt(values.clip(0))[:, None] * vectors.T)


def _scaled(centred: np.ndarray) -> np.ndarray:
    """To a total variance of 1; constant points stay."""
    total = np.sqrt((centred**2).sum() / (len(centred) - 1))
    return centred / total if total > 0 else centred


def _share_reached(terms: np.ndarray) -> float:
    """1 where nothing overlaps or varies, and there is nothing to mend."""
    _, trace, reached = terms.mean(axis=0)
    return float(reached / trace) if trace > 0 and reached > 0 else 1.0
