"""report.html: its tables, and the page that shows them with the pictures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ecggan.data.sets.exclusions import summarize_exclusions
from ecggan.data.sets.training_records import without_hashes
from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.comparison.published import SHARE_NORMAL_12SL, WHAT_IS_COMPARABLE
from ecggan.evaluation.failures import FailureLog
from ecggan.evaluation.fidelity import fidelity
from ecggan.evaluation.fidelity.precision_recall import NEIGHBOURS
from ecggan.evaluation.memorization.matching import COPY_CORRELATION
from ecggan.evaluation.report import tables
from ecggan.evaluation.report.fidelity_tables import cloud_table, novelty_table
from ecggan.evaluation.report.figures import ECG, FIGURE, PAIR
from ecggan.evaluation.report.html import lines, render_page
from ecggan.evaluation.report.notices import notices
from ecggan.evaluation.report.tables import ShownTable
from ecggan.evaluation.verdict import SHARE_MARGIN
from ecggan.files.json_file import without_nan
from ecggan.measurement import plausibility
from ecggan.measurement.columns import display_name
from ecggan.measurement.delineation import EDGES
from ecggan.measurement.delineation_choice import neurokit_method
from ecggan.measurement.normality.score import normality_score
from ecggan.stats import hypothesis_tests as inference
from ecggan.stats.resampling import NUM_RESAMPLES, NUM_SPLITS


def page_tables(assessment: Assessment, failure_log: FailureLog) -> dict[str, Any]:
    """The tables of the page; a table that fails is empty."""
    evaluations = assessment.evaluations.items()
    compared = {name: j.comparison for name, j in evaluations if j.comparison is not None}
    empty = ShownTable([], [])
    return {
        "share_table": failure_log.run("table of shares", tables.share_table, assessment) or empty,
        "measurement_table": failure_log.run("table of measurements", tables.measurement_table, assessment) or empty,
        "details": {
            name: [
                failure_log.run(f"details of {name}", tables.detail_table, c, main) or empty for main in (True, False)
            ]
            for name, c in compared.items()
        },
        "relations": {
            k: [
                failure_log.run(f"{kind}s of {k}", tables.relation_table, j, kind) or empty
                for kind in ("correlation", "slope")
            ]
            for k, j in evaluations
        },
        "signals": {
            k: failure_log.run(f"table of signals of {k}", tables.signal_table, j) or empty for k, j in evaluations
        },
        "clouds": {k: failure_log.run(f"table of clouds of {k}", cloud_table, j) or empty for k, j in evaluations},
        "novelty_table": failure_log.run("table of novelty", novelty_table, assessment) or empty,
        "rule_table": failure_log.run("table of rules", tables.rule_table, assessment) or empty,
        "missing": {
            s.name: failure_log.run(f"missing in {s.name}", tables.missing_table, s) or empty for s in assessment.sets()
        },
        "paper": None if assessment.paper_table is None else tables.plain_table(assessment.paper_table),
    }


def report_page(
    assessment: Assessment,
    summary: Mapping[str, Any],
    pictures: Sequence[Mapping[str, Any]],
    shown: Mapping[str, Any],
) -> str:
    return render_page(
        "report.html.j2",
        title=f"ECGs against real ECGs: {', '.join(assessment.generated)}",
        notices=notices(assessment, summary["failures"]),
        verdicts={name: evaluation.verdicts() for name, evaluation in assessment.evaluations.items()},
        not_asked=[name for name, evaluation in assessment.evaluations.items() if evaluation.utility is None],
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
        score=normality_score(),
        delineation=assessment.delineation,
        neurokit_method=neurokit_method(assessment.delineation),
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
    return {"form": form, "made_by": made_by, "exclusions": _exclusion_lines(ecgs.manifest.get("account"))}


def _margins(assessment: Assessment) -> dict[str, list[str]]:
    """Source of a margin -> the measurements that have it."""
    found: dict[str, list[str]] = {}
    comparisons: Iterable[pd.DataFrame] = (
        j.comparison for j in assessment.evaluations.values() if j.comparison is not None
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


def _exclusion_lines(account: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """How many records were read and kept, and for each rule how many it excludes and the first of them."""
    if account is None:
        return []
    lines = [("read", str(account["read"])), ("kept", str(account["kept"]))]
    return lines + [(f"excluded by {rule}", text) for rule, text in summarize_exclusions(account).items()]
