"""A filter that selects, out of many generated ECGs, a set whose measurements are distributed as real ones are.

It makes no ECG better, and draws nothing that the generator does not: it is the cheapest bar that a training has to
beat. Rejection sampling by a density ratio: what is too common among generated ECGs is accepted less often.

Source: Azadi et al. 2019, Discriminator rejection sampling, with measurements in the discriminator's place.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import cpu_count

from ecggan import checks
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.fidelity.density_ratio import LogDensityRatio, acceptance, threshold_for
from ecggan.evaluation.fidelity.features import measurement_features
from ecggan.measurement.measure_set import RECORDS_PER_TASK, measure
from ecggan.stats.hypothesis_tests import FEWEST_PATIENTS

WHAT = "like_real"
_APART = 4  # every fourth generated ECG


@dataclass(frozen=True, eq=False)
class LikeReal:
    """Keep an ECG as often as its density ratio asks for; for `keep=` of [generate][ecggan.generate].

    Made by `LikeReal.fit`. Whether an ECG is kept depends on its measurements and its name alone.

    Args:
        real: the measurements of the real ECGs.
        ratio: fitted on them and on generated ones.
        threshold: of the ratio, from which an ECG is always kept.
        facts: how it was fitted, for the set's manifest.
        learned_from: the hashes of the real ECGs.
        num_workers: processes that measure; None for one a core.
    """

    real: pd.DataFrame
    ratio: LogDensityRatio
    threshold: float
    facts: dict[str, Any] = field(default_factory=dict)
    learned_from: Collection[str] = ()
    num_workers: int | None = None

    @classmethod
    def fit(
        cls,
        real: ECGSet,
        generated: ECGSet,
        share: int | float = 0.25,
        num_workers: int | None = None,
        cache: str | None = None,
    ) -> "LikeReal":
        """Fit on real ECGs and on ECGs of the generator that are not to be in the set.

        Args:
            real: of a set with splits, its training split is used.
            generated: a thousand, drawn with another seed.
            share: of the ECGs that are to be kept; the smaller, the nearer they come, and the longer it takes.
            num_workers: processes that measure; None for one a core.
            cache: a folder of measured rows, reused if they are there.

        Raises:
            ValueError: fewer than 30 of either can be measured, or the share is not between 0 and 1.
        """
        checks.number("like_share", share, at_least=0.001, at_most=1)
        if "split" in real.records and (real.records["split"] == "train").any():
            real = real.where_split("train")
        tables = []
        for name, ecgs in (("real", real), ("generated", generated)):
            table = measure(ecgs, num_workers=num_workers, progress=False, cache=cache)
            table = table[table["is_measurable"].astype(bool)].reset_index(drop=True)
            if len(table) < FEWEST_PATIENTS:
                raise ValueError(
                    f"keep=like_real needs at least {FEWEST_PATIENTS} {name} ECGs that can be measured; of "
                    f"{len(ecgs)} it found {len(table)}"
                )
            tables.append(table)
        features = measurement_features(*tables)
        is_apart = (
            np.arange(len(features[1])) % _APART == 0
        )  # for the share, since on what it was fitted on it is smaller
        ratio = LogDensityRatio.fit(features[0], features[1][~is_apart])
        threshold = threshold_for(ratio(features[1][is_apart]), float(share))
        facts: dict[str, Any] = {"share": share, "num_real": len(tables[0]), "num_generated": len(tables[1])}
        hashes = real.hashes()
        facts["real_sha256"] = hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
        return cls(tables[0], ratio, threshold, facts, tuple(hashes), num_workers)

    @property
    def description(self) -> dict[str, Any]:
        """The parameters of the choice, for the set's manifest."""
        digest = hashlib.sha256(np.append(self.ratio.weights, self.threshold).astype("<f4").tobytes()).hexdigest()[:16]
        return {"what": WHAT, "selected": "by a density ratio on measurements", **self.facts, "ratio_sha256": digest}

    @property
    def records_at_once(self) -> int:
        return RECORDS_PER_TASK * (self.num_workers or cpu_count())

    def with_workers(self, num_workers: int | None) -> "LikeReal":
        return replace(self, num_workers=num_workers)

    def __call__(self, ecgs: ECGSet) -> list[tuple[str, str] | None]:
        """For each record None, or why it is left out."""
        table = measure(ecgs, num_workers=self.num_workers, progress=False)
        is_measurable = table["is_measurable"].to_numpy(bool)
        log_ratios = self.ratio(measurement_features(self.real, table)[1])
        chances = acceptance(log_ratios, self.threshold)
        reasons: list[tuple[str, str] | None] = []
        for name, is_known, log_ratio, chance in zip(
            ecgs.records["record"], is_measurable, log_ratios, chances, strict=True
        ):
            if not is_known:
                reasons.append(("not_measurable", "nothing can be measured"))
            elif _position(str(name)) >= chance:
                reasons.append(("not_selected", f"real by generated density {np.exp(log_ratio):.2g}"))
            else:
                reasons.append(None)
        return reasons


def _position(name: str) -> float:
    """A number from 0 to 1, drawn by the record's name alone, so that a set is the same however it is drawn."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64
