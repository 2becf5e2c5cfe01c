"""From samples of one law to samples of another, by maps that move them no further than they must.

Between Gaussians the optimal map is linear and known. What is not Gaussian is moved along chosen directions, one after
another, by the map of quantiles, which is the optimal map on a line. Both are smooth, monotone and of few numbers, so
that a few hundred samples fit them, and none of these can be found in them again.

Sources: Peyré and Cuturi 2019, Computational optimal transport, remarks 2.30 and 2.31; Pitié et al. 2007, Automated
colour grading using colour distribution transfer (one direction after another).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

_QUANTILES = np.concatenate([[0.005], np.linspace(0.02, 0.98, 17), [0.995]])
_NUM_OUTER = 2  # of the stretches between quantiles, at each end


@dataclass(frozen=True)
class QuantileMap:
    """Moves numbers so that their quantiles become others.

    Beyond the outermost quantiles numbers keep their distance from these, shortened where the target's tail is the
    shorter one.

    Args:
        source: quantiles of what is moved.
        target: of what it is to be like.
    """

    source: Float[np.ndarray, " quantile"]
    target: Float[np.ndarray, " quantile"]

    @classmethod
    def fit(cls, source: Float[np.ndarray, " a"], target: Float[np.ndarray, " b"]) -> "QuantileMap":
        return cls(np.quantile(source, _QUANTILES), np.quantile(target, _QUANTILES))

    def __call__(self, values: np.ndarray | float) -> np.ndarray | np.floating:
        return _moved(values, self.source, self.target, _tails(self.source, self.target))


def _tails(source: Float[np.ndarray, "*map quantile"], target: Float[np.ndarray, "*map quantile"]) -> np.ndarray:
    """By what share the distance below and above the outermost quantiles is shortened."""
    outer = min(_NUM_OUTER, source.shape[-1] - 1)
    widths = [
        np.stack([to[..., outer] - to[..., 0], to[..., -1] - to[..., -1 - outer]], axis=-1) for to in (source, target)
    ]
    return np.minimum(widths[1] / np.maximum(widths[0], np.finfo(float).tiny), 1)


def _moved(values: np.ndarray | float, source: np.ndarray, target: np.ndarray, tails: np.ndarray) -> Any:
    below, above = np.minimum(values - source[0], 0), np.maximum(values - source[-1], 0)
    return np.interp(values, source, target) + below * tails[0] + above * tails[1]


def gaussian_map(
    source: Float[np.ndarray, "a feature"], target: Float[np.ndarray, "b feature"], ridge: int | float
) -> Float[np.ndarray, "feature feature"]:
    """The symmetric matrix that takes the covariance of one sample to that of another, moving it least.

    A = S^(-1/2) (S^(1/2) T S^(1/2))^(1/2) S^(-1/2) of the covariances S and T.

    Args:
        source: what is moved, its mean taken away.
        target: what it is to be like, likewise.
        ridge: of the mean variance, added to each, so that directions without variance do no harm.
    """
    covariances = [np.cov(sample, rowvar=False) for sample in (source, target)]
    eye = np.eye(source.shape[1])
    covariances = [covariance + ridge * np.trace(covariance) / len(eye) * eye for covariance in covariances]
    root = _root(covariances[0])
    inverse = np.linalg.inv(root)
    return inverse @ _root(root @ covariances[1] @ root) @ inverse


@dataclass(frozen=True)
class SlicedMap:
    """Moves points along one direction after another, each time by the quantiles of how far along they lie.

    Args:
        directions: to look along.
        moves: the way to go along each, so that what belongs to it moves with it.
        source: the quantiles along each before.
        target: and after.
    """

    directions: Float[np.ndarray, "step feature"]
    moves: Float[np.ndarray, "step feature"]
    source: Float[np.ndarray, "step quantile"]
    target: Float[np.ndarray, "step quantile"]

    @classmethod
    def fit(
        cls,
        source: Float[np.ndarray, "a feature"],
        target: Float[np.ndarray, "b feature"],
        directions: Float[np.ndarray, "d feature"],
        num_sweeps: int,
    ) -> "SlicedMap":
        """Fit the maps of all directions, `num_sweeps` times over.

        A point moves along the target's regression on the direction: what goes with it there goes with it here.
        """
        covariance = np.cov(target, rowvar=False)
        moves = directions @ covariance
        moves /= (moves * directions).sum(axis=1, keepdims=True)
        at, maps = source, []
        for _ in range(num_sweeps):
            for direction, move in zip(directions, moves, strict=True):
                along = at @ direction
                maps.append(QuantileMap.fit(along, target @ direction))
                at = at + np.outer(maps[-1](along) - along, move)
        return cls(
            np.tile(directions, (num_sweeps, 1)),
            np.tile(moves, (num_sweeps, 1)),
            np.stack([one.source for one in maps]),
            np.stack([one.target for one in maps]),
        )

    def __call__(self, points: Float[np.ndarray, "n feature"]) -> Float[np.ndarray, "n feature"]:
        tails = _tails(self.source, self.target)
        steps = zip(self.directions, self.moves, self.source, self.target, tails, strict=True)
        for direction, move, source, target, shares in steps:
            along = points @ direction
            points = points + (_moved(along, source, target, shares) - along)[:, None] * move
        return points


@dataclass(frozen=True)
class RadialMap:
    """Draws in what lies further from the middle than anything real: one direction at a time does not see it.

    Args:
        whitening: to numbers of unit variance.
        source: quantiles of the distance from the middle before.
        target: and after.
    """

    whitening: Float[np.ndarray, "feature number"]
    source: Float[np.ndarray, " quantile"]
    target: Float[np.ndarray, " quantile"]

    @classmethod
    def fit(cls, source: Float[np.ndarray, "a feature"], target: Float[np.ndarray, "b feature"]) -> "RadialMap":
        """Fit the map; both samples have mean 0, and the target varies in every direction."""
        values, vectors = np.linalg.eigh(np.cov(target, rowvar=False))
        whitening = vectors / np.sqrt(values)
        radii = QuantileMap.fit(*(np.linalg.norm(points @ whitening, axis=1) for points in (source, target)))
        return cls(whitening, radii.source, radii.target)

    def __call__(self, points: Float[np.ndarray, "n feature"]) -> Float[np.ndarray, "n feature"]:
        radius = np.linalg.norm(points @ self.whitening, axis=1)
        wanted = QuantileMap(self.source, self.target)(radius)
        return points * np.minimum(wanted / np.maximum(radius, np.finfo(float).tiny), 1)[:, None]


def _root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
