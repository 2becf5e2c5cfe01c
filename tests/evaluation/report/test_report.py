import json
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.ecg import EIGHT_LEADS
from ecggan.evaluation.assessment import assess
from ecggan.evaluation.failures import FailureLog
from ecggan.evaluation.report import figures as pictures
from ecggan.evaluation.report.notices import notices
from ecggan.evaluation.report.page import page_tables, report_page
from ecggan.evaluation.report.report import PICTURE_FORMATS, write_report
from ecggan.evaluation.report.summary import summarise

pytestmark = pytest.mark.slow

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
    signals[:, 0] *= -1  # as with the arms' electrodes exchanged: none is normal
    signals[2:, 3] = 0  # V2 is off in two of them, and V3 in one
    signals[3, 4] = 0
    return {"real": real, "generated": ECGSet.from_arrays(signals, EIGHT_LEADS, 500, kind="generated")}


def write(out: Path, real: ECGSet, picture_formats: tuple[str, ...] = (), **generated: ECGSet) -> Path:
    assessment = assess(real, generated, num_workers=1, progress=False)
    return write_report(out, assessment, {"seed": 0, "share": float("nan")}, picture_formats)


@pytest.fixture(scope="module")
def report(sets: Sets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("report") / "out", picture_formats=PICTURE_FORMATS, **sets)


def text_of(report: Path) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", report.read_text(encoding="utf-8")).split())


def test_every_promised_file_is_there(report: Path) -> None:
    names = {path.name for path in report.parent.iterdir()}
    tables = {"comparison.csv", "relations.csv", "signals.csv", "nearest_generated.csv", "pairs_generated.csv"}
    measured = {"measurements_real.parquet", "measurements_generated.parquet"}
    assert names == {"report.html", "summary.json", "tables", "pictures", *tables, *measured}
    pictures = {path.name for path in (report.parent / "pictures").iterdir()}
    figures = ("distributions", "quantiles", "rr_qt", "spectra", "lead_correlations")  # too few records for intervals
    assert {f"{name}.{suffix}" for name in figures for suffix in ("png", "pdf", "svg")} <= pictures
    assert {"real_1.png", "real_1.pdf", "generated_1.png", "generated_1.pdf"} <= pictures
    written = {path.name for path in (report.parent / "tables").iterdir()}
    papers = ("measurements", "shares", "variety", "novelty", "published")
    assert written == {f"{name}.{suffix}" for name in papers for suffix in ("md", "tex", "csv")}
    rows = pd.read_parquet(report.parent / "measurements_generated.parquet")
    assert len(rows) == 4
    assert {"is_normal", "not_normal"} <= set(rows)


