"""Precision, recall, density and coverage (PRDC) of a generated set, from the nearest neighbours of its records."""

import numpy as np
from jaxtyping import Float, Int

NEIGHBOURS = 5  # Naeem et al.: with fewer, radii depend on chance; with more, balls bridge gaps between modes
NEIGHBOUR_FIGURES = ("precision", "recall", "density", "coverage")


def neighbour_figures(
    between: Float[np.ndarray, "record record"],
    real: Int[np.ndarray, " real"],
    generated: Int[np.ndarray, " generated"],
    num_neighbours: int = NEIGHBOURS,
) -> Float[np.ndarray, "figure=4"]:
    """Precision, recall, density and coverage, in the order of [NEIGHBOUR_FIGURES][].

    Each record has a ball around it that reaches to its k-th neighbour in its own set. Precision is the share of
    generated records inside a real record's ball (do they look real?), recall the share of real records inside a
    generated one's (is everything real generated?). The ball of one far outlier covers everything; the other two
    figures resist that: density is the number of real balls that hold a generated record, divided by k (1 if the sets
    agree, not bounded), and coverage is the share of real balls with a generated record inside. All but density are 0
    to 1. All depend on the number of records and on k: compare at the same size only.

    Args:
        between: distances.
        real: positions of the real records, more than `num_neighbours`.
        generated: of the generated ones, as many.
        num_neighbours: k.

    Source: Kynkäänniemi et al. 2019, Improved precision and recall metric, equations 1 and 2; Naeem et al. 2020,
    Reliable fidelity and diversity metrics, equations 4 and 5.
    """
    radii = [
        np.partition(between[np.ix_(which, which)], num_neighbours, axis=1)[:, num_neighbours]  # [0] is the record
        for which in (real, generated)
    ]
    across = between[np.ix_(real, generated)]
    in_real_ball = across <= radii[0][:, None]
    in_generated_ball = across <= radii[1]
    return np.array(
        [
            in_real_ball.any(axis=0).mean(),
            in_generated_ball.any(axis=1).mean(),
            in_real_ball.mean() * len(real) / num_neighbours,
            in_real_ball.any(axis=1).mean(),
        ]
    )
