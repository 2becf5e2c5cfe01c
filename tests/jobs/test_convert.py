import shutil

import numpy as np
import pytest

import ecggan
from ecggan.jobs import Convert
from ecggan.quoting import as_argument


def test_a_file_must_be_named():
    with pytest.raises(ValueError, match=r"out must be given: out=FILE\.safetensors"):
        Convert(checkpoint="published")


def test_one_generator_must_be_given():
    with pytest.raises(ValueError, match="one generator must be given"):
        Convert(out="g.safetensors")


def test_another_ending_is_refused(training_run, tmp_path):
    with pytest.raises(ValueError, match=r"out must end in \.safetensors; got .*g\.pt"):
        Convert(run_folder=training_run, out=tmp_path / "g.pt").run()


def test_the_file_draws_the_same_ecgs(training_run, tmp_path):
    result = Convert(run_folder=training_run, out=tmp_path / "g.safetensors").run()
    assert str(result) == f"Saved to {tmp_path / 'g.safetensors'}"
    before, after = (ecggan.generate(path, 2, progress=False).microvolts() for path in (training_run, result.value))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("name", ["published", "ptbxl"])
def test_a_run_is_taken_though_its_folder_is_called_like_a_generator(training_run, tmp_path, monkeypatch, name):
    shutil.copytree(training_run, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    found = Convert(run_folder=name, out="g.safetensors").run()
    expected = ecggan.generate(training_run, 1, progress=False).microvolts()
    assert np.array_equal(ecggan.generate(found.value, 1, progress=False).microvolts(), expected)
    assert as_argument("run", name) == f"run=./{name}"
