"""The folder of a report.

report.html is one file that opens without network; comparison.csv, relations.csv, signals.csv and clouds.csv
hold every figure, summary.json the same for programs (its schema: `summary`), tables/ the tables of a paper (Markdown,
LaTeX, CSV), pictures/ the PNGs of the report and the same as PDF and SVG, measurements_….parquet a row a record,
nearest_….csv its nearest training ECGs and pairs_….csv the aligned pairs.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.comparison.published import WHAT_IS_COMPARABLE
from ecggan.evaluation.failures import FailureLog
from ecggan.evaluation.formatting import file_name
from ecggan.evaluation.memorization.membership import Novelty
from ecggan.evaluation.report import tables
from ecggan.evaluation.report.figures import FIGURE, Picture, plot_pictures
from ecggan.evaluation.report.html import embedded
from ecggan.evaluation.report.page import page_tables, report_page
from ecggan.evaluation.report.summary import summarise
from ecggan.evaluation.report.tables import ShownTable
from ecggan.files.atomic import atomic_folder
from ecggan.files.json_file import write_json
from ecggan.files.text_file import write_text
from ecggan.plotting import figure_png, save_figure

log = logging.getLogger(__name__)

_FIGURE_DPI, _ECG_DPI = 110, 130
PICTURE_FORMATS = ("pdf", "svg")


def write_report(
    out: str | Path,
    assessment: Assessment,
    settings: Mapping[str, Any] | None = None,
    picture_formats: Sequence[str] = PICTURE_FORMATS,
) -> Path:
    """Write the report into a new folder, which appears whole or not at all.

    Args:
        out: the folder; there must be nothing in its place.
        assessment: of [assess][ecggan.evaluation.assessment.assess].
        settings: of the run; the report shows them, summary.json keeps them.
        picture_formats: of the pictures' files, beside the PNG that the page shows; ECGs are written as PDF alone.

    Returns:
        The path of report.html.

    Raises:
        FileExistsError: `out` is there already.
    """
    failure_log = FailureLog(assessment.failures)
    with atomic_folder(out) as folder:
        pictures = _plot(folder / "pictures", assessment, failure_log, picture_formats)
        shown = page_tables(assessment, failure_log)
        _write_tables(folder, assessment, shown, failure_log)
        summary = summarise(assessment, failure_log.failures, settings or {})
        write_json(folder / "summary.json", summary)
        html = report_page(assessment, summary, pictures, shown)
        write_text(folder / "report.html", html)
    log.info("report written to %s", Path(out) / "report.html")
    return Path(out) / "report.html"


def _plot(
    folder: Path, assessment: Assessment, failure_log: FailureLog, formats: Sequence[str]
) -> list[dict[str, Any]]:
    """Write each picture and keep only what the page shows, so that one figure at a time is in memory."""
    folder.mkdir()
    shown = []
    for picture in plot_pictures(assessment, failure_log):
        png = failure_log.run(f"picture {picture.name}", _write_picture, folder, picture, formats)
        if png is not None:
            alt = picture.heading if picture.kind == FIGURE else f"ECG on ECG paper. {picture.caption}"
            facts = {key: getattr(picture, key) for key in ("name", "kind", "heading", "caption", "of")}
            shown.append({**facts, "alt": alt, "base64": embedded(png)})
    return shown


def _write_picture(folder: Path, picture: Picture, formats: Sequence[str]) -> bytes:
    png = figure_png(picture.figure, dpi=_FIGURE_DPI if picture.kind == FIGURE else _ECG_DPI)
    (folder / f"{picture.name}.png").write_bytes(png)
    picture.figure.set_layout_engine("none")  # what the PNG was laid out to: another layout takes as long as all else
    for suffix in formats if picture.kind == FIGURE else set(formats) & {"pdf"}:
        save_figure(picture.figure, folder / f"{picture.name}.{suffix}", dpi=300)
    return png


def _write_tables(folder: Path, assessment: Assessment, shown: Mapping[str, Any], failure_log: FailureLog) -> None:
    for some in assessment.sets():
        some_name = file_name(some.name)
        measured = some.table
        if some.screened is not None:
            verdicts = some.screened.drop(columns=["record", "reasons"])
            measured = measured.assign(**verdicts, not_normal=some.screened["reasons"])
        measured.to_parquet(folder / f"measurements_{some_name}.parquet", index=False)
    for kind in ("comparison", "relations", "signals", "clouds"):
        found = {name: getattr(evaluation, kind) for name, evaluation in assessment.evaluations.items()}
        frames = [frame.assign(generated_set=name) for name, frame in found.items() if frame is not None]
        if frames:
            pd.concat(frames).to_csv(folder / f"{kind}.csv", index=False)
    for name, evaluation in assessment.evaluations.items():
        failure_log.run(f"nearest ECGs of {name}", _write_nearest, folder, assessment, name, evaluation.novelty)
    (folder / "tables").mkdir()
    papers = {
        "measurements": (shown["measurement_table"], "Measurements of real and generated ECGs, mean $\\pm$ SD."),
        "shares": (shown["share_table"], "Measurable and normal records."),
        "novelty": (shown["novelty_table"], "Copies of training ECGs, and within the sets."),
        "published": (shown["paper"], "Normal records, mean $\\pm$ SD, beside the published figures."),
    }
    for name, table in shown["clouds"].items():
        suffix = "" if len(shown["clouds"]) == 1 else f"_{file_name(name)}"
        papers[f"variety{suffix}"] = (table, "Real and generated ECGs as clouds of points.")
    for name, (table, caption) in papers.items():
        if table is not None:
            failure_log.run(f"tables/{name}", _write_table, folder / "tables" / name, table, caption)


def _write_nearest(folder: Path, assessment: Assessment, name: str, novelty: Novelty | None) -> None:
    """With record names instead of positions."""
    if novelty is None:
        return
    others = assessment.real.ecgs if assessment.training is None else assessment.training
    held_out = assessment.real.ecgs.records["record"].to_numpy()[list(assessment.held_out)]
    own = assessment.generated[name].ecgs.records["record"].to_numpy()
    names = {"training": others.records["record"].to_numpy(), "held_out": held_out}
    nearest = novelty.nearest.copy()
    for column in ("training", "beat_training", "held_out", "beat_held_out"):
        if column in nearest:
            known = np.append(names[column.removeprefix("beat_")], "")  # at −1, for records without one
            nearest[column] = known[nearest[column].to_numpy()]
    nearest.insert(0, "record", own)
    nearest.to_csv(folder / f"nearest_{file_name(name)}.csv", index=False)
    pairs = novelty.pairs.rename(columns={"position": "record", "of_position": "training"})
    pairs = pairs.assign(record=own[pairs["record"]], training=names["training"][pairs["training"]])
    pairs.to_csv(folder / f"pairs_{file_name(name)}.csv", index=False)


def _write_table(path: Path, table: ShownTable, caption: str) -> None:
    notes = "\n".join(f"- {note}" for note in WHAT_IS_COMPARABLE) + "\n" if path.name == "published" else ""
    write_text(path.with_name(f"{path.name}.md"), tables.to_markdown(table) + (f"\n{notes}" if notes else ""))
    write_text(path.with_name(f"{path.name}.tex"), tables.to_latex(table, caption))
    table.frame().to_csv(path.with_name(f"{path.name}.csv"), index=False)
