import shutil

import pandas as pd
import pytest

from ecggan.jobs import Checkpoints
from ecggan.run_folder import RunFolder


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"run_folder": None}, "run must be given: run=RUN"),
        ({"num_records": 0}, "num_records must be a whole number, at least 1; got 0"),
        ({"allow_overlap": "no"}, "allow_overlap must be true or false; got 'no'"),
        ({"seed": -1}, "seed must be a whole number, at least 0"),
        ({"max_records": 0}, "max_records must be a whole number, at least 1, or null; got 0"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, message):
    with pytest.raises(ValueError, match=message):
        Checkpoints(**{"real": "a", "run_folder": "b", "out": "out", **parameters})


def test_a_folder_without_generators_is_no_run(real, tmp_path):
    with pytest.raises(FileNotFoundError, match="is not the folder of a training run"):
        Checkpoints(real=real, run_folder=tmp_path, out=tmp_path / "out").run()


def test_each_generator_of_a_run_is_a_row(real, tmp_path, training_run):
    job = Checkpoints(real=real, run_folder=training_run, num_records=2, num_workers=1, out=tmp_path / "out")
    result = job.run()
    assert result.value["epoch"].tolist() == [1]
    assert pd.read_csv(tmp_path / "out" / "epochs.csv")["epoch"].tolist() == [1]
    assert str(result).endswith(f"Nearest to these real ECGs: epoch 1\nSaved to {tmp_path / 'out'}")


def test_it_says_which_epoch_is_drawn_from_as_other_ecgs_chose_it(real, tmp_path, training_run):
    run = RunFolder(shutil.copytree(training_run, tmp_path / "copy"))
    run.curve_path.write_text("epoch,physiological_distance,checkpoint_score\n1,0.3,0.5\n2,0.2,0.6\n")
    job = Checkpoints(real=real, run_folder=run.path, num_records=2, num_workers=1, out=tmp_path / "out")
    assert "generate.py draws from epoch 1, of the smallest score in training" in str(job.run())
