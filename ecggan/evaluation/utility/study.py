"""Train classifiers on real, generated and both kinds of ECGs, and test them on others.

Four questions, after Esteban et al.: how well do real ECGs teach (train on real, test on real, TRTR)? How well do
generated ones in their place (TSTR)? Do they help beside them (real + generated)? And do classifiers of real ECGs
recognise what the generated ones are meant to show (TRTS)? All trainings have the same number of records, but for both
kinds together, and as many steps; what shuffled labels teach shows what nothing is worth.

Source: Esteban et al. 2017, Real-valued (medical) time series generation with recurrent conditional GANs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
from jaxtyping import Bool, Float, Int
from tqdm import tqdm

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.utility.copies import Copies, find_copies
from ecggan.evaluation.utility.labelled_sets import LabelledSet
from ecggan.stats.hypothesis_tests import LEVEL
from ecggan.stats.resampling import NUM_RESAMPLES, bootstrap_weights
from ecggan.stats.roc import weighted_areas

REAL, SHUFFLED = "real", "real, labels shuffled"
MACRO = "macro"
_TRAINING, _TEST = "training", "test"

Features = np.ndarray
Fit = Callable[
    [Features, Bool[np.ndarray, "record label"], Sequence[Features], int, int], list[Float[np.ndarray, "_ label"]]
]
MOST_TESTED = 5000  # generated records of a set that is tested on, or is thinned before it is learned from


@dataclass(frozen=True)
class Classifier:
    """What learns labels.

    Args:
        name: in tables.
        features: records, and the leads that all sets have -> what it looks at, a row a record.
        fit: features and labels to learn from, features of test sets, the number of records of a training (half of
            them where both kinds are learned from, which is to take as many steps), a seed -> scores of each test set.
    """

    name: str
    features: Callable[[ECGSet, Sequence[str]], Features]
    fit: Fit


@dataclass(frozen=True)
class Utility:
    """What [assess_utility][] found.

    Args:
        areas: a row a classifier, training set, test set and label ("macro": the mean over labels): the area under the
            ROC curve (mean over the seeds), its 95 % interval by test patient and seed, its SD over the seeds, and on
            real test records `difference` from training on real ECGs, with its interval over the same patients.
        labels: what was learned.
        num_trained_on: records of each training, and those of both kinds twice as many.
        num_test: real test records, and their patients.
        num_carrying: of each label, records in the real training and test sets and each generated one.
        copies: of each generated set, its copies of real ECGs.
        num_seeds: trainings of each kind.
    """

    areas: pd.DataFrame
    labels: Sequence[str]
    num_trained_on: int
    num_test: tuple[int, int]
    num_carrying: pd.DataFrame
    copies: Mapping[str, Copies]
    num_seeds: int

    def macro(self, classifier: str, trained_on: str, tested_on: str = REAL) -> Any:
        """The row of the mean over the labels."""
        rows = self.areas
        chosen = (rows["classifier"] == classifier) & (rows["trained_on"] == trained_on)
        return rows[chosen & (rows["tested_on"] == tested_on) & (rows["label"] == MACRO)].iloc[0]


def assess_utility(
    training: LabelledSet,
    test: LabelledSet,
    generated: Mapping[str, LabelledSet],
    labels: Sequence[str],
    classifiers: Sequence[Classifier],
    leads: Sequence[str],
    *,
    num_records: int | None = None,
    num_seeds: int = 3,
    seed: int = 0,
    num_workers: int | None = None,
    progress: bool = True,
) -> Utility:
    """Train and test; see the module's docstring.

    Args:
        training: real ECGs to learn from.
        test: real ECGs of other patients.
        generated: sets by name.
        labels: the columns of the sets' labels.
        classifiers: each is trained for itself.
        leads: that all sets have.
        num_records: of each training, drawn anew for each seed; None for as many as the smallest set has.
        num_seeds: how often each training is repeated.
        seed: of the first.
        num_workers: processes that search for copies; None for one a core.
        progress: show bars.

    Raises:
        ValueError: a set has fewer than `num_records` records, or a name that the tables use themselves.
    """
    taken = {_TRAINING, _TEST, REAL, SHUFFLED, MACRO, *(both(name) for name in generated)} & set(generated)
    if taken:
        raise ValueError(
            f"a generated set cannot be called {min(taken)!r}, as the tables use that name: give it another, "
            "generated={ours:DIR}"
        )
    sizes = {training.name: len(training), **{name: len(some) for name, some in generated.items()}}
    smallest = min(sizes, key=lambda name: sizes[name])
    count = sizes[smallest] if num_records is None else num_records
    if count > sizes[smallest]:
        raise ValueError(
            f"num_records = {count}, but {smallest} has {sizes[smallest]} labelled records; give at most as many"
        )
    most = max(MOST_TESTED, num_seeds * count)
    generated = {name: some.thinned(most) for name, some in generated.items()}
    copies = {name: find_copies(some, training, test, leads, num_workers) for name, some in generated.items()}
    weights = _weights(test, seed)
    of_generated = {name: _weights(some, seed) for name, some in generated.items()}
    rows: list[dict[str, Any]] = []
    num_trainings = len(classifiers) * num_seeds * (2 + 2 * len(generated))
    with tqdm(total=num_trainings, desc="training classifiers", unit="training", disable=not progress) as bar:
        for classifier in classifiers:
            looks = {
                name: np.concatenate([classifier.features(ecgs, leads) for ecgs in some.ecgs])
                for name, some in ((_TRAINING, training), (_TEST, test), *generated.items())
            }
            trials = _Trials(classifier, training, generated, looks, count, bar)
            scores = trials.run(num_seeds, seed)
            of_real = _areas(scores[REAL, REAL], test.labels, weights)
            for (trained_on, tested_on), of_seeds in scores.items():
                some, drawn = (test, weights) if tested_on == REAL else (generated[tested_on], of_generated[tested_on])
                found = _areas(of_seeds, some.labels, drawn)
                place = {"classifier": classifier.name, "trained_on": trained_on, "tested_on": tested_on}
                rows += [{**place, **row} for row in _rows(found, of_real if tested_on == REAL else None, labels)]
    num_patients = int(test.patients().max()) + 1
    carrying = {_TRAINING: training.labels, _TEST: test.labels, **{n: some.labels for n, some in generated.items()}}
    table = pd.DataFrame({name: has.sum(axis=0) for name, has in carrying.items()}, index=list(labels))
    return Utility(pd.DataFrame(rows), labels, count, (len(test), num_patients), table, copies, num_seeds)


@dataclass(frozen=True)
class _Trials:
    """The trainings of one classifier."""

    classifier: Classifier
    training: LabelledSet
    generated: Mapping[str, LabelledSet]
    looks: Mapping[str, Features]
    num_records: int
    bar: tqdm

    def run(self, num_seeds: int, seed: int) -> dict[tuple[str, str], list[np.ndarray]]:
        """The scores of each seed, by what was trained on and tested on."""
        scores: dict[tuple[str, str], list[np.ndarray]] = {}
        for each in range(seed, seed + num_seeds):
            for trained_on, features, labels in self._trainings(each):
                on_real_alone = trained_on == REAL
                tests = {
                    REAL: self.looks[_TEST],
                    **({n: self.looks[n] for n in self.generated} if on_real_alone else {}),
                }
                found = self.classifier.fit(features, labels, list(tests.values()), self.num_records, each)
                for tested_on, of_test in zip(tests, found, strict=True):
                    scores.setdefault((trained_on, tested_on), []).append(of_test)
                self.bar.update()
        return scores

    def _trainings(self, seed: int) -> Iterator[tuple[str, Features, Bool[np.ndarray, "record label"]]]:
        rng = np.random.default_rng(seed)
        chosen = self._choose(self.training, rng)
        real, labels = self.looks[_TRAINING][chosen], self.training.labels[chosen]
        yield REAL, real, labels
        for name, some in self.generated.items():
            of_set = self._choose(some, rng)
            features, carried = self.looks[name][of_set], some.labels[of_set]
            yield name, features, carried
            yield both(name), np.concatenate([real, features]), np.concatenate([labels, carried])
        yield SHUFFLED, real, rng.permutation(labels)

    def _choose(self, some: LabelledSet, rng: np.random.Generator) -> Int[np.ndarray, " record"]:
        return np.sort(rng.choice(len(some), self.num_records, replace=False))


def both(name: str) -> str:
    """What the training on real and on generated ECGs is called."""
    return f"{REAL} + {name}"


def _weights(some: LabelledSet, seed: int) -> Float[np.ndarray, "draw record"]:
    """The records themselves, then resamples of their patients."""
    resamples = bootstrap_weights(some.patients(), NUM_RESAMPLES, np.random.default_rng(seed))
    return np.concatenate([np.ones((1, len(some)), np.float32), *resamples])


def _areas(
    scores: Sequence[np.ndarray], labels: Bool[np.ndarray, "record label"], weights: Float[np.ndarray, "draw record"]
) -> Float[np.ndarray, "seed draw area"]:
    """The areas of each seed in each draw, each label's and last their mean."""
    found = np.stack(
        [
            np.column_stack([weighted_areas(s, has, weights) for s, has in zip(each.T, labels.T, strict=True)])
            for each in scores
        ]
    )
    return np.concatenate([found, found.mean(axis=2, keepdims=True)], axis=2)


