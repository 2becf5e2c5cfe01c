import numpy as np
import pytest

import ecggan
from ecggan.jobs import Convert


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
