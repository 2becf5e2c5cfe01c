"""The pictures of a report: distributions, quantiles, intervals, relations, spectra, and ECGs on ECG paper."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecggan.evaluation.assessed_set import AssessedSet
from ecggan.evaluation.assessment import Assessment
from ecggan.evaluation.failures import Parts
from ecggan.evaluation.formatting import file_name, sentence_case
from ecggan.evaluation.report.fidelity_figures import draw_clouds, draw_nearest, draw_pairs
from ecggan.evaluation.report.gallery import choose_records
from ecggan.measurement.columns import MAIN_MEASUREMENTS, display_name
from ecggan.plotting import (
    Interval,
    plot_distributions,
    plot_ecg,
    plot_intervals,
    plot_lead_correlations,
    plot_qq,
    plot_relation,
    plot_spectra,
)

if TYPE_CHECKING:
    import matplotlib.figure

QUANTILES_OF = (
    *("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qtc_fridericia_ms", "qrs_axis_deg"),
    *("r_amplitude_ii_mv", "r_amplitude_v2_mv", "r_amplitude_v5_mv"),
)
ECG, PAIR, FIGURE = "ecg", "pair", "figure"


@dataclass(frozen=True)
class Picture:
    """A figure with the words that belong to it.

    Args:
        name: of its files.
        kind: an ECG, a pair of them, or a figure.
        heading: above it.
        caption: below it.
        of: the set's name, of an ECG or a pair.
        figure: matplotlib's.
    """

    name: str
    kind: str
    heading: str
    caption: str
    of: str
    figure: "matplotlib.figure.Figure"


def draw_pictures(assessment: Assessment, parts: Parts) -> Iterator[Picture]:
    """Draw one after another; one that fails is named among the parts' failures, and the others go on."""
    figures = (_intervals, _distributions, _quantiles, _relations, _spectra, _lead_correlations, _clouds, _nearest)
    for draw in figures:
        picture = parts.run(f"picture of {draw.__name__.strip('_')}", draw, assessment)
        if picture is not None:
            yield picture
    for some in assessment.sets():
        chosen = parts.run(f"choice of ECGs of {some.name}", choose_records, some, assessment.real) or []
        for i, shown in enumerate(chosen):
            figure = parts.run(f"picture of {shown.title}", _ecg, some, shown.position, shown.title)
            if figure is not None:
                yield Picture(file_name(f"{some.name}_{i + 1}"), ECG, shown.role, shown.caption, some.name, figure)
    for name in assessment.generated:
        pairs = parts.run(f"pictures of the closest pairs of {name}", draw_pairs, assessment, name) or []
        for i, (title, caption, figure) in enumerate(pairs):
            yield Picture(file_name(f"{name}_pair_{i + 1}"), PAIR, title, caption, name, figure)


def _measured(assessment: Assessment) -> dict[str, dict[str, np.ndarray]]:
    """The main measurements of each set's measurable records, those that some set has."""
    tables = {some.name: some.table[some.table["is_measurable"].astype(bool)] for some in assessment.sets()}
    columns = [c for c in MAIN_MEASUREMENTS if any(c in t and t[c].notna().any() for t in tables.values())]
    return {name: {c: t[c].to_numpy(float) for c in columns if c in t} for name, t in tables.items()}


def _words(assessment: Assessment) -> dict[str, tuple[str, str]]:
    return {column: display_name(column) for column in MAIN_MEASUREMENTS}


def _distributions(assessment: Assessment) -> Picture | None:
    values = _measured(assessment)
    if not any(values.values()):
        return None
    figure = plot_distributions(values, _words(assessment))
    return Picture("distributions", FIGURE, "Distributions", "Densities over measurable records.", "", figure)


def _quantiles(assessment: Assessment) -> Picture | None:
    values = _measured(assessment)
    names = [c for c in QUANTILES_OF if all(c in of_set for of_set in values.values())]
    if not names:
        return None
    caption = (
        "Quantiles (1 to 99 %) of the generated sets against those of the real one. On the line, the sets are spread "
        "alike; beside it lies a shift; a flatter course is a spread too narrow."
    )
    figure = plot_qq(values, names, _words(assessment))
    return Picture("quantiles", FIGURE, "Quantiles", caption, "", figure)


def _relations(assessment: Assessment) -> Picture | None:
    values = _measured(assessment)
    pair = ("rr_mean_ms", "qt_interval_ms")
    if not all(column in of_set for of_set in values.values() for column in pair):
        return None
    figure = plot_relation(values, *pair, display_names=_words(assessment))
    caption = "A heart's QT interval follows its rate. The line is that of least squares."
    return Picture("rr_qt", FIGURE, "QT against RR", caption, "", figure)


