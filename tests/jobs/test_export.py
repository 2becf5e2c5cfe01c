import pytest

from ecggan.jobs import Export


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"export": None}, "export must be given: export=asc"),
        ({"ecg_set": None}, "ecg_set must be given: ecg_set=DIR"),
        ({"export": ["asc", "mat"]}, "export=mat is not known; known are asc"),
        ({"num_workers": 0}, "num_workers must be a whole number, at least 1, or null; got 0"),
    ],
)
def test_values_that_cannot_be_are_refused_at_once(parameters, message):
    with pytest.raises(ValueError, match=message):
        Export(**{"ecg_set": "a", "export": "asc", **parameters})


def test_each_format_is_in_a_folder_beside_the_set_and_is_left_when_asked_for_again(real, tmp_path):
    real.save(tmp_path / "set")
    for _ in range(2):
        result = Export(ecg_set=tmp_path / "set", export=["asc", "npz"], num_workers=1).run()
        assert result.value == [tmp_path / "set-asc", tmp_path / "set-npz"]
        assert str(result).splitlines()[1] == f"Exported npz to {tmp_path / 'set-npz'}"
    with pytest.raises(FileExistsError, match="set-npz exists and is not empty"):
        Export(ecg_set=tmp_path / "set", export="npz", license="cc-by-4.0").run()
