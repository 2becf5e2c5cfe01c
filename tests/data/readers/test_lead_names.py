import json

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ecggan.data.readers.lead_names import known_lead, lead_names, unit_of_row
from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS

NUMBERED = [f"Ch{i}" for i in range(1, 9)]
SAID = dict(zip(NUMBERED, EIGHT_LEADS, strict=True))


@pytest.mark.parametrize(
    "spelling",
    [
        "{}", "Lead{}", "Lead {}", "Lead_{}", "lead-{}", "ECG {}", "ECG_{}", "ecg lead {}", "EKG {}", "EKG_Lead_{}",
        "MDC_ECG_LEAD_{}", "MDC_ECG_ELEC_POTL_{}", "Channel {}", "Ableitung {}", "'{}'", " {} ", "{} lead",
    ],
)  # fmt: skip
@pytest.mark.parametrize("change", [str, str.upper, str.lower], ids=["as it is", "upper", "lower"])
def test_every_lead_is_known_in_every_spelling(spelling, change):
    names = [change(spelling.format(lead)) for lead in TWELVE_LEADS]
    unsure = ["aVR"] if spelling == "lead-{}" else []  # which may be the inverted one
    for lead, found in zip(TWELVE_LEADS, lead_names(names), strict=True):
        assert (found.lead == lead) == (lead not in unsure)
        assert (found.unit, found.fault) == (None, "")


@pytest.mark.parametrize(
    "spelling", ["{} (mV)", "{} [mV]", "{}_mV", "{} mV", "{}/mV", "{}, mV", "Lead {} [millivolts]", "ECG {} (MV)"]
)
def test_name_states_the_unit(spelling):
    for lead in TWELVE_LEADS:
        found = lead_names([spelling.format(lead)])[0]
        assert (found.lead, found.unit.lower()) == (lead, "mv")


@pytest.mark.parametrize("micro", ["uV", "µV", "μV", "UV", "microvolts"])
def test_microvolts_are_known_however_they_are_written(micro):
    name = lead_names([f"V1 ({micro})"])[0]
    assert (name.lead, Layout(unit=name.unit).unit) == ("V1", name.unit)
    assert unit_of_row(f"[{micro}]") == unit_of_row(micro) == name.unit


def test_leads_of_romance_languages_and_roman_numbers_are_known():
    assert [known_lead(name) for name in ("DI", "DII", "DIII", "d ii", "Ⅰ", "Ⅱ", "Ⅲ")] == [
        "I", "II", "III", "II", "I", "II", "III",
    ]  # fmt: skip
    assert [each.lead for each in lead_names(["D1", "D2", "D3", "aVR", "V1"])] == ["I", "II", "III", "aVR", "V1"]


@pytest.mark.parametrize(
    "name",
    [
        "-aVR", "ECG -aVR", "Lead-aVR", "aVR-", "MLI", "MLII", "MCL1", "CM5", "VR", "V", "V0", "V7", "V3R", "VI", "C1",
        "Lead 1", "Lead 7", "ECG1", "Ch1", "Channel 1", "1", "ECG", "lead", "I+II", "I-II", "V1-V2", "V1 (raw)", "I.1",
        "I [mmHg]", "I (Ohm)", "II (bpm)", "I mmHg", "", "mV", "D1", "D2", "D",
    ],
)  # fmt: skip
def test_name_that_may_mean_something_else_is_no_lead(name):
    assert lead_names([name])[0].lead not in TWELVE_LEADS


def test_names_that_number_channels_are_no_leads():
    for names in (["D1", "D2", "D3", "D4", "V1"], ["Channel I", "Channel II", "Channel III", "Channel IV"]):
        assert {each.lead for each in lead_names(names)} & {"I", "II", "III"} == set()


def test_two_names_of_one_lead_are_a_fault_of_that_lead_alone():
    names = lead_names(["I", "ECG I", "II", "RESP", "RESP"])
    assert [bool(name.fault) for name in names] == [True, True, False, True, True]
    assert r"two leads have one name (I): 'I' and 'ECG I'" in names[0].fault
    chosen = lead_names(["I", "ECG I", "II"], {"ECG I": "I"})
    assert [(name.lead, name.fault) for name in chosen] == [("I (not taken)", ""), ("I", ""), ("II", "")]
    assert [name.lead for name in lead_names(["I", "i"], {"i": None})][1] == "i"


