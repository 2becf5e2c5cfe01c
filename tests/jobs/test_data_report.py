import pytest

from ecggan.jobs import DataReport


def test_all_splits_are_reported_whatever_split_is_evaluated(real, tmp_path):
    job = DataReport(data={"source": lambda: real, "split": "test"}, num_workers=1, out=tmp_path / "out")
    result = job.run()
    assert str(result).startswith("4 of 4 records are kept; ")
    assert str(result).endswith(f"\nSaved to {result.path}")
    assert result.path.is_file()


def test_a_folder_that_holds_files_is_not_overwritten(real, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        DataReport(real=real, out=tmp_path).run()