def _rows(
    found: Float[np.ndarray, "seed draw area"],
    base: Float[np.ndarray, "seed draw area"] | None,
    labels: Sequence[str],
) -> Iterator[dict[str, Any]]:
    for i, label in enumerate([*labels, MACRO]):
        area, low, high, sd = _interval(found[:, :, i])
        row = {"label": label, "area": area, "low": max(low, 0.0), "high": min(high, 1.0), "sd_over_seeds": sd}
        if base is not None:
            difference, low, high, _ = _interval(found[:, :, i] - base[:, :, i])
            row |= {"difference": difference, "difference_low": max(low, -1.0), "difference_high": min(high, 1.0)}
        yield row


def _interval(drawn: Float[np.ndarray, "seed draw"]) -> tuple[float, float, float, float]:
    """The mean over the seeds, its interval, and the SD over the seeds.

    The draws after the first are of other patients; to each an error of the mean over the seeds is added, by Student's
    t. Of one training only the patients are known to vary.
    """
    means, num_seeds = drawn.mean(axis=0), len(drawn)
    sd = float(drawn[:, 0].std(ddof=1)) if num_seeds > 1 else np.nan
    resampled = means[1:]
    if num_seeds > 1:
        places = (np.random.default_rng(0).permutation(len(resampled)) + 0.5) / len(resampled)  # of t, evenly
        errors = scipy.stats.t.ppf(places, num_seeds - 1)
        resampled = resampled + errors * sd / np.sqrt(num_seeds)
    if not np.isfinite(resampled).any():
        return float(means[0]), np.nan, np.nan, sd
    low, high = np.nanquantile(resampled, [LEVEL / 2, 1 - LEVEL / 2])
    return float(means[0]), float(low), float(high), sd
