"""Patient numbers that stand for nobody, from every source, and sets of one patient."""

import json
import logging
import re
import shlex

import numpy as np
import pandas as pd
import pydicom
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from ecggan.data.patients import one_patient, patient_cautions, stands_for_nobody
from ecggan.data.record import Layout
from ecggan.data.sets.cautions import cautions
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.report.data_report import _patients
from ecggan.stats.resampling import effective_sample_size, patient_numbers
from tests.data.packers import packer

NOBODY = (
    *("ANONYMOUS", "Anonymous", "anon", "ANONYMOUS^PATIENT", "anonymisé", "De-Identified", "deidentified", "REMOVED"),
    *("None", "NULL", "(null)", "nan", "N/A", "#N/A", "<NA>", "n.a.", "NaT", "unknown", "Unbekannt", "not available"),
    *("0", "000000", "0.0", "-0", "00000000-0000-0000-0000-000000000000", "-1", "-1.0", "−1", "-9", "-999"),
    *("999999", "99999999", "99999999.0", "11111111", "12345678", "xxx", "XXXXXXXX", "test", "TEST PATIENT", "dummy"),
    *("", "   ", "*****", "---", "?", "_", "PatientID", "匿名", "John Doe"),
)
SOMEBODY = (
    *("1", "Anna", "7", "10", "100", "007", "0001", "1.0", "-2", "-7234", "9999", "99999", "1234567", "1111111"),
    *(
        "X",
        "AAA",
        "anon-0017",
        "ANONYMOUS_12",
        "TEST12",
        "Test-Anna",
        "Nathan",
        "Noneman",
        "N7",
        "P0",
        "0x1f",
        "patient3",
    ),
)


@pytest.mark.parametrize("number", NOBODY)
def test_placeholders_stand_for_nobody(number):
    assert stands_for_nobody(number)


@pytest.mark.parametrize("number", SOMEBODY)
def test_numbers_and_pseudonyms_are_somebody(number):
    assert not stands_for_nobody(number)


def test_further_placeholders_are_what_the_user_says():
    assert stands_for_nobody("4711", ["4711"])
    assert stands_for_nobody(" clinic X ", ["Clinic X"])
    assert not stands_for_nobody("47110", ["4711"])


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(root, patterns=("*.xml", "*.dcm", "*.scp", "*.csv", "*.parquet"), **changes):
        packing = packer(paper_format, tmp_path / "cache", **changes)
        return folder_set(root, packing, Selection(None, None, None, None), patterns, Layout(), 0.1, 0.1)

    return make


def test_four_people_of_a_muse_export_are_four(make_set, shared_cases, caplog):
    ecgs = make_set(shared_cases / "placeholder-patient")
    rows = ecgs.records.set_index("record")
    assert rows["split"].to_dict() == {
        "MUSE_0000": "train",
        "MUSE_0002": "validation",
        "MUSE_0014": "validation",
        "MUSE_0019": "test",
    }
    assert rows["patient"].isna().all()
    assert set(rows["placeholder_patient"]) == {"ANONYMOUS"}
    account = ecgs.manifest["account"]
    assert account["placeholder_patients"] == {"ANONYMOUS": 4}
    assert "the patient number of 4 of 4 records stands for nobody: 'ANONYMOUS' (4)" in account["cautions"][0]
    assert account["cautions"][0] in caplog.text
    assert effective_sample_size(patient_numbers(ecgs.records["patient"], len(ecgs))) == 4
    assert _patients(ecgs.records).value == 4


def test_files_of_every_format_name_nobody_by_a_placeholder(make_set, tmp_path, known_ecg, shared_data):
    root = tmp_path / "ecgs"
    root.mkdir()
    first, second, third, fourth = known_ecg(4)
    layout = {"leads": EIGHT_LEADS, "sampling_rate": 500, "unit": "mV"}
    np.savetxt(root / "text.csv", first.T, delimiter=",")
    (root / "text.json").write_text(json.dumps({**layout, "patient": "N/A"}))
    np.savetxt(root / "real.csv", second.T, delimiter=",")
    (root / "real.json").write_text(json.dumps({**layout, "patient": "Anna"}))
    table = {"patient": [0, 17], "ecg": [third.tolist(), fourth.tolist()]}
    pd.DataFrame(table).to_parquet(root / "table.parquet")
    (root / "table.json").write_text(json.dumps(layout))
    dicom = pydicom.dcmread(next((shared_data / "dicom_ecg").glob("*.dcm")))
    dicom.PatientID = "REMOVED"
    dicom.save_as(root / "dicom.dcm")
    aecg = (shared_data / "aecg" / "Example_aECG.xml").read_text()
    (root / "aecg.xml").write_text(aecg)
    (root / "aecg.json").write_text('{"patient": "xxx"}')
    rows = make_set(root).records.set_index("record")
    placeholders = {"text": "N/A", "table/0": "0", "dicom": "REMOVED", "aecg": "xxx"}
    assert rows["placeholder_patient"].dropna().to_dict() == placeholders
    assert rows["patient"].dropna().to_dict() == {"real": "Anna", "table/1": "17"}
    names = {**{name: name for name in placeholders}, "real": "Anna", "table/1": "17"}
    assert rows["split"].to_dict() == {record: split_of(name, 0.1, 0.1) for record, name in names.items()}


