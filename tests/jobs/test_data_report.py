import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.jobs import DataReport


def test_all_splits_are_reported_whatever_split_is_evaluated(real, tmp_path):
    job = DataReport(data={"source": lambda: real, "split": "test"}, num_workers=1, out=tmp_path / "out")
    result = job.run()
    assert str(result).startswith("4 of 4 records are kept; ")
    assert str(result).endswith(f"\nSaved to {result.path}")
    assert result.path.is_file()
    assert result.is_success


def test_a_search_that_failed_is_told_from_one_that_had_nothing_to_search(real, known_ecg, tmp_path):
    short = ECGSet.from_arrays(known_ecg(num_records=4, num_samples=1500), EIGHT_LEADS, 500)
    one_split = DataReport(real=short, num_workers=1, out=tmp_path / "one").run()
    assert "the set has no two splits" in str(one_split)
    assert one_split.is_success
    short.records["split"] = ["train", "train", "test", "test"]
    failed = DataReport(real=short, num_workers=1, out=tmp_path / "two").run()
    assert "the search for ECGs in two splits failed: ValueError: " in str(failed)
    assert "no two splits" not in str(failed) + failed.path.read_text()
    assert "Not known: the search failed." in failed.path.read_text()
    assert not failed.is_success


def test_a_folder_that_holds_files_is_not_overwritten(real, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        DataReport(real=real, out=tmp_path).run()
