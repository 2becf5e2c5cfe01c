"""Is an ECG, or a patient, in two splits? Then what is learned from one is known before it is judged by the other.

Records with the same samples are left out when a set is packed. Here are looked for those that are one ECG all the
same: shifted, amplified, filtered, or with noise; see `fingerprints`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.evaluation.memorization.matching import align_nearest, nearest_within
from ecggan.measurement.fingerprints import fingerprints


@dataclass(frozen=True)
class Leaks:
    """What [find_leaks][] found.

    Args:
        pairs: a row a pair of records of different splits that may be one ECG, the likeliest first: `position` and
            `of_position` in the set, `record`, `split`, `of_record`, `of_split`, `is_same_patient`, and what
            [align_nearest][ecggan.evaluation.memorization.matching.align_nearest] says. The ten nearest are there in
            any case.
        patients: those with records in several splits.
    """

    pairs: pd.DataFrame
    patients: list[str]

    @property
    def num_copies(self) -> int:
        """The pairs that are one ECG."""
        return int(self.pairs["is_copy"].sum())


def find_leaks(ecgs: ECGSet, num_workers: int | None = None, progress: bool = True) -> Leaks | None:
    """Look over all pairs of records of different splits; None where a set knows no two splits.

    Args:
        ecgs: the set; 22,000 records take 300 MB and some minutes.
        num_workers: processes; None for one a core.
        progress: show a bar.

    Raises:
        ValueError: records shorter than 4 s.
    """
    if "split" not in ecgs.records or ecgs.records["split"].nunique() < 2:
        return None
    splits = pd.factorize(ecgs.records["split"])[0]
    prints = fingerprints(ecgs, num_workers=num_workers, progress=progress)
    found = nearest_within(prints, splits)
    pairs = align_nearest(ecgs, ecgs, found, prints.leads, num_workers)
    both = np.sort(pairs[["position", "of_position"]].to_numpy(), axis=1)
    pairs = pairs[~pd.DataFrame(both, index=pairs.index).duplicated()].reset_index(
        drop=True
    )  # a found b, and b found a
    for prefix, positions in (("", pairs["position"]), ("of_", pairs["of_position"])):
        for column in ("record", "split"):
            pairs[f"{prefix}{column}"] = ecgs.records[column].to_numpy()[positions]
    patients = ecgs.records["patient"] if "patient" in ecgs.records else pd.Series([None] * len(ecgs), dtype=object)
    one, other = (patients.to_numpy()[pairs[column]] for column in ("position", "of_position"))
    pairs["is_same_patient"] = pd.notna(one) & (one == other)
    num_splits = ecgs.records["split"].groupby(patients).nunique()
    return Leaks(pairs, [str(patient) for patient in num_splits.index[num_splits > 1]])