def _intervals(assessment: Assessment) -> Picture | None:
    sets = {}
    for name, judgement in assessment.judgements.items():
        if judgement.comparison is None:
            continue
        rows = judgement.comparison[judgement.comparison["measurement"].isin(MAIN_MEASUREMENTS)]
        rows = rows[rows["margin"].notna() & rows["difference_low"].notna()]
        sets[name] = [_in_margins(row) for row in rows.to_dict("records")]
    if not any(sets.values()):
        return None
    comparisons = [j.comparison for j in assessment.judgements.values() if j.comparison is not None]
    size = " and ".join(dict.fromkeys(f"{int(c['null_num_records'].max()):,}" for c in comparisons))
    caption = (
        "Mean differences, generated minus real, in margins: within the shaded band they do not matter. Thick: 90 % "
        "interval; inside the band, the means are equivalent. Thin: 95 %. Grey: what two random parts of the real set, "
        f"of {size} records each, differ by at most in 95 of 100 splits."
    )
    return Picture("intervals", FIGURE, "Differences in margins", caption, "", plot_intervals(sets))


def _in_margins(row: Mapping[Hashable, Any]) -> Interval:
    margin = row["margin"]
    words = display_name(row["measurement"])[0]
    null = row["null_difference"] / margin
    ends = ("difference", "difference_low", "difference_high", "difference_low_90", "difference_high_90")
    scaled = [float(row[end] / margin) for end in ends]
    bounds = (None, None) if np.isnan(null) else (-float(null), float(null))
    return Interval(sentence_case(words), *scaled, *bounds)


def _spectra(assessment: Assessment) -> Picture | None:
    described = {some.name: some.signals for some in assessment.sets() if some.signals is not None}
    if not described or not any(len(signals.table) for signals in described.values()):
        return None
    grids = [signals.frequencies_hz for signals in described.values()]
    grid = min(grids, key=len)  # all begin at 0.5 Hz and go by 0.5 Hz; a slower sampling rate ends sooner
    sets = {k: {lead: s.power[i, : len(grid)] for i, lead in enumerate(s.leads)} for k, s in described.items()}
    bands = {
        k: {lead: s.power_quartiles_db[:, i, : len(grid)] for i, lead in enumerate(s.leads)}
        for k, s in described.items()
    }
    caption = "Mean power spectral density by lead, with the quartiles over records. Hum and hiss show at the right."
    return Picture("spectra", FIGURE, "Power spectra", caption, "", plot_spectra(grid, sets, bands))


def _lead_correlations(assessment: Assessment) -> Picture | None:
    described = {some.name: some.signals for some in assessment.sets() if some.signals is not None}
    if "real" not in described or len(described) < 2:
        return None
    leads = [lead for lead in described["real"].leads if all(lead in s.leads for s in described.values())]
    if len(leads) < 2:
        return None
    sets = {}
    for name, signals in described.items():
        which = [signals.leads.index(lead) for lead in leads]
        sets[name] = signals.mean_correlations()[np.ix_(which, which)]
    caption = "The mean over records of each two leads' correlation, and how it differs from the real set's."
    figure = plot_lead_correlations(sets, leads)
    return Picture("lead_correlations", FIGURE, "Correlation of the leads", caption, "", figure)


def _clouds(assessment: Assessment) -> Picture | None:
    figure = draw_clouds(assessment)
    caption = (
        "Each dot is a record, on the two directions in which the real set varies most. Blue without orange over it is "
        "variety that is not drawn, orange without blue is drawn and not real."
    )
    return None if figure is None else Picture("clouds", FIGURE, "The sets as clouds", caption, "", figure)


def _nearest(assessment: Assessment) -> Picture | None:
    figure = draw_nearest(assessment)
    what = "training ECG" if assessment.training is not None else "ECG of the real set"
    caption = (
        f"The correlation of each record with its nearest {what}, at the best alignment. Copies stand at 1; that "
        "generated ECGs lie a little further right than held-out real ones is no sign of copying, for they are typical."
    )
    heading = f"The nearest {what}"
    return None if figure is None else Picture("nearest", FIGURE, heading, caption, "", figure)


def _ecg(some: AssessedSet, position: int, title: str) -> "matplotlib.figure.Figure":
    return plot_ecg(some.ecgs.millivolts([position])[0], some.ecgs.leads, some.ecgs.sampling_rate, title=title)
