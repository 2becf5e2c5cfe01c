"""How far readers agree: the share that a pair answered alike, and kappa, over ECGs that both answered."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.metrics import cohen_kappa_score
from tqdm import tqdm

from ecggan.stats.hypothesis_tests import LEVEL
from ecggan.stats.resampling import bootstrap_weights

Answers = Float[np.ndarray, "ecg reader"]
"""1: called real, 0: called generated, NaN: not answered."""


@dataclass(frozen=True)
class Agreement:
    """Means over the pairs of readers, with 95 % intervals; NaN where there is none.

    Args:
        pairs: a row a pair: `reader`, `other`, `num_both` (ECGs that both answered), `agreement` (0 to 1), `kappa`.
        share: answered alike, 0 to 1.
        share_low: of its interval.
        share_high: likewise.
        kappa: Light's, −1 to 1: the mean of Cohen's kappa over the pairs that have one.
        kappa_low: of its interval.
        kappa_high: likewise.
    """

    pairs: pd.DataFrame
    share: float
    share_low: float
    share_high: float
    kappa: float
    kappa_low: float
    kappa_high: float


def agree(
    answers: Answers, readers: Sequence[str], weights: Float[np.ndarray, "draw ecg"], progress: bool = True
) -> Agreement:
    """Compare each pair of readers.

    Args:
        answers: of each reader.
        readers: their names.
        weights: how often each ECG is in each draw, of [draw_ecgs][].
        progress: show a bar.

    Source: Light 1971, Measures of response agreement for qualitative data; Cohen 1960, A coefficient of agreement for
    nominal scales.
    """
    once = np.ones(len(answers))
    found = [_agreement_of(answers[:, pair], once) for pair in _pairs(readers)]
    rows = [
        {
            "reader": readers[first],
            "other": readers[second],
            "num_both": int(np.isfinite(answers[:, [first, second]]).all(axis=1).sum()),
            "agreement": share,
            "kappa": kappa,
        }
        for (first, second), (share, kappa) in zip(_pairs(readers), found, strict=True)
    ]
    if not rows:
        return Agreement(pd.DataFrame(), *[np.nan] * 6)
    bar = tqdm(weights, desc="agreement", unit="draw", disable=not progress)
    draws = np.array(
        [mean_known(np.array([_agreement_of(answers[:, pair], draw) for pair in _pairs(readers)])) for draw in bar]
    )
    share, kappa = (float(value) for value in mean_known(np.array(found)))
    (share_low, share_high), (kappa_low, kappa_high) = (interval(column) for column in draws.T)
    return Agreement(pd.DataFrame(rows), share, share_low, share_high, kappa, kappa_low, kappa_high)


def draw_ecgs(is_real: np.ndarray, num_resamples: int, rng: np.random.Generator) -> Float[np.ndarray, "draw ecg"]:
    """How often each ECG is in each draw with replacement; real and generated ones are drawn apart, as the kit was."""
    weights = np.zeros((num_resamples, len(is_real)), np.float32)
    for which in (is_real, ~is_real):
        draws = bootstrap_weights(np.arange(which.sum()), num_resamples, rng)
        weights[:, which] = np.concatenate(list(draws))
    return weights


def interval(draws: Float[np.ndarray, " draw"]) -> tuple[float, float]:
    """The middle 95 % of the draws that have a value; NaN where none differs from another."""
    known = draws[np.isfinite(draws)]
    if len(known) == 0 or np.ptp(known) == 0:
        return np.nan, np.nan
    low, high = np.quantile(known, [LEVEL / 2, 1 - LEVEL / 2])
    return float(low), float(high)


def mean_known(values: Float[np.ndarray, "row column"]) -> Float[np.ndarray, " column"]:
    """The mean of each column over the rows that have a value; NaN where none has."""
    num_known = np.isfinite(values).sum(axis=0)
    return np.asarray(np.nansum(values, axis=0) / np.where(num_known > 0, num_known, np.nan))


def _pairs(readers: Sequence[str]) -> Iterator[list[int]]:
    return (list(pair) for pair in combinations(range(len(readers)), 2))


def _agreement_of(two: Answers, weights: Float[np.ndarray, " ecg"]) -> tuple[float, float]:
    """The share alike and Cohen's kappa of two readers; NaN where there is none."""
    both = np.isfinite(two).all(axis=1) & (weights > 0)
    if not both.any():
        return np.nan, np.nan
    first, second = two[both].astype(int).T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one answer for all: no kappa, and NaN says so
        kappa = cohen_kappa_score(first, second, labels=[0, 1], sample_weight=weights[both])
    return float(np.average(first == second, weights=weights[both])), float(kappa)
