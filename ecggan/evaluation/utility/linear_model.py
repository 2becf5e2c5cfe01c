"""A linear classifier on measurements: the answer of another kind of model than a network."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from sklearn.linear_model import LogisticRegression

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import DERIVED_LEADS
from ecggan.evaluation.utility.study import Classifier
from ecggan.measurement.columns import AMPLITUDES, MEASUREMENTS
from ecggan.measurement.measure_set import measure

NAME = "linear"
_INVERSE_PENALTY = 0.05  # weak enough for a hundred values of 500 records, strong enough for many of few
_LARGEST_SD = 5.0


def linear_classifier(num_workers: int | None = None, cache: str | Path | None = None) -> Classifier:
    """Logistic regression with a ridge penalty, one for each label, on all measurements of a record."""
    return Classifier(NAME, partial(measured_values, num_workers=num_workers, cache=cache), fit_linear)


def measured_values(
    ecgs: ECGSet, leads: Sequence[str], num_workers: int | None, cache: str | Path | None
) -> Float[np.ndarray, "record value"]:
    """The measurements of each record, angles as cosine and sine; NaN where one is missing."""
    table = measure(ecgs, num_workers=num_workers, cache=cache)
    derived = {lead for lead in DERIVED_LEADS if {"I", "II"} <= set(leads)}
    values = table.reindex(columns=[c for c in MEASUREMENTS if AMPLITUDES.get(c) in {None, *leads, *derived}])
    angles = [column for column in values if str(column).endswith("_deg")]
    radians = np.deg2rad(values[angles].to_numpy(float))
    return np.column_stack([values.drop(columns=angles).to_numpy(float), np.cos(radians), np.sin(radians)])


def fit_linear(
    training: Float[np.ndarray, "record value"],
    labels: Bool[np.ndarray, "record label"],
    tests: Sequence[Float[np.ndarray, "_ value"]],
    num_records: int = 0,
    seed: int = 0,
) -> list[Float[np.ndarray, "_ label"]]:
    """Scores of each test record for each label; `num_records` and `seed` make no difference.

    Values count in SDs of the training records, at most 5; a missing one is at the mean, and a value of its own.
    """
    known = np.isfinite(training)
    number = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, training, 0).sum(axis=0) / number
    sd = np.sqrt((np.where(known, training - mean, 0) ** 2).sum(axis=0) / number)
    scale = np.where(sd > 0, sd, np.inf)

    def features(values: np.ndarray) -> np.ndarray:
        has = np.isfinite(values)
        scaled = np.where(has, (values - mean) / scale, 0).clip(-_LARGEST_SD, _LARGEST_SD)
        return np.hstack([scaled, ~has])

    models = [LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000).fit(features(training), each) for each in labels.T]
    return [np.column_stack([model.decision_function(features(test)) for model in models]) for test in tests]
