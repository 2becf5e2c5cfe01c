import pytest

from ecggan.evaluation.validation.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ludb=/x"], "give ludb_root=DIR, ptbxl_root=DIR or generated=ECG_SET; got ludb=/x"),
        (["ludb_root=/nowhere"], "error: /nowhere/ludb.csv is missing; ludb_root must be the folder"),
        (["ludb_root=/nowhere", "delineation=dwt"], "delineation must be median_beat, neurokit2"),
        (["ptbxl_root=/nowhere", "delineation=all"], "delineation=NAME needs ludb_root=DIR or generated=ECG_SET"),
        (["generated=/nowhere", "score=new.json"], "score=FILE needs ptbxl_root=DIR"),
        (["ludb_root=/nowhere", "num_workers=two"], "num_workers must be a whole number above 0; got two"),
    ],
)
def test_command_refuses_in_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code != 0
    assert message in capsys.readouterr().err
