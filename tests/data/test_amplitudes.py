"""ECGs far larger or smaller than those of adults elsewhere: said wherever they are packed, and of no known set."""

import logging
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest

from ecggan.data.amplitudes import FURTHEST, amplitude_caution, median_amplitude, times_adults
from ecggan.data.packing.outcomes import NothingUsableError
from ecggan.data.readers.devices import read_device_file
from ecggan.data.readers.wfdb import read_wfdb
from ecggan.data.record import Layout
from ecggan.data.sets.cautions import cautions
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sources.code15 import code15_set
from ecggan.data.sources.combined import combined_set
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.ready_set import ready_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS, TWELVE_LEADS, select_leads
from tests.data.packers import packer
from tests.data.quality_rules import RULES

ANYBODY = Selection(None, None, None, None)


@pytest.fixture(scope="module")
def adults(known_ecg):
    """Twelve ECGs of an amplitude of 1."""
    ecgs = known_ecg(12)
    return ecgs / np.median([times_adults(ecg, EIGHT_LEADS, 500) for ecg in ecgs])


@pytest.fixture
def packed(tmp_path, paper_format):
    """Pack ECGs that are stored as numbers of some unit."""

    def pack(numbers, unit, name="ecgs", **changes):
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        np.save(root / "all.npy", numbers)
        layout = Layout(EIGHT_LEADS, 500, unit)
        packing = packer(paper_format, tmp_path / "cache", **changes)
        return folder_set(root, packing, ANYBODY, ["*.npy"], layout, 0.1, 0.1)

    return pack


def amplitude_of(records):
    found = [times_adults(each.millivolts, each.leads, each.sampling_rate) for each in records]
    return median_amplitude([times for times in found if times is not None])


def caution_of(records):
    return amplitude_caution("set", amplitude_of(records), "Remedy.")


def test_no_known_set_of_adults_is_doubted(shared_data):
    ptbxl = sorted((shared_data / "ptbxl" / "records500").rglob("*.hea"))[::8]
    ludb = sorted((shared_data / "ludb" / "data").glob("*.hea"))[::4]
    challenge = sorted((shared_data / "challenge2021").glob("*.hea"))
    muse = [read_device_file(file) for file in sorted((shared_data / "muse_xml").glob("*.xml"))]
    sets = {
        "ptbxl": [read_wfdb(file) for file in ptbxl],
        "ludb": [read_wfdb(file, millivolts_per_step=1e-3) for file in ludb],
        "muse": muse,
        **{site: [read_wfdb(f) for f in challenge if f.stem.startswith(site)] for site in ("E", "HR", "JS")},
    }
    found = {name: amplitude_of(records)["times_adults"] for name, records in sets.items()}
    assert all(0.8 < times < 1.25 for times in found.values()), found
    assert all(not caution_of(records) for records in sets.values())
    assert 0.93 < found["ptbxl"] < 1.07


def test_code15_is_doubted_as_millivolts_and_not_as_0_4_of_them(shared_data, tmp_path, paper_format, caplog):
    root = tmp_path / "code15"
    root.mkdir()
    records = [read_wfdb(file) for file in sorted((shared_data / "code15_400hz").glob("*.hea"))]
    numbers = np.stack([select_leads(each.millivolts, each.leads, TWELVE_LEADS).T for each in records])
    with h5py.File(root / "exams_part0.hdf5", "w") as file:
        file["tracings"] = numbers.astype(np.float32)
        file["exam_id"] = np.arange(12)
    columns = ["exam_id", "age", "is_male", "1dAVb", "RBBB", "LBBB", "SB", "ST", "AF", "patient_id", "normal_ecg"]
    rows = [[i, 40, True, *[False] * 6, 100 + i, True] for i in range(12)]
    pd.DataFrame(rows, columns=columns).to_csv(root / "exams.csv", index=False)

    def make(unit):
        return code15_set(root, packer(paper_format, tmp_path / "cache"), ANYBODY, unit, 0.1, 0.1)

    with pytest.raises(ValueError, match=r"data=code15 needs data.unit .*0.39 to 0.5 mV.*data.unit='0.4 mV'"):
        make(None)
    (said,) = make("mV").manifest["account"]["cautions"]
    assert "code15 (code15): its ECGs are 1.7 times as large as those of adults elsewhere" in said
    assert "12 records" in said
    assert "data.unit='0.4 mV'" in said
    assert said in caplog.text
    caplog.clear()
    as_found = make("0.4 mV")
    assert as_found.manifest["account"]["cautions"] == []
    assert "times as large" not in caplog.text
    # all that is read counts, also what a rule excludes
    assert as_found.manifest["account"]["amplitudes"]["code15"] == {
        "times_adults": pytest.approx(0.69, abs=0.02),
        "records": 12,
    }


def test_the_same_records_as_wfdb_are_doubted_too_and_a_factor_corrects_them(shared_data, tmp_path, paper_format):
    root, packing = shared_data / "code15_400hz", packer(paper_format, tmp_path / "cache")
    as_stated = folder_set(root, packing, ANYBODY, ["*.hea"], Layout(), 0.1, 0.1)
    (said,) = as_stated.manifest["account"]["cautions"]
    assert "data.layout.factor=0.4" in said
    corrected = folder_set(root, packing, ANYBODY, ["*.hea"], Layout(factor=0.4), 0.1, 0.1)
    assert corrected.manifest["account"]["cautions"] == []


