"""What a checkpoint is chosen by: near to real ECGs, as varied as they are, and no copies of the training records.

A small physiological distance alone would choose a generator that draws a few typical ECGs, or the training records
themselves, so that recall and copies are part of the score:

    score = physiological distance + (1 − recall) + (3 if an ECG is a copy of a training record)

Both terms are of one size: 0.1 is a tenth of an SD further off, or a tenth of the real ECGs that is not drawn. A set
that is narrower has to be as much nearer.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.comparison.physiological_distance import LARGEST_SD, physiology_of_tables
from ecggan.evaluation.fidelity.distances import pooled_distances
from ecggan.evaluation.fidelity.features import measurement_features
from ecggan.evaluation.fidelity.precision_recall import NEIGHBOUR_FIGURES, NEIGHBOURS, neighbour_figures
from ecggan.evaluation.memorization.fingerprinted_set import FingerprintedSet
from ecggan.evaluation.memorization.membership import assess_novelty
from ecggan.measurement.fingerprints import SHORTEST_S, fingerprints
from ecggan.measurement.measure_set import measure
from ecggan.run_folder import SCORE
from ecggan.stats.resampling import evenly_spaced

_NUM_CHOICES = 20  # of as many generated as real records


@dataclass(frozen=True)
class CheckpointComparison:
    """Compares the ECGs of a checkpoint with real ones, and with those that the generator learned from.

    Args:
        num_workers: processes that measure; None for one a core.
        cache: a folder of measured rows of the real set, reused if they are there.
        most_training: among so many training records, spread evenly, copies are sought.
    """

    num_workers: int | None = None
    cache: str | Path | None = None
    most_training: int = 1000
    _fingerprinted: dict[int, tuple[ECGSet, FingerprintedSet]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        checks.whole_number("num_workers", self.num_workers, at_least=1, or_null=True)
        checks.whole_number("most_training", self.most_training, at_least=1)

    def __call__(self, real: ECGSet, generated: ECGSet, training: ECGSet | None = None) -> dict[str, float]:
        """Compare a generated set.

        Args:
            real: the reference, e.g. the validation split: ECGs that the generator has not learned from.
            generated: e.g. of a checkpoint.
            training: the ECGs that it has learned from; None if copies are not to be sought.

        Returns:
            The figures of `comparison.physiological_distance.physiology_of_tables`, `recall` by measurements,
            `checkpoint_score`, and with training ECGs `share_copied` (0 to 1) and `membership_area` (of an attacker who
            looks at a segment; 0.5 is a guess), unless records are shorter than 4 s. NaN where there are too few.

        Raises:
            ValueError: none of the real ECGs can be measured.
        """
        options: dict[str, Any] = {"num_workers": self.num_workers, "progress": False, "cache": self.cache}
        real_table, table = measure(real, **options), measure(generated, **options)
        figures = physiology_of_tables(real_table, table)
        figures["recall"] = recall_of(real_table, table)
        figures[SCORE] = figures["physiological_distance"] + 1 - np.nan_to_num(figures["recall"], nan=1.0)
        if training is not None and real.num_samples / real.sampling_rate >= SHORTEST_S:
            known, held_out = (self._with_fingerprints(each) for each in (training, real))
            drawn = FingerprintedSet(generated, fingerprints(generated, num_workers=self.num_workers, progress=False))
            novelty = assess_novelty(drawn, known, held_out, self.num_workers)
            figures["share_copied"] = novelty.copies.value
            figures["membership_area"] = np.nan if novelty.membership is None else novelty.membership.value
            figures[SCORE] += LARGEST_SD if novelty.copies.num_records else 0.0
        return figures

    def _with_fingerprints(self, ecgs: ECGSet) -> FingerprintedSet:
        """The set with its fingerprints, which are taken once."""
        if id(ecgs) not in self._fingerprinted:
            some = ecgs.subset(evenly_spaced(len(ecgs), self.most_training))
            prints = fingerprints(some, num_workers=self.num_workers, progress=False)
            self._fingerprinted[id(ecgs)] = ecgs, FingerprintedSet(some, prints)  # which keeps the set, and so its id
        return self._fingerprinted[id(ecgs)][1]


def recall_of(real: pd.DataFrame, generated: pd.DataFrame, seed: int = 0) -> float:
    """Recall by measurements, of as many generated as real records: the mean over 20 choices of them.

    Args:
        real: of [measure][ecggan.measurement.measure_set.measure].
        generated: likewise.
        seed: of the choices.

    Returns:
        0 to 1; see [neighbour_figures][ecggan.evaluation.fidelity.precision_recall.neighbour_figures]. NaN for as few
        records as there are neighbours.
    """
    size = min(len(real), len(generated))
    if size <= NEIGHBOURS:
        return float("nan")
    between = pooled_distances(*measurement_features(real, generated))
    rng = np.random.default_rng(seed)
    figures = [
        neighbour_figures(
            between, rng.permutation(len(real))[:size], len(real) + rng.permutation(len(generated))[:size]
        )
        for _ in range(_NUM_CHOICES)
    ]
    return float(np.mean(figures, axis=0)[NEIGHBOUR_FIGURES.index("recall")])
