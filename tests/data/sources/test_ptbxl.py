import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.splits import split_of
from ecggan.data.sources.download import Download
from ecggan.data.sources.ptbxl import PatientShares, ptbxl_set, shares_by
from ecggan.data.sources.selection import Selection, Statements
from tests.data.file_server import FileServer
from tests.data.packers import packer


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(
        root,
        label="NORM",
        min_likelihood=100,
        companions=("SR",),
        ecg=paper_format,
        download=None,
        shares=None,
        **chosen,
    ):
        normal = Statements([label], min_likelihood, companions)
        selection = replace(Selection(labels=None, normal=normal, age=None, sex=None), **chosen)
        return ptbxl_set(root, packer(ecg, tmp_path / "cache"), selection, download, shares)

    return make


@pytest.fixture
def database(tmp_path, write_wfdb, known_ecg):
    """A small database in the official layout, one row for each case."""
    rows = [
        ("{'NORM': 100.0, 'SR': 0.0}", 1, 10.0, 56.0, 0),
        ("{'NORM': 100.0, 'SR': 0.0}", 9, 11.0, 300.0, 1),
        ("{'NORM': 100.0}", 10, 12.0, None, 1),
        ("{'NORM': 80.0, 'SR': 0.0}", 1, 13.0, 40.0, 0),
        ("{'NORM': 100.0, 'AFIB': 0.0}", 1, 14.0, 40.0, 0),
        ("{'IMI': 100.0, 'SR': 0.0}", 1, 15.0, 40.0, 0),
        ("{'NORM': 100.0, 'SR'", 1, 16.0, 40.0, 0),
        ("{'NORM': 100.0}", 77, 17.0, 40.0, 0),
        ("{'NORM': 100.0}", 2, None, "old", 5),
    ]
    table = pd.DataFrame(rows, columns=["scp_codes", "strat_fold", "patient_id", "age", "sex"])
    names = [f"{i:05d}" for i in range(1, len(rows) + 1)]
    table["filename_hr"] = [f"records500/00000/{name}_hr" for name in names]
    table["filename_lr"] = [f"records100/00000/{name}_lr" for name in names]
    for name, ecg in zip(names, known_ecg(len(rows)), strict=True):
        write_wfdb(tmp_path / "ptbxl/records500/00000", f"{name}_hr", ecg)
    table.to_csv(tmp_path / "ptbxl/ptbxl_database.csv", index=False)
    classes = pd.DataFrame({"diagnostic_class": ["MI", "NORM", None]}, index=["IMI", "NORM", "SR"])
    classes.to_csv(tmp_path / "ptbxl/scp_statements.csv")
    return tmp_path / "ptbxl"


def test_label_likelihood_and_companions_choose_the_records(make_set, database):
    packed = make_set(database)
    assert list(packed.records["record"]) == ["00001_hr", "00002_hr", "00003_hr", "00009_hr"]
    assert packed.manifest["made_by"]["counts"] == {
        "database_rows": 9,
        "damaged_rows": 2,
        "without_the_label": 1,
        "likelihood_too_low": 1,
        "other_statements_beside": 1,
        "age": 0,
        "sex": 0,
        "chosen": 4,
    }
    assert len(make_set(database, min_likelihood=0, companions=None)) == 6
    assert list(make_set(database, label="IMI").records["record"]) == ["00006_hr"]


def test_records_keep_their_statements_and_superclasses(make_set, database):
    records = make_set(database, labels="all").records.set_index("record")
    assert records["labels"].loc[["00001_hr", "00005_hr", "00006_hr"]].tolist() == ["NORM|SR", "AFIB|NORM", "IMI|MI|SR"]
    assert "label" not in records
    (database / "scp_statements.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"csv is not PTB-XL's table of statements \('diagnostic_class'\)"):
        make_set(database, labels="all")


def test_folds_are_splits_and_facts_are_in_words(make_set, database):
    records = make_set(database).records
    assert list(records["split"]) == ["train", "validation", "test", "train"]
    assert list(records["patient"]) == ["10", "11", "12", None]
    assert list(records["sex"]) == ["male", "female", "female", None]
    assert set(records["label"]) == {"NORM"}


def test_shares_of_the_patients_take_the_place_of_folds(make_set, database):
    table = pd.read_csv(database / "ptbxl_database.csv")
    table["patient_id"] = [10, 10, 11, 12, 13, 14, 15, 16, 17]
    table["strat_fold"] = 10
    table.to_csv(database / "ptbxl_database.csv", index=False)
    assert set(make_set(database).records["split"]) == {"test"}
    records = make_set(database, shares=PatientShares(validation=0.3, test=0.3), companions=None).records
    assert len(set(records["split"])) > 1
    assert (records.groupby("patient")["split"].nunique() == 1).all()
    again = make_set(database, shares=PatientShares(0.3, 0.3), companions=["SR"]).records.set_index("record")["split"]
    assert (records.set_index("record")["split"][again.index] == again).all()  # whoever else is chosen


def test_placeholders_of_the_table_are_nobody(make_set, database):
    table = pd.read_csv(database / "ptbxl_database.csv")
    table["patient_id"] = [-1, 0, 11, 12, 13, 14, 15, 16, 99999999]
    table.to_csv(database / "ptbxl_database.csv", index=False)
    rows = make_set(database, shares=PatientShares(0.3, 0.3)).records.set_index("record")
    assert rows["patient"].dropna().to_dict() == {"00003_hr": "11"}
    names = {"00001_hr": "00001_hr", "00002_hr": "00002_hr", "00003_hr": "11", "00009_hr": "00009_hr"}
    assert rows["split"].to_dict() == {record: split_of(name, 0.3, 0.3) for record, name in names.items()}


def test_all_patients_can_be_of_one_split(make_set, database):
    assert set(make_set(database, shares=PatientShares(0, 0)).records["split"]) == {"train"}
    assert set(make_set(database, shares=PatientShares(1, 0)).records["split"]) == {"validation"}


def test_split_by_is_one_of_two_words():
    assert shares_by("fold", 0.1, 0.2) is None
    assert shares_by("patient", 0.1, 0.2) == PatientShares(0.1, 0.2)
    with pytest.raises(ValueError, match=r"data\.split_by must be fold or patient; got 'patients'"):
        shares_by("patients", 0.1, 0.2)


def test_age_above_89_is_no_number(make_set, database):
    ages = make_set(database).records["age"].to_numpy()
    np.testing.assert_array_equal(ages, [56, np.nan, np.nan, np.nan])


def test_missing_file_is_left_out_by_name(make_set, database):
    (database / "records500/00000/00002_hr.hea").unlink()
    account = make_set(database).manifest["account"]
    assert (account["read"], account["kept"]) == (4, 3)
    assert [entry["record"] for entry in account["left_out"]["missing"]] == ["00002_hr"]


@pytest.mark.parametrize("root", [None, "nowhere"])
def test_root_without_a_database_says_what_to_give(make_set, root):
    message = r"data=ptbxl needs data.root=FOLDER, the folder that holds ptbxl_database.csv"
    with pytest.raises(FileNotFoundError, match=message):
        make_set(root)


def test_database_without_a_column_is_named(make_set, database):
    path = database / "ptbxl_database.csv"
    pd.read_csv(path).drop(columns="strat_fold").to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"ptbxl_database.csv is not PTB-XL's database .*strat_fold"):
        make_set(database)


