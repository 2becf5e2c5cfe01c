"""An assessment -> a folder to read, to cite and to compute with.

report.html is one file that opens anywhere, without network; comparison.csv, relations.csv, signals.csv and clouds.csv
hold every figure, summary.json the same for programs (its schema: `summary`), tables/ what goes into a paper (Markdown,
LaTeX, CSV), pictures/ the PNGs of the report and the same as PDF and SVG, measurements_….parquet a row a record,
nearest_….csv its nearest training ECGs and pairs_….csv those laid over each other.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import summarize_exclusions
from ecggan.data.sets.training_records import without_hashes
from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.comparison.published import SHARE_NORMAL_12SL, WHAT_IS_COMPARABLE
from ecggan.evaluation.failures import Parts
from ecggan.evaluation.fidelity import fidelity
from ecggan.evaluation.fidelity.precision_recall import NEIGHBOURS
from ecggan.evaluation.formatting import file_name
from ecggan.evaluation.memorization.matching import COPY_CORRELATION
from ecggan.evaluation.memorization.membership import Novelty
from ecggan.evaluation.report import tables
from ecggan.evaluation.report.fidelity_tables import cloud_table, novelty_table
from ecggan.evaluation.report.figures import ECG, FIGURE, PAIR, Picture, draw_pictures
from ecggan.evaluation.report.html import embedded, lines, render
from ecggan.evaluation.report.notices import banners
from ecggan.evaluation.report.summary import summarise
from ecggan.evaluation.report.tables import ShownTable
from ecggan.evaluation.set_evaluation import answers
from ecggan.evaluation.verdict import SHARE_MARGIN
from ecggan.files.atomic import atomic_folder
from ecggan.files.json_file import without_nan
from ecggan.measurement import plausibility
from ecggan.measurement.columns import display_name
from ecggan.measurement.delineation import EDGES
from ecggan.plotting import figure_png, save_figure
from ecggan.stats import hypothesis_tests as inference
from ecggan.stats.resampling import NUM_RESAMPLES, NUM_SPLITS

log = logging.getLogger(__name__)

_FIGURE_DPI, _ECG_DPI = 110, 130


def write_report(out: str | Path, assessment: Assessment, settings: Mapping[str, Any] | None = None) -> Path:
    """Write the report into a new folder, which appears whole or not at all.

    Args:
        out: the folder; there must be nothing in its place.
        assessment: of [assess][ecggan.evaluation.assessment.assess].
        settings: what the reader should know of how it was run; shown and kept as given.

    Returns:
        The path of report.html.

    Raises:
        FileExistsError: `out` is there already.
    """
    parts = Parts(assessment.failures)
    with atomic_folder(out) as folder:
        pictures = _draw(folder / "pictures", assessment, parts)
        shown = _tables(assessment, parts)
        _write_tables(folder, assessment, shown, parts)
        summary = summarise(assessment, parts.failures, settings or {})
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
        html = _render(assessment, summary, pictures, shown)
        (folder / "report.html").write_text(html, encoding="utf-8")
    log.info("report written to %s", Path(out) / "report.html")
    return Path(out) / "report.html"


def _draw(folder: Path, assessment: Assessment, parts: Parts) -> list[dict[str, Any]]:
    """Write each picture, and keep of it what the page shows, so that one figure at a time is in memory."""
    folder.mkdir()
    shown = []
    for picture in draw_pictures(assessment, parts):
        png = parts.run(f"picture {picture.name}", _write_picture, folder, picture)
        if png is not None:
            alt = picture.heading if picture.kind == FIGURE else f"ECG on ECG paper. {picture.caption}"
            facts = {key: getattr(picture, key) for key in ("name", "kind", "heading", "caption", "of")}
            shown.append({**facts, "alt": alt, "base64": embedded(png)})
    return shown


def _write_picture(folder: Path, picture: Picture) -> bytes:
    png = figure_png(picture.figure, dpi=_FIGURE_DPI if picture.kind == FIGURE else _ECG_DPI)
    (folder / f"{picture.name}.png").write_bytes(png)
    for suffix in ("pdf", "svg") if picture.kind == FIGURE else ("pdf",):
        save_figure(picture.figure, folder / f"{picture.name}.{suffix}", dpi=300)
    return png


def _tables(assessment: Assessment, parts: Parts) -> dict[str, Any]:
    """The tables of the page; one that fails is empty."""
    judgements = assessment.judgements.items()
    compared = {name: j.comparison for name, j in judgements if j.comparison is not None}
    empty = ShownTable([], [])
    return {
        "share_table": parts.run("table of shares", tables.share_table, assessment) or empty,
        "measurement_table": parts.run("table of measurements", tables.measurement_table, assessment) or empty,
        "details": {
            name: [parts.run(f"details of {name}", tables.detail_table, c, main) or empty for main in (True, False)]
            for name, c in compared.items()
        },
        "relations": {
            k: [
                parts.run(f"{kind}s of {k}", tables.relation_table, j, kind) or empty
                for kind in ("correlation", "slope")
            ]
            for k, j in judgements
        },
        "signals": {k: parts.run(f"table of signals of {k}", tables.signal_table, j) or empty for k, j in judgements},
        "clouds": {k: parts.run(f"table of clouds of {k}", cloud_table, j) or empty for k, j in judgements},
        "novelty_table": parts.run("table of novelty", novelty_table, assessment) or empty,
        "rule_table": parts.run("table of rules", tables.rule_table, assessment) or empty,
        "missing": {
            s.name: parts.run(f"missing in {s.name}", tables.missing_table, s) or empty for s in assessment.sets()
        },
        "paper": None if assessment.paper_table is None else tables.plain_table(assessment.paper_table),
    }


def _write_tables(folder: Path, assessment: Assessment, shown: Mapping[str, Any], parts: Parts) -> None:
    for some in assessment.sets():
        some_name = file_name(some.name)
        measured = some.table
        if some.screened is not None:
            measured = measured.assign(is_normal=some.screened["is_normal"], not_normal=some.screened["reasons"])
        measured.to_parquet(folder / f"measurements_{some_name}.parquet", index=False)
    for kind in ("comparison", "relations", "signals", "clouds"):
        found = {name: getattr(judgement, kind) for name, judgement in assessment.judgements.items()}
        frames = [frame.assign(generated_set=name) for name, frame in found.items() if frame is not None]
        if frames:
            pd.concat(frames).to_csv(folder / f"{kind}.csv", index=False)
    for name, judgement in assessment.judgements.items():
        parts.run(f"nearest ECGs of {name}", _write_nearest, folder, assessment, name, judgement.novelty)
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
            parts.run(f"tables/{name}", _write_table, folder / "tables" / name, table, caption)


def _write_nearest(folder: Path, assessment: Assessment, name: str, novelty: Novelty | None) -> None:
    """With the names of the records in the place of their positions."""
    if novelty is None:
        return
    others = assessment.real.ecgs if assessment.training is None else assessment.training
    held_out = assessment.real.ecgs.records["record"].to_numpy()[list(assessment.held_out)]
    own = assessment.generated[name].ecgs.records["record"].to_numpy()
    names = {"training": others.records["record"].to_numpy(), "held_out": held_out}
    nearest = novelty.nearest.copy()
    for column in ("training", "beat_training", "held_out", "beat_held_out"):
        if column in nearest:
            known = np.append(names[column.removeprefix("beat_")], "")  # at −1, of those that have none
            nearest[column] = known[nearest[column].to_numpy()]
    nearest.insert(0, "record", own)
    nearest.to_csv(folder / f"nearest_{file_name(name)}.csv", index=False)
    pairs = novelty.pairs.rename(columns={"position": "record", "of_position": "training"})
    pairs = pairs.assign(record=own[pairs["record"]], training=names["training"][pairs["training"]])
    pairs.to_csv(folder / f"pairs_{file_name(name)}.csv", index=False)


def _write_table(path: Path, table: ShownTable, caption: str) -> None:
    notes = "\n".join(f"- {note}" for note in WHAT_IS_COMPARABLE) + "\n" if path.name == "published" else ""
    path.with_suffix(".md").write_text(tables.to_markdown(table) + (f"\n{notes}" if notes else ""), encoding="utf-8")
    path.with_suffix(".tex").write_text(tables.to_latex(table, caption), encoding="utf-8")
    table.frame().to_csv(path.with_suffix(".csv"), index=False)


def _render(
    assessment: Assessment,
    summary: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]],
    shown: Mapping[str, Any],
) -> str:
    return render(
        "report.html.j2",
        title=f"ECGs against real ECGs: {', '.join(assessment.generated)}",
        banners=banners(assessment, summary["failures"]),
        verdicts={name: answers(judgement) for name, judgement in assessment.judgements.items()},
        published_share=tables.percent(SHARE_NORMAL_12SL),
        figures=[picture for picture in pictures if picture["kind"] == FIGURE],
        ecgs={s.name: [p for p in pictures if p["kind"] == ECG and p["of"] == s.name] for s in assessment.sets()},
        pairs={name: [p for p in pictures if p["kind"] == PAIR and p["of"] == name] for name in assessment.generated},
        has_training=assessment.training is not None,
        num_held_out=len(assessment.held_out),
        paper_notes=WHAT_IS_COMPARABLE,
        origins={some.name: _origin(some) for some in assessment.sets()},
        margins=_margins(assessment),
        share_margin=SHARE_MARGIN,
        numbers={
            "NUM_RESAMPLES": NUM_RESAMPLES,
            "NUM_SPLITS": NUM_SPLITS,
            "FEWEST_PATIENTS": inference.FEWEST_PATIENTS,
            "NUM_PERMUTATIONS": fidelity.NUM_PERMUTATIONS,
            "MOST_REAL": fidelity.MOST_REAL,
            "MOST_GENERATED": fidelity.MOST_GENERATED,
            "NEIGHBOURS": NEIGHBOURS,
            "COPY": COPY_CORRELATION,
        },
        settings=lines(summary["settings"]),
        gate=plausibility,
        edges=", ".join(f"{wave} {share:g}" for wave, share in EDGES.items()),
        limits=[(*display_name(column), *limits) for column, limits in plausibility.LIMITS.items()],
        summary=summary,
        **shown,
    )


def _origin(some: AssessedSet) -> dict[str, Any]:
    ecgs = some.ecgs
    form = [
        ("set", ecgs.path.name if ecgs.path else "in memory"),
        ("kind", ecgs.kind),
        ("records", f"{len(ecgs):,}"),
        ("form", f"{', '.join(ecgs.leads)}; {ecgs.num_samples} samples at {ecgs.sampling_rate} Hz"),
        ("SHA-256 of the ECGs", some.content_sha256),
    ]
    made_by = lines(without_nan(without_hashes(ecgs.manifest.get("made_by") or {})))
    return {"form": form, "made_by": made_by, "account": _account_lines(ecgs.manifest.get("account"))}


def _margins(assessment: Assessment) -> dict[str, list[str]]:
    """Who says so -> the measurements with that margin, in words."""
    found: dict[str, list[str]] = {}
    comparisons: Iterable[pd.DataFrame] = (
        j.comparison for j in assessment.judgements.values() if j.comparison is not None
    )
    for comparison in comparisons:
        for row in comparison[comparison["margin"].notna()].to_dict("records"):
            words = display_name(row["measurement"])[0]
            if "amplitude" in words or "level" in words:
                words = "amplitudes and ST levels"
            else:
                words += f" ±{row['margin']:g} {row['unit']}"
            of_source = found.setdefault(row["margin_source"], [])
            if words not in of_source:
                of_source.append(words)
    return found


def _account_lines(account: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """How many records were read and kept, and by which rule others were left out, the first of them by name."""
    if account is None:
        return []
    lines = [("read", str(account["read"])), ("kept", str(account["kept"]))]
    return lines + [(f"left out by {rule}", text) for rule, text in summarize_exclusions(account).items()]
