import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.comparison import compare
from ecggan.evaluation.measurements import measure
from ecggan.evaluation.report import write_report

Sets = dict[str, ECGSet]


@pytest.fixture(scope="module")
def sets(known_ecg: Callable[..., np.ndarray]) -> Sets:
    real = ECGSet.from_arrays(known_ecg(num_records=3), EIGHT_LEADS, 500)
    real.manifest["account"] = {
        "read": 5,
        "kept": 3,
        "left_out": {"<b>bold</b> rule": [{"record": f"r{i}", "detail": "<i>why</i>"} for i in range(4)]},
    }
    signals = known_ecg(num_records=4, heart_rate_bpm=80, seed=1)
    signals[1] = np.random.default_rng(0).normal(0, 0.2, signals[1].shape)
    signals[2:, 3] = 0  # V2 is off in two of them, and V3 in one
    signals[3, 4] = 0
    return {"real": real, "generated": ECGSet.from_arrays(signals, EIGHT_LEADS, 500, kind="generated")}


def write(out: Path, sets: Sets) -> Path:
    tables = {f"{name}_table": measure(ecgs, num_workers=1, progress=False) for name, ecgs in sets.items()}
    comparison = compare(tables["real_table"], tables["generated_table"])
    return write_report(out, **sets, **tables, comparison=comparison, settings={"seed": 0, "share": float("nan")})


@pytest.fixture(scope="module")
def report(sets: Sets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("report") / "out", sets)


def test_every_promised_file_is_there(report: Path) -> None:
    names = {path.name for path in report.parent.iterdir()}
    assert names == {
        "report.html",
        "comparison.csv",
        "summary.json",
        "measurements_real.parquet",
        "measurements_generated.parquet",
        "pictures",
    }
    assert {path.suffix for path in (report.parent / "pictures").iterdir()} == {".png"}
    assert len(pd.read_parquet(report.parent / "measurements_generated.parquet")) == 4


def test_report_asks_the_network_for_nothing(report: Path) -> None:
    html = report.read_text()
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]*)', html))


def test_report_escapes_what_the_sets_say(report: Path) -> None:
    html = report.read_text()
    assert "<b>bold" not in html
    assert "&lt;b&gt;bold" in html


def test_report_says_how_many_could_be_measured_and_why_not(report: Path) -> None:
    text = " ".join(re.sub(r"<[^>]*>", " ", report.read_text()).split())
    assert "3 of 4 generated records (75.0 %) could be measured as an ECG, against 3 of 3 real ones (100.0 %)" in text
    assert "Heart rate" in text
    assert "fewer than 30 measurable records" in text
    assert "Everything could be measured in every record" in text
    assert "V2: no signal 2 50.0 %" in text
    assert "no comparison with patients" not in text


def test_summary_is_strict_json_and_agrees_with_the_tables(report: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    summary = json.loads((report.parent / "summary.json").read_text(), parse_constant=refuse)
    assert summary["schema_version"] == 1
    assert summary["sets"]["generated"]["num_measurable"] == 3
    assert summary["sets"]["generated"]["kind"] == "generated"
    assert sum(summary["reasons_not_measurable"]["generated"].values()) == 1
    assert summary["missing"] == {"real": {}, "generated": {"V2: no signal": 2, "V3: no signal": 1}}
    assert summary["settings"] == {"seed": 0, "share": None}
    csv = pd.read_csv(report.parent / "comparison.csv").set_index("measurement")
    heart_rate = summary["measurements"]["heart_rate_bpm"]
    assert heart_rate["difference"] == pytest.approx(csv.loc["heart_rate_bpm", "difference"])
    assert heart_rate["difference"] == pytest.approx(10, abs=2)


def test_content_hash_follows_the_ecgs_and_not_where_they_lie(report: Path, sets: Sets, tmp_path: Path) -> None:
    stored = {**sets, "real": sets["real"].save(tmp_path / "real")}
    summaries = [
        json.loads((path.parent / "summary.json").read_text())["sets"]
        for path in (report, write(tmp_path / "out", stored))
    ]
    assert summaries[0]["real"]["content_sha256"] == summaries[1]["real"]["content_sha256"]
    assert summaries[0]["real"]["content_sha256"] != summaries[0]["generated"]["content_sha256"]
    assert summaries[1]["real"]["name"] == "real"


def test_the_same_sets_give_the_same_report(report: Path, sets: Sets, tmp_path: Path) -> None:
    assert write(tmp_path / "again", sets).read_bytes() == report.read_bytes()


def test_a_generated_reference_is_called_so(sets: Sets, tmp_path: Path) -> None:
    html = write(tmp_path / "out", {"real": sets["generated"], "generated": sets["generated"]}).read_text()
    assert "no comparison with\n  patients" in html
    assert '<span class="is-real">reference</span>' in html


def test_sets_without_a_measurable_record_still_give_a_report(tmp_path: Path) -> None:
    flat = ECGSet.from_arrays(np.zeros((2, 8, 5000)), EIGHT_LEADS, 500, kind="generated")
    empty = ECGSet.from_arrays(np.zeros((0, 8, 5000)), EIGHT_LEADS, 500)
    html = write(tmp_path / "out", {"real": empty, "generated": flat}).read_text()
    assert "No measurement could be compared" in html
    assert "The set is empty." in html


def test_an_existing_report_is_not_overwritten(report: Path, sets: Sets) -> None:
    with pytest.raises(FileExistsError, match="not empty"):
        write(report.parent, sets)


def test_tables_of_other_sets_are_refused(sets: Sets, tmp_path: Path) -> None:
    table = measure(sets["real"], num_workers=1, progress=False)
    with pytest.raises(ValueError, match="generated_table must have a row for each record"):
        write_report(tmp_path / "out", sets["real"], sets["generated"], table, table, compare(table, table), {})
    assert not (tmp_path / "out").exists()
