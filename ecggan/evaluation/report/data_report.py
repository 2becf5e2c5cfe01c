"""Data report of an ECG set: its splits, the excluded records with reasons and examples, and leakage between splits.

data_report.html is one file; left_out.csv lists every excluded record with its rule, pairs.csv the pairs that may be
one ECG, pictures/ has the PNGs.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecggan.data.sets.cautions import cautions
from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.exclusions import Excerpt, ExcludedExample, read_examples
from ecggan.evaluation.failures import FailureLog
from ecggan.evaluation.formatting import file_name, percent
from ecggan.evaluation.memorization.split_leakage import Leaks, find_leaks
from ecggan.evaluation.report.cells import Cell
from ecggan.evaluation.report.fidelity_figures import overlay
from ecggan.evaluation.report.html import embedded, lines, render_page
from ecggan.evaluation.report.tables import ShownTable
from ecggan.files.atomic import atomic_folder
from ecggan.files.text_file import write_text
from ecggan.plotting import figure_png, plot_ecg
from ecggan.stats.number_text import NONE, signed

if TYPE_CHECKING:
    import matplotlib.figure

log = logging.getLogger(__name__)

NUM_PAIRS = 4  # plotted; the page lists ten times as many
_MOST_MV = 5.0  # an artefact, or a wrong unit, would need metres of paper
_SLOWEST_HZ = 50
_DPI = 110
_SEARCH = "search for ECGs in two splits"


@dataclass(frozen=True)
class WrittenReport:
    """What [write_data_report][] wrote.

    Args:
        page: the path of data_report.html.
        leaks: None if the set has no two splits, or the search failed.
        failures: step -> its error.
    """

    page: Path
    leaks: Leaks | None
    failures: Mapping[str, str]


def write_data_report(out: str | Path, ecgs: ECGSet, num_workers: int | None = None) -> WrittenReport:
    """Write the data report of a set into a new folder, which appears whole or not at all.

    Args:
        out: the folder; there must be nothing in its place.
        ecgs: the set, all of its splits.
        num_workers: processes; None for one a core.

    Raises:
        FileExistsError: `out` is there already.
    """
    failure_log = FailureLog()
    account: Mapping[str, Any] = ecgs.manifest.get("account") or {"read": len(ecgs), "kept": len(ecgs), "left_out": {}}
    leaks = failure_log.run(_SEARCH, find_leaks, ecgs, num_workers)
    with atomic_folder(out) as folder:
        (folder / "pictures").mkdir()
        shown = (
            failure_log.run("examples of excluded records", read_examples, ecgs.path) if ecgs.path is not None else None
        )
        pictures: dict[str, list[dict[str, str]]] = {}
        for each in shown or []:
            figure = failure_log.run(f"picture of {each.record}", _plot_shown, each)
            _add(pictures.setdefault(each.rule, []), folder, each.rule, each.record, each.detail, figure)
        pairs: list[dict[str, str]] = []
        if leaks is not None:
            for title, caption, figure in _plot_pairs(ecgs, leaks):
                _add(pairs, folder, "pair", title, caption, figure)
            leaks.pairs.to_csv(folder / "pairs.csv", index=False)
        entries = [(rule, *entry.values()) for rule, some in account["left_out"].items() for entry in some]
        pd.DataFrame(entries, columns=["rule", "record", "detail"]).to_csv(folder / "left_out.csv", index=False)
        html = render_page(
            "data_report.html.j2",
            title=_title(ecgs),
            account=account,
            splits=_split_table(ecgs),
            rules=_rule_table(account),
            leaks=leaks,
            search_failed=_SEARCH in failure_log.failures,
            leak_table=None if leaks is None else _leak_table(leaks),
            pictures=pictures,
            pairs=pairs,
            failures=failure_log.failures,
            cautions=cautions(ecgs),
            made_by=lines(ecgs.manifest.get("made_by")),
            form=_form(ecgs),
        )
        write_text(folder / "data_report.html", html)
    return WrittenReport(Path(out) / "data_report.html", leaks, failure_log.failures)


def summary_text(ecgs: ECGSet, written: WrittenReport) -> str:
    """The page in one line: records kept, pairs of one ECG, and what failed."""
    account = ecgs.manifest.get("account") or {"read": len(ecgs), "kept": len(ecgs)}
    words = [f"{account['kept']:,} of {account['read']:,} records are kept"]
    if written.leaks is not None:
        words.append(f"{written.leaks.num_copies} pairs of records in different splits are one ECG")
    elif _SEARCH in written.failures:
        words.append(f"the {_SEARCH} failed: {written.failures[_SEARCH]}")
    else:
        words.append("the set has no two splits")
    others = [step for step in written.failures if step != _SEARCH]
    if others:
        words.append(f"{len(others)} other steps failed, which the page names; the first: {others[0]}")
    return "; ".join(words)


def _add(
    pictures: list[dict[str, str]],
    folder: Path,
    kind: str,
    title: str,
    caption: str,
    figure: "matplotlib.figure.Figure | None",
) -> None:
    if figure is None:
        return
    png = figure_png(figure, dpi=_DPI)
    (folder / "pictures" / f"{kind}-{len(pictures)}-{file_name(title)[:60]}.png").write_bytes(png)
    alt = f"ECG on ECG paper. {title}: {caption}"
    pictures.append({"alt": alt, "caption": f"{title}: {caption}", "base64": embedded(png)})


def _plot_shown(shown: ExcludedExample) -> "matplotlib.figure.Figure | None":
    excerpt = shown.excerpt
    if excerpt.sampling_rate < _SLOWEST_HZ or not excerpt.millivolts.size:
        return None
    return plot_ecg(_within(excerpt), list(excerpt.leads), excerpt.sampling_rate, f"{shown.rule}: {shown.record}")


def _within(excerpt: Excerpt) -> np.ndarray:
    """Each lead about its median, clipped to the paper; NaN stays."""
    finite = np.where(np.isfinite(excerpt.millivolts), excerpt.millivolts, np.nan)
    has_some = np.isfinite(finite).any(axis=1, keepdims=True)
    middle = np.nanmedian(np.where(has_some, finite, 0.0), axis=1, keepdims=True)
    return np.clip(finite - middle, -_MOST_MV, _MOST_MV)


def _plot_pairs(ecgs: ECGSet, leaks: Leaks) -> "Iterator[tuple[str, str, matplotlib.figure.Figure]]":
    for row in leaks.pairs.head(NUM_PAIRS).to_dict("records"):
        beneath = overlay(ecgs, ecgs, int(row["of_position"]), float(row["shift_ms"]), float(row["gain"]))
        title = f"{row['record']} ({row['split']}) over {row['of_record']} ({row['of_split']})"
        caption = (
            f"{'one ECG' if row['is_copy'] else 'two ECGs'}; the second in blue, shifted by "
            f"{signed(row['shift_ms'], 0)} ms and × {row['gain']:.2f}; correlation {row['correlation']:.3f}"
        )
        millivolts = ecgs.millivolts([int(row["position"])])[0]
        yield title, caption, plot_ecg(millivolts, ecgs.leads, ecgs.sampling_rate, title, beneath)


def _split_table(ecgs: ECGSet) -> ShownTable:
    records = ecgs.records
    groups = [("all", records)]
    if "split" in records:
        groups = [*((str(split), some) for split, some in records.groupby("split", sort=False)), *groups]
    rows = [
        [Cell(name), Cell(f"{len(some):,}", len(some)), _patients(some), _ages(some), _females(some)]
        for name, some in groups
    ]
    return ShownTable(["split", "records", "patients", "age, years", "female"], rows)


def _patients(some: pd.DataFrame) -> Cell:
    """How many there are; a record that names none counts as one, as in every evaluation."""
    known = some["patient"].dropna() if "patient" in some else pd.Series(dtype=object)
    unknown = len(some) - len(known)
    number = known.nunique() + unknown
    words = "none is named" if unknown == len(some) else f"{unknown:,} records name none"
    return Cell(f"{number:,} ({words})" if unknown else f"{number:,}", number)


def _ages(some: pd.DataFrame) -> Cell:
    ages = some["age"].dropna().to_numpy(float) if "age" in some else np.empty(0)
    if not len(ages):
        return Cell("not known", None, "none")
    unknown = len(some) - len(ages)
    beside = f" ({unknown:,} not known)" if unknown else ""
    return Cell(f"{np.mean(ages):.0f} ± {np.std(ages):.0f}{beside}", float(np.mean(ages)))


def _females(some: pd.DataFrame) -> Cell:
    known = some["sex"].dropna().tolist() if "sex" in some else []
    if not known:
        return Cell("not known", None, "none")
    share = known.count("female") / len(known)
    return Cell(percent(share), share)


def _rule_table(account: Mapping[str, Any]) -> ShownTable:
    rows = [
        [
            Cell(rule),
            Cell(f"{len(entries):,}", len(entries)),
            Cell(percent(len(entries) / account["read"]), len(entries)),
            Cell(f"{entries[0]['record']}: {entries[0]['detail']}"),
        ]
        for rule, entries in sorted(account["left_out"].items(), key=lambda item: -len(item[1]))
    ]
    return ShownTable(["excluded by", "records", "of those read", "the first"], rows)


def _leak_table(leaks: Leaks) -> ShownTable:
    rows = [
        [
            Cell(f"{row['record']} ({row['split']})"),
            Cell(f"{row['of_record']} ({row['of_split']})"),
            Cell("one ECG" if row["is_copy"] else "two", int(row["is_copy"]), "bad" if row["is_copy"] else ""),
            Cell("same" if row["is_same_patient"] else NONE),
            Cell(f"{row['correlation']:.3f}", row["correlation"]),
            Cell(signed(row["shift_ms"], 0), row["shift_ms"]),
            Cell(f"{row['gain']:.2f}", row["gain"]),
        ]
        for row in leaks.pairs.head(10 * NUM_PAIRS).to_dict("records")
    ]
    columns = ["record", "and record", "are", "patient", "correlation", "shift, ms", "gain"]
    return ShownTable(columns, rows)


def _title(ecgs: ECGSet) -> str:
    made_by = ecgs.manifest.get("made_by") or {}
    where = made_by.get("root") or ecgs.path
    named = [str(made_by.get("source") or "an ECG set"), "" if where is None else Path(where).name]
    return f"The ECGs of {': '.join(filter(None, named))}"


def _form(ecgs: ECGSet) -> list[tuple[str, str]]:
    return [
        ("set", "in memory" if ecgs.path is None else str(ecgs.path)),
        ("form", f"{', '.join(ecgs.leads)}; {ecgs.num_samples} samples at {ecgs.sampling_rate} Hz"),
        *((f"SHA-256 of {name}", sha256) for name, sha256 in (ecgs.manifest.get("sha256") or {}).items()),
    ]
