"""How much more common an ECG is among real ECGs than among generated ones, by its measurements.

A logistic regression on the measurements and their squares, real against generated: its logit is the logarithm of the
ratio of both densities, exactly so where both are normal with independent measurements. Squares let it see that a set
is too narrow; a few hundred real ECGs do not carry more.

Source: Sugiyama et al. 2012, Density ratio estimation in machine learning, chapter 4.
"""

from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.special
from jaxtyping import Float

_RIDGE = 0.003  # half the weight of the squared coefficients, beside a mean loss
_MOST_STEPS = 50
_SMALLEST_STEP = 1e-8


@dataclass(frozen=True)
class LogDensityRatio:
    """The logarithm of real by generated density at a record's features; made by `LogDensityRatio.fit`.

    Args:
        mean: of each feature and each square, over both sets.
        sd: likewise; 1 where nothing varies.
        weights: an intercept, and a coefficient for each.
    """

    mean: Float[np.ndarray, " term"]
    sd: Float[np.ndarray, " term"]
    weights: Float[np.ndarray, " one_and_terms"]

    @classmethod
    def fit(
        cls, real: Float[np.ndarray, "real feature"], generated: Float[np.ndarray, "generated feature"]
    ) -> "LogDensityRatio":
        """Fit on features, e.g. of [measurement_features][ecggan.evaluation.fidelity.features.measurement_features].

        Both sets weigh the same, however many records they have.
        """
        terms = _terms(np.concatenate([real, generated]))
        mean, sd = terms.mean(axis=0), terms.std(axis=0)
        sd = np.where(sd > 0, sd, 1.0)
        scaled = np.column_stack([np.ones(len(terms)), (terms - mean) / sd])
        is_real = np.arange(len(terms)) < len(real)
        share = np.where(is_real, 0.5 / len(real), 0.5 / len(generated))
        penalty = np.diag(np.append(0.0, np.full(terms.shape[1], _RIDGE)))
        weights = np.zeros(scaled.shape[1])
        for _ in range(_MOST_STEPS):  # Newton's method: the loss is convex
            chance = scipy.special.expit(scaled @ weights)
            slope = scaled.T @ (share * (chance - is_real)) + penalty @ weights
            curvature = (scaled * (share * chance * (1 - chance))[:, None]).T @ scaled + penalty
            step = np.linalg.solve(curvature, slope)
            weights -= step
            if np.abs(step).max() < _SMALLEST_STEP:
                break
        return cls(mean, sd, weights)

    def __call__(self, features: Float[np.ndarray, "record feature"]) -> Float[np.ndarray, " record"]:
        return self.weights[0] + (_terms(features) - self.mean) / self.sd @ self.weights[1:]


def threshold_for(log_ratios: Float[np.ndarray, " record"], share: float) -> float:
    """The log ratio from which a record is always accepted, such that a share of all is accepted in the mean.

    A record of a smaller ratio is accepted with a chance of its ratio by this one.

    >>> bool(np.isclose(threshold_for(np.log([1.0, 2.0, 3.0, 4.0]), 0.625), np.log(4.0)))
    True
    """
    low, high = float(log_ratios.min()) - 1, float(log_ratios.max()) - np.log(share) + 1
    return float(
        scipy.optimize.brentq(lambda threshold: acceptance(log_ratios, threshold).mean() - share, low, high, xtol=1e-9)
    )


def acceptance(log_ratios: Float[np.ndarray, " record"], threshold: float) -> Float[np.ndarray, " record"]:
    """The chance that each record is accepted."""
    return np.exp(np.minimum(log_ratios - threshold, 0.0))


def _terms(features: np.ndarray) -> np.ndarray:
    return np.hstack([features, features**2])
