import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import KEY, encoded
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.memorization.training_overlap import check_no_overlap

ECGS = ECGSet.from_arrays(np.random.default_rng(0).normal(size=(9, 8, 50)), EIGHT_LEADS, 500)


def drawn_by_one_that_learned_from(which: slice) -> ECGSet:
    ecgs = ECGSet.from_arrays(np.zeros((2, 8, 50)), EIGHT_LEADS, 500, kind="generated")
    ecgs.manifest["made_by"] = {KEY: encoded(ECGS.hashes()[which])}
    return ecgs


def test_ecgs_that_a_generator_learned_from_are_refused_as_its_yardstick() -> None:
    generated = {"other": ECGS.subset(slice(2)), "ours": drawn_by_one_that_learned_from(slice(4, 9))}
    with pytest.raises(
        ValueError, match=r"3 of the 6 real ECGs are among those that ours learned from \(4 is the first"
    ):
        check_no_overlap(ECGS.subset([0, 1, 2, 4, 5, 6]), generated)
    check_no_overlap(ECGS.subset(slice(4)), generated)


def test_leads_in_another_order_do_not_hide_them() -> None:
    swapped = ECGSet.from_arrays(ECGS.millivolts(leads=EIGHT_LEADS[::-1]), EIGHT_LEADS[::-1], 500)
    with pytest.raises(ValueError, match="9 of the 9"):
        check_no_overlap(swapped, {"ours": drawn_by_one_that_learned_from(slice(9))})


def test_training_set_that_the_user_names_counts_too() -> None:
    generated = {"theirs": ECGS.subset(slice(2))}  # does not say what it learned from
    check_no_overlap(ECGS, generated)
    check_no_overlap(ECGS.subset(slice(4)), generated, training=ECGS.subset(slice(4, 9)))
    with pytest.raises(ValueError, match=r"1 of the 5 real ECGs are in the training set \(4 is the first"):
        check_no_overlap(ECGS.subset(slice(5)), generated, training=ECGS.subset(slice(4, 9)))