def test_a_patient_that_a_sidecar_leaves_empty_is_unknown_and_no_placeholder(make_set, shared_cases, tmp_path):
    root = tmp_path / "muse"
    root.mkdir()
    for name in ("MUSE_0000.xml", "MUSE_0002.xml"):
        text = (shared_cases / "placeholder-patient" / name).read_text()
        (root / name).write_text(text.replace("ANONYMOUS", "4711"))
    assert set(make_set(root).records["patient"]) == {"4711"}
    (root / "ecg.json").write_text('{"patient": ""}')
    ecgs = make_set(root)
    assert ecgs.records["patient"].isna().all()
    assert ecgs.manifest["account"]["placeholder_patients"] == {}


def test_one_real_number_for_all_is_said_and_can_be_named_a_placeholder(make_set, shared_cases, tmp_path, caplog):
    root = tmp_path / "muse"
    root.mkdir()
    for file in (shared_cases / "placeholder-patient").glob("*.xml"):
        (root / file.name).write_text(file.read_text().replace("ANONYMOUS", "4711"))
    ecgs = make_set(root)
    assert set(ecgs.records["split"]) == {split_of("4711", 0.1, 0.1)}
    (said,) = ecgs.manifest["account"]["cautions"]
    assert "4 of 4 records name one patient, '4711'" in said
    assert "packing.placeholder_patients=[4711]" in said
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        make_set(root)  # from the cache
    assert said in caplog.text
    apart = make_set(root, placeholder_patients=[4711])
    assert apart.path != ecgs.path
    assert apart.records["split"].nunique() == 3
    assert apart.manifest["account"]["placeholder_patients"] == {"4711": 4}


def table_of(*patients):
    return pd.DataFrame({"record": list(map(str, range(len(patients)))), "patient": patients})


def test_most_records_of_one_patient_are_three_at_least_and_more_than_half():
    assert one_patient(table_of("7", "7")) == ""
    assert one_patient(table_of("7", "7", "8")) == ""
    assert one_patient(table_of("7", "7", "8", "9", "7", "1")) == ""
    assert one_patient(table_of(*map(str, range(50)))) == ""
    assert one_patient(table_of(None, None, None, None)) == ""
    assert one_patient(pd.DataFrame({"record": ["a"] * 9})) == ""
    assert "3 of 4 records name one patient, '7'" in one_patient(table_of("7", "7", None, "7"))
    assert "\n" not in one_patient(table_of(*["a\nb'"] * 3))


def test_an_older_set_that_holds_a_placeholder_is_to_be_made_again():
    (said,) = patient_cautions(table_of(*["ANONYMOUS"] * 5), "folder")
    assert "5 of 5 records name one patient, 'ANONYMOUS'" in said
    assert "make the set again from its files" in said


@pytest.mark.parametrize("number", ["O'Brien", "a b", "007", "4711", 'a"b', "1e5", "[x]", "true"])
def test_the_remedy_can_be_pasted_into_a_shell(number):
    remedy = re.search(r"packing.placeholder_patients=.*", one_patient(table_of(*[number] * 3)))
    (override,) = shlex.split(remedy[0])
    assert list(map(str, OverridesParser.create().parse_override(override).value())) == [number]


def test_cautions_of_a_split_count_its_own_records(known_ecg):
    ecgs = ECGSet.from_arrays(known_ecg(8), EIGHT_LEADS, 500)
    ecgs.records["patient"] = ["a"] * 4 + list("bcde")
    assert cautions(ecgs) == []
    (said,) = cautions(ecgs.subset(slice(4)))
    assert "4 of 4 records name one patient, 'a'" in said


def test_any_text_is_somebody_or_nobody():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        number = "".join(
            map(chr, rng.choice([0, 9, 32, 45, 46, 48, 57, 65, 120, 0x2212, 0x663, 0xD800, 0x1F600], rng.integers(6)))
        )
        records = table_of(*[number] * 3)
        assert stands_for_nobody(number) in (True, False)
        assert one_patient(records).isprintable()
