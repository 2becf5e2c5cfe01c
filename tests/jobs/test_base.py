import numpy as np
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.jobs.base import OnRealECGs, first_records


def test_real_ecgs_are_given_once():
    with pytest.raises(ValueError, match=r"real ECGs must be given: data=ptbxl data\.root=DIR .* or real=ECG_SET"):
        OnRealECGs(out="out")
    with pytest.raises(ValueError, match=r"given twice: give data=… or real=ECG_SET"):
        OnRealECGs(out="out", real="a", data={"source": lambda: None})


@pytest.mark.parametrize("number", [0, -1, True, "all"])
def test_processes_are_counted_from_one(number):
    with pytest.raises(ValueError, match=r"num_workers must be a whole number, at least 1, or null; got "):
        OnRealECGs(out="out", real="a", num_workers=number)


def test_a_source_gives_the_ecgs_of_its_split(real):
    job = OnRealECGs(out="out", data={"source": lambda: real, "split": "test"})
    assert len(job.open_real()) == 4
    assert job.of_split(job.open_real(), None).records["record"].tolist() == ["2", "3"]
    assert job.of_split(job.open_real(), 1).records["record"].tolist() == ["2"]


def test_a_set_is_taken_whole_from_memory_or_from_its_folder(real, tmp_path):
    real.save(tmp_path / "set")
    for given in (real, tmp_path / "set", str(tmp_path / "set")):
        job = OnRealECGs(out="out", real=given)
        assert np.array_equal(job.of_split(job.open_real(), None).microvolts(), real.microvolts())


def test_an_empty_real_set_is_refused():
    with pytest.raises(ValueError, match=r"the real set, None, holds no record"):
        first_records(ECGSet.from_arrays(np.zeros((0, 8, 5000)), EIGHT_LEADS, 500), None)