@pytest.fixture(scope="module")
def varied(varied_ecgs: Callable[..., np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a set that holds three copies of training ECGs, with sets large enough to be compared as clouds."""
    records = varied_ecgs(120)
    real, training, fresh = (
        ECGSet.from_arrays(records[a:b], EIGHT_LEADS, 500) for a, b in ((0, 40), (40, 80), (80, 120))
    )
    signals = fresh.millivolts().astype(float)
    signals[[3, 8, 20]] = 0.8 * np.roll(training.millivolts()[[0, 1, 5]], 50, axis=2)
    generated = ECGSet.from_arrays(signals, EIGHT_LEADS, 500, kind="generated")
    assessment = assess(real, {"ours": generated}, num_workers=1, progress=False, training=training)
    return write_report(tmp_path_factory.mktemp("varied") / "out", assessment, picture_formats=())


def test_variety_and_novelty_are_answered_and_shown(varied: Path) -> None:
    text, folder = text_of(varied), varied.parent
    assert "Not new: 3 of 40 are copies of training ECGs." in text
    assert "with 40 held-out ECGs of other patients" in text
    assert "A copy: ours 3 (black) over training 0 (blue, shifted by +100 ms and × 0.80); correlation 1.00" in text
    for name in ("clouds", "nearest"):
        assert (folder / "pictures" / f"{name}.png").is_file()
    assert (folder / "pictures" / "ours_pair_3.png").is_file()
    clouds = pd.read_csv(folder / "clouds.csv")
    assert set(clouds["cloud"]) == {"measurements", "beats"}
    assert len(clouds) == len(pd.read_csv(folder / "tables" / "variety.csv")) == 14
    assert clouds["value"].notna().all()
    nearest = pd.read_csv(folder / "nearest_ours.csv").set_index("record")
    assert nearest.loc[[3, 8, 20], "training"].tolist() == [0, 1, 5]
    pairs = pd.read_csv(folder / "pairs_ours.csv")
    assert sorted(pairs.loc[pairs["is_copy"], "record"]) == [3, 8, 20]
    judged = json.loads((folder / "summary.json").read_text())["judgements"]["ours"]
    assert judged["privacy"]["level"] == "far"
    assert judged["novelty"]["copies"]["num_records"] == 3
    assert judged["novelty"]["held_out_copies"]["num_records"] == 0
    assert (judged["novelty"]["num_training"], judged["novelty"]["num_held_out"]) == (40, 40)
    assert len(judged["clouds"]) == 14
    assert judged["repeats"]["generated"]["num_all"] == 40


def test_without_training_ecgs_the_report_says_that_it_does_not_know(report: Path) -> None:
    text = text_of(report)
    assert "Not known whether they are new: the ECGs that the generator learned from were not given." in text
    assert "Nothing can be said of its variety: too few records." in text


def test_report_says_by_what_waves_were_delineated(report: Path, sets: Sets) -> None:
    chosen = "neurokit2_prominence"
    assessment = assess(
        sets["real"], {"generated": sets["generated"]}, num_workers=1, progress=False, delineation=chosen
    )
    assert set(assessment.real.table["delineation"]) == {chosen}
    html = report_page(assessment, summarise(assessment, {}, {}), [], page_tables(assessment, FailureLog()))
    text = " ".join(re.sub(r"<[^>]*>", " ", html).split())
    assert f"Delineation: {chosen}." in text
    assert f"neurokit2's own delineation (version {metadata.version('neurokit2')}; ecg_clean and ecg_delineate" in text
    assert f"Waves were delineated by {chosen}" in text
    assert "joint speed" not in text
    usual = text_of(report)
    assert "Delineation: median_beat." in usual
    assert "neurokit2's own delineation" not in usual
    assert "Waves were delineated by" not in usual


def test_report_asks_the_network_for_nothing(report: Path) -> None:
    html = report.read_text(encoding="utf-8")
    assert not re.search(r"https?://|<script [^>]*src|<link|@import|url\(", html)
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]*)', html))


def test_report_escapes_what_the_sets_say(report: Path) -> None:
    html = report.read_text(encoding="utf-8")
    assert "<b>bold" not in html
    assert "&lt;b&gt;bold" in html


def test_report_says_how_many_could_be_measured_and_why_not(report: Path) -> None:
    text = text_of(report)
    assert "measurable as an ECG 3 of 4 75.0 %" in text
    assert "Measurable: 75.0 % of the generated ECGs" in text
    assert "Not like the real ECGs: fewer of its ECGs are normal" in text  # none of 4 against 3 of 3
    assert "Every record has every measurement" in text
    assert "V2: no signal 2 50.0 %" in text
    assert "no comparison with patients" not in text


def test_summary_is_strict_json_and_agrees_with_the_tables(report: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    summary = json.loads((report.parent / "summary.json").read_text(), parse_constant=refuse)
    assert summary["schema_version"] == 3
    assert summary["failures"] == {}
    generated = summary["sets"]["generated"]
    assert generated["shares"]["measurable"]["num_records"] == 3
    assert generated["kind"] == "generated"
    assert sum(generated["reasons_not_measurable"].values()) == 1
    assert [summary["sets"][name]["missing"] for name in ("real", "generated")] == [
        {},
        {"V2: no signal": 2, "V3: no signal": 1},
    ]
    assert summary["settings"] == {"seed": 0, "share": None}
    judged = summary["judgements"]["generated"]
    assert judged["verdict"]["level"] == "far"
    assert judged["num_copies_of_real"] == 0
    csv = pd.read_csv(report.parent / "comparison.csv").set_index("measurement")
    assert (csv["generated_set"] == "generated").all()
    heart_rate = judged["measurements"]["heart_rate_bpm"]
    assert heart_rate["difference"] == pytest.approx(csv.loc["heart_rate_bpm", "difference"])
    assert heart_rate["difference"] == pytest.approx(10, abs=2)
    assert judged["signals"]["correlation_i_ii"]["num_generated"] == 4
    assert len(judged["relations"]) == len(pd.read_csv(report.parent / "relations.csv"))


@pytest.fixture(scope="module")
def several(sets: Sets, known_ecg: Callable[..., np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a generated reference and three sets, one with a name that no file can have."""
    slow = ECGSet.from_arrays(known_ecg(num_records=2, sampling_rate=250, num_samples=1250), EIGHT_LEADS, 250)
    limb = known_ecg(num_records=2)[:, :2]
    limb = np.concatenate([limb, limb[:, 1:] - limb[:, :1] + 0.3], axis=1)  # a III that contradicts I and II
    limb_set = ECGSet.from_arrays(limb, ("I", "II", "III"), 500, kind="generated").subset([0, 1, 1])
    judged = {"a<b>&$x_1": sets["generated"], "slow": slow, "limb": limb_set}
    return write(tmp_path_factory.mktemp("several") / "out", sets["generated"], **judged)


def test_what_a_reader_must_know_first_stands_at_the_top(several: Path) -> None:
    text = text_of(several)
    assert "The reference set itself was drawn from a generator" in text
    assert "a&lt;b&gt;&amp;$x_1 holds only ECGs of the real set" in text
    assert "slow holds real ECGs" in text
    assert "slow is sampled at 250 Hz, the real set 500 Hz" in text
    assert "A record of slow lasts 5 s, one of the real set 10 s" in text
    assert "limb lacks the leads V1, V2, V3, V4, V5, V6 of the real set" in text
    assert "limb: 1 of 3 records are copies of another of the set" in text
    assert re.search(r"limb: the stored leads contradict I and II \(median of the largest .*: III by 30[01] µV\)", text)


def test_several_sets_stand_side_by_side(several: Path) -> None:
    assert "a<b>" not in several.read_text(encoding="utf-8")
    headings = pd.read_csv(several.parent / "tables" / "measurements.csv").columns
    shown = [name.removesuffix(", mean ± SD") for name in headings if "mean ± SD" in name]
    assert shown == ["real", "a<b>&$x_1", "slow", "limb"]
    assert (several.parent / "measurements_a_b___x_1.parquet").is_file()
    assert set(pd.read_csv(several.parent / "comparison.csv")["generated_set"]) == set(shown[1:])


def test_sets_without_a_measurable_record_still_give_a_report_and_each_time_the_same(tmp_path: Path) -> None:
    flat = ECGSet.from_arrays(np.zeros((2, 8, 5000)), EIGHT_LEADS, 500, kind="generated")
    empty = ECGSet.from_arrays(np.zeros((0, 8, 5000)), EIGHT_LEADS, 500)
    first, second = (write(tmp_path / name, empty, PICTURE_FORMATS, generated=flat) for name in ("a", "b"))
    assert "Nothing can be said: the real set is empty." in first.read_text()
    assert "The set is empty." in first.read_text()
    assert json.loads((first.parent / "summary.json").read_text())["failures"] == {}
    for path in (p for p in first.parent.rglob("*") if p.is_file() and p.suffix != ".parquet"):
        assert path.read_bytes() == (second.parent / path.relative_to(first.parent)).read_bytes(), path


def test_a_picture_that_fails_is_named_and_the_others_are_drawn(sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr(pictures, "plot_qq", broken)
    assessment, failure_log = (
        assess(sets["real"], {"ours": sets["generated"]}, num_workers=1, progress=False),
        FailureLog(),
    )
    drawn = {picture.name for picture in pictures.plot_pictures(assessment, failure_log)}
    assert {"distributions", "rr_qt", "real_1", "ours_1"} <= drawn
    assert "quantiles" not in drawn
    assert failure_log.failures == {"picture of quantiles": "RuntimeError: no ink"}
    assert summarise(assessment, failure_log.failures, {})["failures"] == failure_log.failures
    said = "This step failed and its result is missing below: picture of quantiles (RuntimeError: no ink)."
    assert notices(assessment, failure_log.failures)[-1] == said


def test_what_is_doubtful_about_the_real_set_stands_above_the_report(sets: Sets) -> None:
    loud = ECGSet.from_arrays(np.repeat(sets["real"].millivolts(), 2, axis=0) * 2.5, EIGHT_LEADS, 500)
    loud.records["patient"] = "4711"
    assessment = assess(loud, {"ours": sets["generated"]}, num_workers=1, progress=False)
    said = notices(assessment, {})
    assert any("6 of 6 records name one patient, '4711'" in notice for notice in said)
    assert any(re.search(r"are 2\.\d times as large as those of adults", notice) for notice in said)
    verdict = assessment.evaluations["ours"].verdict
    assert verdict is not None
    assert "30 patients or more" in verdict.headline
    assert "packing.placeholder_patients=[4711]" in verdict.sentences[0]


def test_an_existing_report_is_not_overwritten(report: Path, sets: Sets) -> None:
    with pytest.raises(FileExistsError, match="not empty"):
        write(report.parent, **sets)