@pytest.mark.parametrize("factor", [4.88, 2.5, 2, 1.8, 1 / 1.8, 1 / 2.5, 1 / 4.88])
def test_a_wrong_gain_is_said_with_its_factor(packed, adults, factor):
    any_amplitude = replace(RULES, max_amplitude_mv=None)
    (said,) = packed(adults * factor, "mV", quality=any_amplitude).manifest["account"]["cautions"]
    assert f"its ECGs are {factor:.2g} times as large" in said
    assert f"times {1 / factor:.2g} they would be alike" in said
    assert packed(adults * factor, f"{1 / factor} mV").manifest["account"]["cautions"] == []


@pytest.mark.parametrize("factor", [0.7, 1, 1.4])
def test_what_adults_differ_by_is_not_said(packed, adults, factor):
    assert packed(adults * factor, "mV").manifest["account"]["cautions"] == []


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (1000, r"amplitude 12\).*the unit may be wrong.*are 1,000 times as large.*times 0.001 they"),
        (4.88, r"amplitude 12\).*are 4.9 times as large.*times 0.2 they"),
        (0.001, r"flat 12\).*the unit may be wrong.*are 0.001 times as large.*times 1,000 they"),
    ],
)
def test_where_nothing_is_usable_the_factor_stands_in_the_error(packed, adults, factor, message):
    with pytest.raises(NothingUsableError, match=message):
        packed(adults * factor, "mV")


def test_few_records_are_doubted_beyond_what_one_person_may_have_alone(packed, adults):
    any_amplitude = replace(RULES, max_amplitude_mv=None)
    for count, factor, is_said in (
        (1, 2.8, False),
        (3, 2.8, False),
        (1, 4.88, True),
        (3, 1 / 4.88, True),
        (4, 2, True),
    ):
        ecgs = packed(adults[:count] * factor, "mV", name=f"{count}-{factor}", quality=any_amplitude)
        assert bool(ecgs.manifest["account"]["cautions"]) == is_said, (count, factor)


def test_children_do_not_count(adults):
    big = adults[0] * 2
    assert times_adults(big, EIGHT_LEADS, 500, age=7) is None
    for age in (None, np.nan, 40):
        assert times_adults(big, EIGHT_LEADS, 500, age) == pytest.approx(2, rel=0.2)


def test_an_amplitude_depends_on_no_lead_rate_or_wander_alone(adults):
    ecg = adults[0]
    whole = times_adults(ecg, EIGHT_LEADS, 500)
    assert times_adults(ecg[:, ::2], EIGHT_LEADS, 250) == pytest.approx(whole, rel=0.03)
    wander = 0.2 * np.sin(2 * np.pi * 0.2 * np.arange(5000) / 500)
    assert times_adults(ecg + wander, EIGHT_LEADS, 500) == pytest.approx(whole, rel=0.2)
    off = ecg.copy()
    off[3], off[4, 100] = 0, np.nan
    assert times_adults(off, EIGHT_LEADS, 500) == pytest.approx(whole, rel=0.15)
    spike = ecg.copy()
    spike[:, 100] = 30
    assert times_adults(spike, EIGHT_LEADS, 500) == pytest.approx(whole, rel=0.02)
    with_another = times_adults(np.vstack([ecg, 100 * ecg[:1]]), (*EIGHT_LEADS, "PLETH"), 500)
    assert with_another == whole


def test_what_has_no_amplitude_has_none(adults):
    assert times_adults(adults[0][:, :900], EIGHT_LEADS, 500) is None
    assert times_adults(adults[0] * 0, EIGHT_LEADS, 500) is None
    assert times_adults(adults[0] * np.nan, EIGHT_LEADS, 500) is None
    assert times_adults(adults[0][:1], ["PLETH"], 500) is None
    assert amplitude_caution("set", median_amplitude([]), "") == ""


def test_of_several_sources_the_one_in_doubt_is_named(packed, adults, tmp_path):
    parts = {
        "ptbxl": {"root": "given", "source": lambda: packed(adults, "mV", "ptbxl")},
        "folder": {"root": "given", "source": lambda: packed(adults[::-1] * 2, "mV", "folder")},
    }
    account = combined_set(parts, tmp_path / "cache").manifest["account"]
    assert account["amplitudes"]["ptbxl"] == {"times_adults": 1, "records": 12}
    assert account["amplitudes"]["folder"] == {"times_adults": 2, "records": 12}
    (said,) = account["cautions"]
    assert said.startswith("folder (folder): its ECGs are 2 times as large")
    assert "data.parts.folder.layout.unit=" in said


def test_a_ready_set_is_looked_at_when_it_is_opened(adults, tmp_path, caplog):
    ECGSet.from_arrays(adults * 2, EIGHT_LEADS, 500).save(tmp_path / "set")
    with caplog.at_level(logging.WARNING):
        opened = ready_set(tmp_path / "set")
    (said,) = cautions(opened)
    assert "its ECGs are 2 times as large as those of adults elsewhere" in said
    assert said in caplog.text
    with pytest.raises(ValueError, match=r"data.root must be given"):
        ready_set(None)


def test_the_limit_lies_between_what_is_known_to_be_right_and_what_is_not():
    assert 1.25 < FURTHEST < 1.72
