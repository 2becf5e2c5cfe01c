import numpy as np

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.memorization.duplicates import assess_repeats
from ecggan.evaluation.memorization.fingerprinted_set import FingerprintedSet
from ecggan.measurement.fingerprints import fingerprints


def prints_of(millivolts, patients=None):
    ecgs = ECGSet.from_arrays(millivolts, EIGHT_LEADS, 500)
    if patients is not None:
        ecgs.records["patient"] = patients
    return FingerprintedSet(ecgs, fingerprints(ecgs, progress=False))


def test_repeats_are_counted_but_not_between_records_of_a_patient(varied_ecgs):
    ecgs = varied_ecgs(20)
    ecgs[10:15] = 0.8 * ecgs[:5]
    found = assess_repeats(prints_of(ecgs), 20, num_workers=1)
    assert found.share.num_records == 10
    assert found.share.num_all == 20
    patients = [str(i % 10) for i in range(20)]
    assert assess_repeats(prints_of(ecgs, patients), 20, num_workers=1).share.num_records == 0
    fewer = assess_repeats(prints_of(ecgs), 6, num_workers=1)
    assert fewer.share.num_all == 6
    assert (np.diff(fewer.positions) > 0).all()
