import h5py
import numpy as np
import pytest

from ecggan.data.packing.outcomes import NothingUsableError
from ecggan.data.sets.splits import split_of
from ecggan.data.sources.code15 import code15_set
from ecggan.data.sources.selection import Selection, Statements
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads
from tests.data.packers import packer

HEADER = "exam_id,age,is_male,nn_predicted_age,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,death,timey,normal_ecg,trace_file"
ROWS = (
    "11,38,True,40.1,False,False,False,False,False,False,900,False,2.0,True,exams_part0.hdf5",
    "12,73,True,67.0,False,False,False,False,False,True,901,False,2.0,False,exams_part0.hdf5",
    "13,67,False,70.0,False,False,False,False,False,False,902,False,2.0,True,exams_part0.hdf5",
    "14,51,False,50.0,False,True,False,False,False,False,902,False,2.0,True,exams_part1.hdf5",
    "15,45,False,50.0,False,False,False,False,False,False,900,False,2.0,True,exams_part1.hdf5",
    "16,45,False,50.0,False,False,False,False,False,False,903,False,2.0,True,exams_part17.hdf5",
)


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(root, labels=None, unit="mV", num_workers=0):
        selection = Selection(labels, Statements(["normal_ecg"], 0, []), None, None)
        packing = packer(paper_format, tmp_path / "cache", num_workers=num_workers)
        return code15_set(root, packing, selection, unit, 0.2, 0.2)

    return make


@pytest.fixture
def ecgs(known_ecg):
    """Six exams of 12 leads at 400 Hz; the third has 7 s."""
    eight = known_ecg(6, sampling_rate=400, num_samples=4000)
    return select_leads(eight, EIGHT_LEADS, TWELVE_LEADS).astype(np.float32)


@pytest.fixture
def root(tmp_path, ecgs):
    """Two parts as CODE-15 % writes them, the last row of each empty."""
    root = tmp_path / "code15"
    root.mkdir()
    (root / "exams.csv").write_text("\n".join([HEADER, *ROWS]) + "\n")
    for part, exams in ((0, (11, 12, 13)), (1, (15, 14))):
        with h5py.File(root / f"exams_part{part}.hdf5", "w") as file:
            tracings = np.zeros((len(exams) + 1, 4096, 12), np.float32)
            for row, exam in enumerate(exams):
                length = 2800 if exam == 13 else 4000
                start = (4096 - length) // 2
                tracings[row, start : start + length] = ecgs[exam - 11, :, :length].T
            file.create_dataset("tracings", data=tracings)
            file["exam_id"] = [*exams, 0]
    return root


def test_normal_exams_are_found_by_their_numbers(make_set, root):
    packed = make_set(root)
    assert list(packed.records["record"]) == ["11", "15"]
    assert list(packed.records["patient"]) == ["900", "900"]
    assert list(packed.records["split"]) == [split_of("900", 0.2, 0.2)] * 2
    assert list(packed.records["position"]) == [0, 0]
    assert list(packed.records["source"]) == ["exams_part0.hdf5", "exams_part1.hdf5"]
    assert list(packed.records["sex"]) == ["male", "female"]
    assert list(packed.records["resampled_from"]) == [400, 400]
    counts = packed.manifest["made_by"]["counts"]
    assert (counts["exams_in_the_parts_here"], counts["exams_elsewhere"], counts["chosen"]) == (5, 1, 3)


def test_zeros_before_and_after_are_no_part_of_the_ecg(make_set, root, ecgs):
    packed = make_set(root)
    eight = select_leads(ecgs, TWELVE_LEADS, EIGHT_LEADS)
    at_400_hz = packed.millivolts()[:, :, ::5]  # every fifth sample at 500 Hz is every fourth at 400
    assert np.abs(at_400_hz - eight[[0, 4]][:, :, ::4]).max() < 0.06  # noise between the rates
    assert np.abs(packed.millivolts()[:, :, 0]).max() > 0


def test_exam_of_seven_seconds_is_too_short(make_set, root):
    (entry,) = make_set(root).manifest["account"]["left_out"]["length"]
    assert entry == {"record": "13", "detail": "7 s, wanted are 10 (nothing is padded)"}


def test_any_label_may_be_asked_for(make_set, root):
    assert list(make_set(root, ["AF", "RBBB"]).records["record"]) == ["12", "14"]


def test_placeholders_of_the_table_are_nobody(make_set, root):
    table = (root / "exams.csv").read_text()
    (root / "exams.csv").write_text(table.replace(",900,", ",000000,"))
    packed = make_set(root)
    placeholders = packed.records.set_index("record")["placeholder_patient"].dropna()
    assert set(placeholders) == {"000000"}
    splits = packed.records.set_index("record")["split"]
    assert all(splits[exam] == split_of(exam, 0.2, 0.2) for exam in placeholders.index)


def test_a_unit_is_asked_for_and_may_have_a_factor(make_set, root, ecgs):
    with pytest.raises(ValueError, match=r"data=code15 needs data.unit .*data.parts.code15.unit.*0.39 to 0.5 mV"):
        make_set(root, unit=None)
    whole, half = make_set(root).microvolts(), make_set(root, unit="0.5 mV").microvolts()
    np.testing.assert_allclose(half, whole / 2, atol=0.5)


def test_wrong_unit_is_noticed(make_set, root):
    with pytest.raises(NothingUsableError, match="the unit may be wrong: mV taken for µV"):
        make_set(root, unit="uV")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_damaged_part_is_accounted_for(make_set, root, num_workers):
    (root / "exams_part1.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n")
    packed = make_set(root, num_workers=num_workers)
    assert list(packed.records["record"]) == ["11"]
    (entry,) = packed.manifest["account"]["left_out"]["unreadable"]
    assert entry["record"] == "exams_part1"
    assert "exams_part1.hdf5 cannot be read" in entry["detail"]


def test_what_is_missing_is_named(make_set, root, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"with its exams.csv; .*nowhere does not"):
        make_set(tmp_path / "nowhere")
    (root / "exams.csv").write_text("exam_id,age\n1,2\n")
    with pytest.raises(ValueError, match="the column 1dAVb is missing"):
        make_set(root)
    for part in root.glob("*.hdf5"):
        part.unlink()
    with pytest.raises(FileNotFoundError, match="unpack at least one part"):
        make_set(root)
