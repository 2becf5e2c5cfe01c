"""Sets as clouds of points: how varied the generated set is beside real ECGs, and whether it can be told apart.

Real and generated records are points in a space of features; every figure is shown beside what two random halves of the
real set give.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ecggan.evaluation.fidelity.classifier import classifier_auc
from ecggan.evaluation.fidelity.frechet import frechet_distance, frechet_distances
from ecggan.evaluation.fidelity.precision_recall import (
    NEIGHBOUR_FIGURES,
    distances_within,
    kernel_distances,
    neighbour_figures,
    permutation_test,
    pooled_distances,
)
from ecggan.stats.hypothesis_tests import FEWEST_PATIENTS, LEVEL
from ecggan.stats.resampling import NUM_SPLITS, evenly_spaced, random_halves

MOST_REAL, MOST_GENERATED = 4000, 2000  # records: the matrix of distances then takes 144 MB
MOST_NEIGHBOURING = (
    1000  # of each set where neighbours are counted: shares are then known to 0.015, in a quarter of the time
)
NUM_PERMUTATIONS = 1000
NUM_VALUE_SPLITS = 20
FIGURES = ("kernel_distance", "frechet_distance", *NEIGHBOUR_FIGURES, "classifier_auc")
COLUMNS = (
    *("value", "low", "high", "null_mean", "null_low", "null_high", "p_value"),
    *("num_real", "num_generated"),
)


def one_record_per_patient(patients: Int[np.ndarray, " record"]) -> Int[np.ndarray, " position"]:
    """The position of each patient's first record, ascending, so that all records are independent.

    >>> one_record_per_patient(np.array([7, 7, 3, 7, 3, 5]))
    array([0, 2, 5])
    """
    return np.sort(np.unique(patients, return_index=True)[1])


def compare_clouds(
    real: Float[np.ndarray, "real feature"],
    generated: Float[np.ndarray, "generated feature"],
    seed: int = 0,
    num_splits: int = NUM_SPLITS,
    num_permutations: int = NUM_PERMUTATIONS,
    null: pd.DataFrame | None = None,
    num_workers: int | None = None,
) -> pd.DataFrame:
    """Compare two sets of points, each record one, with features on one scale and free of NaN.

    Of larger sets 4,000 real and 2,000 generated records are used, spread evenly.

    Args:
        real: one record a patient, see [one_record_per_patient][].
        generated: what is judged.
        seed: of everything drawn. The same points and seed give the same figures.
        num_splits: of the real set into halves.
        num_permutations: of the test of the kernel distance.
        null: what [null_figures][] found for this real set and so many generated records, where several generated sets
            are compared with it; None to find it.
        num_workers: threads; None for one a core. The result does not depend on it.

    Returns:
        A row a figure of [FIGURES][], the index `figure`, with [COLUMNS][]:

        - `value`, and the 95 % interval `low` to `high` of the AUC. The kernel and Fréchet distances are without the
          bias of small sets, so that they may be a little below 0; precision, recall, density and coverage are means
          over 20 random choices of equal numbers, at most 1,000, of which the real ones are at most half the set;
        - `null_mean`, `null_low` and `null_high`: mean, 2.5 % and 97.5 % of two random halves of the real set, of as
          many records as the generated set has or half the real set has; of the AUC from its standard error;
        - `p_value`, one-sided: of the kernel distance by permutation; of the AUC that it is above 0.5; of the others
          the share of the halves as bad or worse, where bad is a large distance and a small share or density;
        - `num_real` and `num_generated`, the records that the value rests on.

        All but the numbers are NaN where a set has fewer than 30 records.
    """
    real = real[evenly_spaced(len(real), MOST_REAL)].astype(float)
    generated = generated[evenly_spaced(len(generated), MOST_GENERATED)].astype(float)
    table = pd.DataFrame(np.nan, index=pd.Index(FIGURES, name="figure"), columns=list(COLUMNS))
    table["num_real"], table["num_generated"] = len(real), len(generated)
    if min(len(real), len(generated)) < FEWEST_PATIENTS:
        return table
    if null is None:
        null = null_figures(real, len(generated), num_splits, seed)
    between = pooled_distances(real, generated)
    labels, exchanges, choices = (np.random.default_rng((seed, i)) for i in range(3))
    kernel, p_kernel = permutation_test(between, len(real), num_permutations, labels)
    size = _size(len(real), len(generated), MOST_NEIGHBOURING)
    neighbours = [
        neighbour_figures(
            between, choices.permutation(len(real))[:size], len(real) + choices.permutation(len(generated))[:size]
        )
        for _ in range(NUM_VALUE_SPLITS)
    ]
    auc = classifier_auc(real, generated, seed, num_workers)
    table["value"] = [kernel, frechet_distance(real, generated, exchanges), *np.mean(neighbours, axis=0), auc.value]
    table.loc[list(NEIGHBOUR_FIGURES), ["num_real", "num_generated"]] = size
    _add_null(table, null)
    table.loc["kernel_distance", "p_value"] = p_kernel
    table.loc["classifier_auc", ["low", "high", "null_mean", "p_value"]] = auc.low, auc.high, 0.5, auc.p_value()
    table.loc["classifier_auc", ["null_low", "null_high"]] = auc.null_band()
    return table


def null_figures(
    real: Float[np.ndarray, "real feature"], num_generated: int, num_splits: int = NUM_SPLITS, seed: int = 0
) -> pd.DataFrame:
    """What two random halves of the real set give, at the sizes that [compare_clouds][] takes.

    Args:
        real: as there, at least 30 records.
        num_generated: how many records the sets have that are to be compared, at least 30.
        num_splits: how many times it is halved.
        seed: of the halves.

    Returns:
        A row a split, a column a figure but the AUC, whose null is known.
    """
    real = real[evenly_spaced(len(real), MOST_REAL)].astype(float)
    between = distances_within(real)
    size = _size(len(real), num_generated, MOST_GENERATED)
    first, second = random_halves(np.arange(len(real)), size, num_splits, np.random.default_rng((seed, 3)))
    few = min(size, MOST_NEIGHBOURING)
    choices = np.random.default_rng((seed, 4))
    figures = []
    for one, other in zip(first, second, strict=True):
        positions = [choices.permutation(np.flatnonzero(half))[:few] for half in (one, other)]
        figures.append(neighbour_figures(between, positions[0], positions[1]))
    null = pd.DataFrame(figures, columns=list(NEIGHBOUR_FIGURES))
    null.insert(0, "kernel_distance", kernel_distances(between, first, second))
    null.insert(1, "frechet_distance", frechet_distances(real, first, second))
    return null


def _size(num_real: int, num_generated: int, most: int) -> int:
    return min(num_real // 2, num_generated, most)


def _add_null(table: pd.DataFrame, null: pd.DataFrame) -> None:
    for name in null.columns.astype(str):
        splits = null[name]
        low, high = np.quantile(splits, [LEVEL / 2, 1 - LEVEL / 2])
        table.loc[name, ["null_mean", "null_low", "null_high"]] = splits.mean(), low, high
        value = table.loc[name, "value"]
        worse = splits <= value if name in NEIGHBOUR_FIGURES else splits >= value
        table.loc[name, "p_value"] = (1 + worse.sum()) / (1 + len(splits))
