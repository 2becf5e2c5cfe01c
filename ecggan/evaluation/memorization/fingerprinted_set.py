"""An ECG set together with the fingerprints of its records."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.measurement.fingerprints import Fingerprints
from ecggan.stats.resampling import patient_numbers


@dataclass(frozen=True)
class FingerprintedSet:
    """An ECG set and its fingerprints, in the same order."""

    ecgs: ECGSet
    fingerprints: Fingerprints

    def patients(self) -> Int[np.ndarray, " record"]:
        """A number for the patient of each record."""
        return patient_numbers(self.ecgs.records.get("patient"), len(self.ecgs))

    def subset(self, positions: Int[np.ndarray, " position"]) -> "FingerprintedSet":
        return FingerprintedSet(self.ecgs.subset(positions), self.fingerprints.subset(positions))
