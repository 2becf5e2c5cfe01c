"""Inputs that once failed, each with its right value."""

from pathlib import Path

import numpy as np
import pytest

from ecggan.data.readers.registry import read_record
from ecggan.data.record import Layout
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.ecg import EIGHT_LEADS, select_leads
from tests.data.packers import packer

PATTERNS = ("*.hea", "*.csv", "*.dcm", "*.scp")
UNKNOWN = Layout()
ANYONE = Selection(None, None, None, None)


@pytest.fixture
def truth(shared_cases):
    return np.loadtxt(shared_cases / "truth_uv.csv", delimiter=",", skiprows=1).T


@pytest.fixture
def make_set(tmp_path, paper_format):
    def make(root: Path, layout: Layout = UNKNOWN):
        return folder_set(root, packer(paper_format, tmp_path / "cache"), ANYONE, PATTERNS, layout, 0.1, 0.1)

    return make


@pytest.mark.parametrize(
    ("folder", "layout", "left_out"),
    [
        ("unwanted-channel", Layout(), {"duplicate": 1}),
        ("dicom-invalid-uid", Layout(), {}),
        ("deepfake-csv", Layout(None, 500, "uV"), {}),
        ("deepfake-csv", Layout(EIGHT_LEADS, 500, "uV"), {}),
        ("pandas-header/mv", Layout(EIGHT_LEADS, 500, "mV"), {}),
        ("pandas-header/uv", Layout(EIGHT_LEADS, 500, "uV"), {}),
        ("scp-from-zero", Layout(), {"duplicate": 1}),
        ("wfdb-file-name-utf8", Layout(), {}),
    ],
)
def test_case_gives_its_right_value(make_set, shared_cases, truth, folder, layout, left_out):
    packed = make_set(shared_cases / folder, layout)
    np.testing.assert_array_equal(packed.microvolts(), np.rint(truth)[None])
    found = packed.manifest["account"]["left_out"]
    assert {rule: len(entries) for rule, entries in found.items()} == left_out


def test_skewed_leads_are_in_step_and_the_record_ends_where_they_do(make_set, shared_cases, truth):
    record = read_record(shared_cases / "wfdb-skew/skew.hea", Layout(), leads=EIGHT_LEADS)
    microvolts = select_leads(record.millivolts, record.leads, EIGHT_LEADS) * 1000
    np.testing.assert_allclose(microvolts[:, :-3], truth[:, :-3], atol=1e-9)
    np.testing.assert_allclose(microvolts[:2, -3:], truth[:2, -3:], atol=1e-9)
    assert np.isnan(microvolts[2:, -3:]).all()
    with pytest.raises(ValueError, match=r"none of the 1 records .* is usable \((?!unreadable)"):
        make_set(shared_cases / "wfdb-skew")


@pytest.mark.parametrize("header", ["Lead {}", "ECG {}", "MDC_ECG_LEAD_{}", "{} (uV)", "D{}", "EKG_{}"])
def test_other_names_of_the_deepfake_columns_are_known(shared_cases, tmp_path, truth, header):
    names = [header.format(lead) if lead[0] == "I" or header[0] != "D" else lead for lead in EIGHT_LEADS]
    lines = (shared_cases / "deepfake-csv/0.csv").read_text().splitlines()
    (tmp_path / "a.csv").write_text("\n".join([",".join(["Timestamp", *names]), *lines[1:]]))
    record = read_record(tmp_path / "a.csv", Layout(None, 500, "uV"), leads=EIGHT_LEADS)
    np.testing.assert_allclose(select_leads(record.millivolts, record.leads, EIGHT_LEADS) * 1000, truth, atol=1e-9)


def test_one_ecg_in_scp_aecg_and_dicom_has_the_same_samples(make_set, shared_data, tmp_path, paper_format):
    folder = shared_data / "ecgtoolkit"
    records = [read_record(folder / f"Example.{suffix}", Layout()) for suffix in ("scp", "xml", "dcm")]
    for record in records:
        assert (set(record.leads), record.sampling_rate) == (set(records[0].leads), 500)
        assert (record.facts["patient"], record.facts["sex"]) == ("SBJ-123", "male")
        found = select_leads(record.millivolts, record.leads, records[0].leads)
        np.testing.assert_allclose(found, records[0].millivolts, atol=1e-12)
