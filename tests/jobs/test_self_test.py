"""That nothing fools it is tested with the self-test itself; here, what the job adds."""

import pytest

from ecggan.jobs import SelfTest


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"seed": -1}, "seed must be a whole number, at least 0; got -1"),
        ({"max_records": "few"}, "max_records must be a whole number, at least 1, or null; got 'few'"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, message):
    with pytest.raises(ValueError, match=message):
        SelfTest(**{"real": "a", "out": "out", **parameters})


def test_the_first_records_of_all_splits_are_tested(real, tmp_path):
    job = SelfTest(data={"source": lambda: real, "split": "test"}, max_records=3, out=tmp_path / "out")
    with pytest.raises(ValueError, match=r"needs real ECGs of 120 patients or more.*; the set has 3"):
        job.run()
    assert not (tmp_path / "out").exists()
