import numpy as np
import pytest

import ecggan
from ecggan.jobs import Generate


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"checkpoint": None}, ValueError, "one generator must be given: .* got none"),
        ({"run_folder": "."}, ValueError, "one generator must be given: .* got both"),
        ({"checkpoint": None, "run_folder": "nowhere"}, FileNotFoundError, "run=nowhere is not a folder"),
        ({"keep": "good"}, ValueError, "keep must be measurable, normal, like_real or null; got 'good'"),
        ({"keep": "like_real"}, ValueError, "like must be given: like=DIR, an ECG set of real ECGs"),
        ({"like": "real"}, ValueError, "like=real is for keep=like_real; keep is None"),
        ({"keep": "like_real", "like": "real", "like_share": 2}, ValueError, "like_share must be a number, from 0.001"),
        ({"export": "mat"}, ValueError, "export=mat is not known; known are asc, csv"),
        ({"export": 3}, ValueError, "export=3 is not known"),
        ({"seed": -1}, ValueError, "seed must be a whole number, at least 0"),
        ({"num_records": 0}, ValueError, "num_records must be a whole number, at least 1"),
        ({"num_workers": "abc"}, ValueError, "num_workers must be a whole number, at least 1, or null"),
        ({"weights": "best"}, ValueError, "weights must be ema or raw; got 'best'"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, error, message):
    with pytest.raises(error, match=message):
        Generate(**{"checkpoint": "published", **parameters})


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"part": "0/2"}, ValueError, "give all of them the same out=FOLDER"),
        ({"part": "2/2", "out": "a"}, ValueError, "part must be slurm, or one of 0/4, 1/4"),
        ({"out": "/"}, FileExistsError, "/ exists; give another folder"),
        ({"checkpoint": "nowhere.pt", "out": "a"}, FileNotFoundError, "no checkpoint at nowhere.pt"),
        ({"checkpoint": None, "run_folder": ".", "out": "a"}, FileNotFoundError, "is not the folder of a training run"),
    ],
)
def test_what_cannot_be_drawn_is_refused(parameters, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        Generate(**{"checkpoint": "published", **parameters}).run()
    assert not list(tmp_path.iterdir())


def test_the_set_is_that_of_the_function_and_is_exported_beside_it(training_run, tmp_path):
    job = Generate(run_folder=training_run, num_records=3, seed=5, out=tmp_path / "ecgs", export=["asc", "npz", "asc"])
    result = job.run()
    expected = ecggan.generate(training_run, 3, seed=5, progress=False)
    assert result.value is not None
    assert np.array_equal(result.value.microvolts(), expected.microvolts())
    assert str(result).splitlines() == [
        "3 ECGs of 2 leads",
        f"Saved to {tmp_path / 'ecgs'}",
        f"Exported asc to {tmp_path / 'ecgs-asc'}",
        f"Exported npz to {tmp_path / 'ecgs-npz'}",
    ]
    assert (tmp_path / "ecgs-npz" / "ecgs.npz").is_file()


def test_a_part_of_a_set_says_that_others_are_to_come(training_run, tmp_path):
    parts = [Generate(run_folder=training_run, num_records=600, part=f"{k}/2", out=tmp_path / "ecgs") for k in range(2)]
    first, second = (part.run() for part in parts)
    assert first.value is None
    assert "Part 0 of 2 is drawn; the last part to end completes the set" in str(first)
    assert second.value is not None
    assert len(second.value) == 600