def test_label_that_no_record_carries_says_so(make_set, database):
    with pytest.raises(ValueError, match=r"no record of .* is wanted"):
        make_set(database, label="NRM")


def test_real_database_gives_normal_ecgs_and_no_patient_twice(make_set, shared_data):
    packed = make_set(shared_data / "ptbxl", companions=("SR", "SARRH"))
    assert packed.manifest["made_by"]["counts"]["without_the_label"] == 378 - 233
    assert packed.manifest["account"]["read"] == 180
    assert [entry["record"] for entry in packed.manifest["account"]["left_out"]["amplitude"]] == ["00473_hr"]
    splits_of_patients = packed.records.groupby("patient")["split"].nunique()
    assert splits_of_patients.max() == 1
    assert set(packed.records["split"]) == {"train", "validation", "test"}


def test_hundred_hertz_takes_the_other_files(make_set, shared_data, tmp_path):
    from ecggan.ecg import EIGHT_LEADS, ECGFormat

    packed = make_set(shared_data / "ptbxl", ecg=ECGFormat(EIGHT_LEADS, 100, 1000, 6.0))
    assert packed.microvolts().shape[1:] == (8, 1000)
    assert packed.records["source"].str.startswith("records100/").all()


def test_set_can_be_packed_from_a_moved_folder(make_set, database, tmp_path):
    here = make_set(database)
    shutil.move(database, tmp_path / "moved")
    assert make_set(tmp_path / "moved").path == here.path


def test_rows_that_name_no_file_of_the_database_or_one_twice_are_counted_as_damaged(make_set, database):
    table = pd.read_csv(database / "ptbxl_database.csv")
    table.loc[1, "filename_hr"] = "/etc/passwd"
    table.loc[2, "filename_hr"] = "../outside/00003_hr"
    table.loc[8, "filename_hr"] = table.loc[0, "filename_hr"]
    table.loc[0, "patient_id"] = np.inf
    table.to_csv(database / "ptbxl_database.csv", index=False)
    packed = make_set(database)
    assert list(packed.records["record"]) == ["00001_hr"]
    assert packed.records["patient"][0] is None
    assert packed.manifest["made_by"]["counts"]["damaged_rows"] == 5


def test_a_download_asks_for_the_chosen_records_only(make_set, database, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    files = {file.relative_to(database).as_posix(): file.read_bytes() for file in database.rglob("*") if file.is_file()}
    with FileServer(files).running() as server:
        server.publish_sums()
        packed = make_set(None, download=Download(server.url))
        chosen = [
            f"records500/00000/{name}{suffix}" for name in packed.records["record"] for suffix in (".hea", ".dat")
        ]
        assert sorted(server.asked) == sorted(["SHA256SUMS.txt", "ptbxl_database.csv", "scp_statements.csv", *chosen])
        num_asked = len(server.asked)
        again = make_set(None, download=Download(server.url))
        assert len(server.asked) == num_asked
        assert again.manifest == packed.manifest
    np.testing.assert_array_equal(packed.microvolts(), make_set(database).microvolts())


def test_a_record_that_cannot_be_fetched_makes_no_smaller_set(make_set, database, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    files = {file.relative_to(database).as_posix(): file.read_bytes() for file in database.rglob("*") if file.is_file()}
    with FileServer(files).running() as server:
        server.publish_sums()
        del files["records500/00000/00002_hr.dat"]
        with pytest.raises(ConnectionError, match=r"1 of 8 files .*00002_hr\.dat"):
            make_set(None, download=Download(server.url))
    assert not list((tmp_path / "cache").glob("sets/*"))
