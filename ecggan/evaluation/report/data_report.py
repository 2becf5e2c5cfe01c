"""What a source came to as an ECG set, for people to look at: who is in which split, what was left out and why, with a
few ECGs of each rule on ECG paper, and whether an ECG or a patient is in two splits.

account.html is one file; left_out.csv has every record left out with its rule, pairs.csv the records that may be one
ECG, pictures/ the PNGs.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecggan.data.sets.ecg_set import ECGSet
from ecggan.data.sets.exclusions import Excerpt, Shown, shown_of
from ecggan.evaluation.failures import Parts
from ecggan.evaluation.formatting import NONE, file_name, percent, signed
from ecggan.evaluation.memorization.split_leakage import Leaks, find_leaks
from ecggan.evaluation.report.cells import Cell
from ecggan.evaluation.report.fidelity_figures import overlay
from ecggan.evaluation.report.html import embedded, lines, render
from ecggan.evaluation.report.tables import ShownTable
from ecggan.files.atomic import atomic_folder
from ecggan.plotting import figure_png, plot_ecg

if TYPE_CHECKING:
    import matplotlib.figure

log = logging.getLogger(__name__)

NUM_PAIRS = 4  # drawn; and listed on the page, ten times as many
_MOST_MV = 5.0  # an artefact, or a wrong unit, would need paper by the metre
_SLOWEST_HZ = 50
_DPI = 110


def write_data_report(out: str | Path, ecgs: ECGSet, num_workers: int | None = None) -> Path:
    """Write the account of a set into a new folder, which appears whole or not at all.

    Args:
        out: the folder; there must be nothing in its place.
        ecgs: the set, all of its splits.
        num_workers: processes; None for one a core.

    Returns:
        The path of account.html.

    Raises:
        FileExistsError: `out` is there already.
    """
    parts = Parts()
    account: Mapping[str, Any] = ecgs.manifest.get("account") or {"read": len(ecgs), "kept": len(ecgs), "left_out": {}}
    leaks = parts.run("search for ECGs in two splits", find_leaks, ecgs, num_workers)
    with atomic_folder(out) as folder:
        (folder / "pictures").mkdir()
        shown = parts.run("excerpts of what was left out", shown_of, ecgs.path) if ecgs.path is not None else None
        pictures: dict[str, list[dict[str, str]]] = {}
        for each in shown or []:
            drawn = parts.run(f"picture of {each.record}", _draw_shown, each)
            _add(pictures.setdefault(each.rule, []), folder, each.rule, each.record, each.detail, drawn)
        pairs: list[dict[str, str]] = []
        if leaks is not None:
            for title, caption, figure in _draw_pairs(ecgs, leaks):
                _add(pairs, folder, "pair", title, caption, figure)
            leaks.pairs.to_csv(folder / "pairs.csv", index=False)
        entries = [(rule, *entry.values()) for rule, some in account["left_out"].items() for entry in some]
        pd.DataFrame(entries, columns=["rule", "record", "detail"]).to_csv(folder / "left_out.csv", index=False)
        html = render(
            "account.html.j2",
            title=_title(ecgs),
            account=account,
            splits=_split_table(ecgs),
            rules=_rule_table(account),
            leaks=leaks,
            leak_table=None if leaks is None else _leak_table(leaks),
            pictures=pictures,
            pairs=pairs,
            failures=parts.failures,
            made_by=lines(ecgs.manifest.get("made_by")),
            form=_form(ecgs),
        )
        (folder / "account.html").write_text(html, encoding="utf-8")
    return Path(out) / "account.html"


def in_words(ecgs: ECGSet, leaks_in: Path) -> str:
    """What the page found, in a few lines."""
    account = ecgs.manifest.get("account") or {"read": len(ecgs), "kept": len(ecgs)}
    pairs = leaks_in / "pairs.csv"
    words = f"{account['kept']:,} of {account['read']:,} records are kept"
    if not pairs.is_file():
        return f"{words}; the set knows no two splits"
    return f"{words}; {int(pd.read_csv(pairs)['is_copy'].sum())} pairs of records in different splits are one ECG"


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


def _draw_shown(shown: Shown) -> "matplotlib.figure.Figure | None":
    excerpt = shown.excerpt
    if excerpt.sampling_rate < _SLOWEST_HZ or not excerpt.millivolts.size:
        return None
    return plot_ecg(_within(excerpt), list(excerpt.leads), excerpt.sampling_rate, f"{shown.rule}: {shown.record}")


def _within(excerpt: Excerpt) -> np.ndarray:
    """Each lead about its median, cut where it would leave the paper; NaN stays."""
    finite = np.where(np.isfinite(excerpt.millivolts), excerpt.millivolts, np.nan)
    has_some = np.isfinite(finite).any(axis=1, keepdims=True)
    middle = np.nanmedian(np.where(has_some, finite, 0.0), axis=1, keepdims=True)
    return np.clip(finite - middle, -_MOST_MV, _MOST_MV)


def _draw_pairs(ecgs: ECGSet, leaks: Leaks) -> "Iterator[tuple[str, str, matplotlib.figure.Figure]]":
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
    if "patient" not in some or some["patient"].isna().all():
        return Cell("not known", None, "none")
    return Cell(f"{some['patient'].nunique():,}", some["patient"].nunique())


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
    return ShownTable(["left out by", "records", "of those read", "the first"], rows)


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