def test_what_the_user_says_of_a_name_goes_before_all_else():
    said = {"ch 1": "II", "C1": "V1", "V1": None}
    found = lead_names(["Ch 1 (uV)", "C1", "V1", "I"], said)
    assert [(name.lead, name.unit) for name in found] == [
        ("II", "uV"), ("V1", None), ("V1 (not taken)", None), ("I", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "columns", "expected"),
    [
        (["a", "b"], ["I", "V1"], ["I", "V1"]),
        (["time (s)", "a", "b"], ["I", "V1"], ["time (s)", "I", "V1"]),
        (["time", "a", "b"], ["time", "DI", "V1"], ["time", "I", "V1"]),
        (["time", "a", "b"], ["I", "II", "V1"], ["time", "a", "b"]),  # else the time would be lead I
        (["V1", "I"], ["I", "V1"], ["V1", "I"]),
        (["V1", "b"], ["I", "V1"], ["V1", "b"]),
        (["I", "b"], ["I", "V1"], ["I", "V1"]),
        (["a", "b", "c"], ["I", "V1"], ["a", "b", "c"]),
        (["I (mmHg)", "b"], ["I", "V1"], ["I (mmHg)", "b"]),
    ],
)
def test_columns_of_the_user_hold_where_no_name_contradicts_them(names, columns, expected):
    assert [name.lead for name in lead_names(names, None, columns)] == expected


def test_lead_that_the_user_means_must_be_one():
    for wrong in ("V7", "time", ""):
        with pytest.raises(
            ValueError, match=rf"data.layout.lead_names says that 'Ch1' is '{wrong}'; it must be one of I"
        ):
            Layout(lead_names={"Ch1": wrong})
    assert Layout(lead_names={0: "avr", "x": None}).lead_names == (("0", "aVR"), ("x", None))


@pytest.fixture
def microvolts():
    return np.random.default_rng(0).integers(-2000, 2000, (8, 40)).astype(np.int16)


def write_csv(file, names, ecg):
    pd.DataFrame(ecg.T, columns=names).to_csv(file.with_suffix(".csv"), index=False)


def write_table(file, names, ecg):
    pd.DataFrame(ecg.T, columns=names).to_parquet(file.with_suffix(".parquet"))


def write_lists(file, names, ecg):
    columns = {name: [lead.tolist()] for name, lead in zip(names, ecg, strict=True)}
    pq.write_table(pa.table({"age": [50], **columns}), file.with_suffix(".parquet"))


def write_npz(file, names, ecg):
    np.savez(file.with_suffix(".npz"), ecg, leads=names)


def write_hdf5(file, names, ecg):
    with h5py.File(file.with_suffix(".h5"), "w") as written:
        written["ecg"] = ecg
        written["ecg"].attrs["leads"] = names


WRITERS = [write_csv, write_table, write_lists, write_npz, write_hdf5]


@pytest.mark.parametrize("write", WRITERS)
def test_every_reader_takes_names_as_they_are_said(tmp_path, microvolts, write):
    write(tmp_path / "a", NUMBERED, microvolts)
    (file,) = tmp_path.iterdir()
    for layout in (Layout(None, 500, "uV", lead_names=SAID), Layout(EIGHT_LEADS, 500, "uV")):
        record = read_record(file, layout)
        assert record.leads == EIGHT_LEADS
        assert np.array_equal(record.millivolts, microvolts * 1e-3)
    file.with_suffix(".json").write_text(json.dumps({"sampling_rate": 500, "unit": "uV", "lead_names": SAID}))
    assert read_record(file, Layout()).leads == EIGHT_LEADS


@pytest.mark.parametrize("write", WRITERS)
def test_every_reader_takes_the_unit_from_the_names_and_refuses_another(tmp_path, microvolts, write):
    write(tmp_path / "a", [f"Lead {lead} [uV]" for lead in EIGHT_LEADS], microvolts)
    (file,) = tmp_path.iterdir()
    record = read_record(file, Layout(None, 500, None))
    assert record.leads == EIGHT_LEADS
    assert np.array_equal(record.millivolts, microvolts * 1e-3)
    with pytest.raises(ValueError, match=r"the name of I states uV, but its unit is stated as mV"):
        read_record(file, Layout(None, 500, "mV"))


@pytest.mark.parametrize("write", WRITERS)
def test_every_reader_refuses_one_lead_of_two_names(tmp_path, microvolts, write):
    write(tmp_path / "a", ["I", "ECG I", *EIGHT_LEADS[2:]], microvolts)
    (file,) = tmp_path.iterdir()
    with pytest.raises(ValueError, match=r"two leads have one name \(I\): 'I' and 'ECG I'"):
        read_record(file, Layout(None, 500, "uV"))
    assert np.array_equal(read_record(file, Layout(None, 500, "uV"), leads=["V1"]).millivolts[0], microvolts[2] * 1e-3)


def test_sidecar_that_says_what_cannot_be_is_refused(tmp_path, microvolts):
    write_csv(tmp_path / "a", NUMBERED, microvolts)
    for said in (["Ch1", "I"], {"Ch1": "V9"}, {"Ch1": 3}):
        (tmp_path / "a.json").write_text(json.dumps({"lead_names": said}))
        with pytest.raises(ValueError, match=r"a\.json.*lead_names"):
            read_record(tmp_path / "a.csv", Layout(None, 500, "uV"))
