import pandas as pd
import pytest

from ecggan.data.record import Layout
from ecggan.data.sources.folder import folder_set
from ecggan.data.sources.selection import Selection
from ecggan.evaluation.report.data_report import summary_text, write_data_report
from tests.data.packers import packer


@pytest.fixture
def packed(tmp_path, known_ecg, write_wfdb, paper_format):
    """Thirty good records, two flat ones, one of hostile amplitude, one short and one unreadable."""
    root = tmp_path / "ecgs"
    for i in range(30):
        write_wfdb(root, f"good{i:02d}", known_ecg(1, heart_rate_bpm=50 + 2 * i, seed=i)[0])
    for i in range(2):
        write_wfdb(root, f"flat{i}", known_ecg(1)[0] * 0)
    write_wfdb(root, "loud", known_ecg(1, noise_mv=0.0)[0] * 20)
    write_wfdb(root, "short", known_ecg(1)[0][:, :2000])
    (root / "broken<b>.hea").write_text("nonsense")
    packing = packer(paper_format, tmp_path / "cache")
    return folder_set(root, packing, Selection(None, None, None, None), ["*.hea"], Layout(), 0.2, 0.2)


def test_page_and_tables_name_every_record(packed, tmp_path):
    written = write_data_report(tmp_path / "out", packed, num_workers=1)
    html = written.page.read_text()
    assert "30 of 35 records" in " ".join(html.split())
    assert "lead I moves by 0 mV" in html
    assert "broken&lt;b&gt;" in html
    assert "broken<b>" not in html
    left_out = pd.read_csv(tmp_path / "out" / "left_out.csv")
    assert dict(left_out["rule"].value_counts()) == {"flat": 2, "amplitude": 1, "length": 1, "unreadable": 1}
    pictures = sorted(path.name for path in (tmp_path / "out" / "pictures").glob("*.png"))
    assert [name for name in pictures if not name.startswith("pair")] == [
        "amplitude-0-loud.png",
        "flat-0-flat0.png",
        "flat-1-flat1.png",
        "length-0-short.png",
    ]
    assert html.count("<img") == len(pictures)
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert summary_text(packed, written) == (
        "30 of 35 records are kept; 0 pairs of records in different splits are one ECG"
    )


def test_page_says_what_is_doubtful_and_counts_a_record_without_a_patient_as_one(packed, tmp_path):
    doubtful = packed.subset(slice(10))
    doubtful.records["patient"] = ["4711"] * 8 + [None] * 2
    html = " ".join(write_data_report(tmp_path / "out", doubtful, num_workers=1).page.read_text().split())
    assert "8 of 10 records name one patient, &#39;4711&#39;" in html
    assert "3 (2 records name none)" in html


def test_nothing_is_overwritten(packed, tmp_path):
    (tmp_path / "out" / "inside").mkdir(parents=True)
    with pytest.raises(FileExistsError):
        write_data_report(tmp_path / "out", packed)
