import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.training_records import KEY, encoded, hashes_in, without_hashes
from ecggan.ecg import EIGHT_LEADS


def test_hashes_of_a_set_come_back_each_once():
    hashes = ECGSet.from_arrays(np.random.default_rng(0).normal(size=(20, 8, 50)), EIGHT_LEADS, 500).hashes()
    assert len(set(hashes)) == 20
    assert hashes_in({KEY: encoded(hashes + hashes)}) == set(hashes)
    assert encoded(hashes) == encoded(hashes[::-1])


def test_what_does_not_say_it_has_no_hashes():
    assert hashes_in({"seed": 0}) == set()
    assert without_hashes({"seed": 0}) == {"seed": 0}


def test_shown_is_the_number_alone():
    assert without_hashes({KEY: encoded(["00" * 8, "01" * 8])}) == {KEY: "2 records"}


@pytest.mark.parametrize("damaged", ["???", 7, ["00"]])
def test_damaged_hashes_are_refused(damaged):
    with pytest.raises(ValueError, match="learned from are damaged"):
        hashes_in({KEY: damaged})
