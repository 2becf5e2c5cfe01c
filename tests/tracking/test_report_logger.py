import json

import pandas as pd
from PIL import Image

from ecggan.tracking.report_logger import log_report
from tests.tracking.wandb_logs import logger
from tests.training import wandb_files


def test_tables_figures_pictures_and_page_of_a_report_are_logged(tmp_path):
    report = tmp_path / "report"
    for folder in ("tables", "pictures"):
        (report / folder).mkdir(parents=True)
    table = pd.DataFrame({"measurement": ["pr_interval_ms", "qt_interval_ms"], "real": [156.0, 392.5], "n": [3, 4]})
    table.to_csv(report / "tables" / "comparison.csv", index=False)
    table.to_csv(report / "measurements.csv", index=False)
    Image.new("RGB", (4, 3)).save(report / "pictures" / "intervals.png")
    (report / "report.html").write_text("<p>a report</p>")
    question = {"headline": "Nothing can be said", "sentences": []}
    evaluation = {"verdict": question, "variety": None, "privacy": None, "utility": None, "measurements": None}
    shares = {"normal": {"value": 0.5}, "measurable": {"value": None}}
    evaluation["measurements"] = {"qt_interval_ms": {"difference": 3.4, "wasserstein_distance": None}}
    summary = {"sets": {"real": {"shares": shares}}, "judgements": {"ours": evaluation}}
    (report / "summary.json").write_text(json.dumps(summary))
    log_report(logger(report, job_type="evaluate", group="paper"), report, {"seed": 3, "margins": {"qt": 10}})
    (file,) = wandb_files.runs(report)
    run = wandb_files.one(file, "run")
    assert (run.job_type, run.run_group) == ("evaluate", "paper")
    assert wandb_files.config(file) == {"seed": 3, "margins": {"qt": 10}}
    (row,) = wandb_files.rows(file)
    assert row["share_normal/real"] == 0.5
    assert row["difference/ours/qt_interval_ms"] == 3.4
    assert not {"share_measurable/real", "wasserstein_distance/ours/qt_interval_ms"} & row.keys()
    for name in ("comparison", "measurements"):
        logged = json.loads((file.parent / "files" / row[f"{name}.path"]).read_text())
        assert logged["columns"] == ["measurement", "real", "n"]
        assert logged["data"] == [["pr_interval_ms", 156.0, 3], ["qt_interval_ms", 392.5, 4]]
    assert "a report" in (file.parent / "files" / row["report.path"]).read_text()
    assert (file.parent / "files" / row["intervals.path"]).exists()
    assert wandb_files.summary(file)["verdict/ours"] == "Nothing can be said"
